//! Where a hospital's people sign in outside the platform, and what is kept about those who did.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    access::{Role, RoleGrant},
    account::Login,
    credentials::SecretHash,
    errors::ErrorKind,
    ids::{ProviderId, RoleName, TenantId, UnitId, UserId},
    keys::SealedFor,
};

/// Longest name of a group, issuer, client id and audience, in bytes.
const MAX_TEXT: usize = 512;
/// Most groups that one provider maps.
const MAX_GROUPS: usize = 200;

/// An OpenID Connect provider that a hospital has enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Key within the tenant.
    pub id: ProviderId,
    /// What its button on the sign-in page says.
    pub name: String,
    /// Its identifier, an address; tokens must name exactly this one.
    pub issuer: String,
    /// What it knows this platform as.
    pub client_id: String,
    /// Sealed; `None` for a client that proves itself by PKCE alone.
    pub client_secret: Option<Vec<u8>>,
    /// Access tokens for this audience are taken as bearer tokens; none are when `None`.
    pub api_audience: Option<String>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that holds a person's groups; a path with dots leads into objects.
    pub group_claim: String,
    /// What the members of a group hold.
    pub roles: Vec<GroupRole>,
    /// What a person holds in the whole hospital of whom no group is known here; `None`: such a person is refused.
    pub default_role: Option<RoleName>,
    /// Whether anybody gets in through it.
    pub enabled: bool,
    /// From 1 on.
    pub version: u32,
}

/// A role that the members of a group hold in a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRole {
    /// The group as the provider names it.
    pub group: String,
    /// Which role.
    pub role: RoleName,
    /// Where, and everywhere below it.
    pub unit: UnitId,
}

/// What is wrong with a provider, or with an answer of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A field that cannot be so.
    #[error("{field}: {problem}")]
    Field {
        /// As the API names it.
        field: &'static str,
        /// What is wrong, and what it must be.
        problem: String,
    },
    /// It was asked and did not answer as it should.
    #[error("{problem}")]
    Answer {
        /// What is out of reach, or wrong about the answer, and what to do.
        problem: String,
    },
    /// Its secret cannot be kept.
    #[error(transparent)]
    Seal(#[from] crate::keys::SealError),
}

impl ProviderError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Field { .. } | Self::Answer { .. } => ErrorKind::BadInput,
            Self::Seal(_) => ErrorKind::Unavailable,
        }
    }

    fn field(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Field { field, problem: problem.into() }
    }
}

/// What a provider tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Keys that it signs with now and that are understood here.
    pub keys: usize,
    /// Whether it ends its own session when somebody signs out here.
    pub ends_sessions: bool,
    /// Whether it tells the platform when somebody signs out there.
    pub tells_of_logout: bool,
}

/// What enrolling a provider needs beyond a store. `identity` implements it.
#[async_trait]
pub trait Enrolment: Send + Sync {
    /// Asks a provider about itself, freshly; the answer is used from then on.
    async fn discover(&self, issuer: &str) -> Result<Discovered, ProviderError>;
    /// The client secret as it is kept.
    async fn seal_secret(
        &self,
        tenant: TenantId,
        provider: ProviderId,
        secret: &str,
    ) -> Result<Vec<u8>, ProviderError>;
}

impl IdentityProvider {
    /// What the client secret is sealed for; `row` is the provider's id in words.
    pub fn secret_of(tenant: TenantId, row: &str) -> SealedFor<'_> {
        SealedFor { tenant, purpose: "identity_provider.client_secret", row }
    }

    /// Refuses what no provider can be.
    ///
    /// # Errors
    /// [`ProviderError::Field`].
    pub fn check(&self) -> Result<(), ProviderError> {
        let plain =
            |text: &str| !text.is_empty() && text.len() <= MAX_TEXT && !text.contains(char::is_control);
        if !plain(self.name.trim()) || self.name.chars().count() > 60 {
            return Err(ProviderError::field("name", "must have 1 to 60 characters"));
        }
        if !plain(&self.issuer) || self.issuer.contains(char::is_whitespace) {
            return Err(ProviderError::field("issuer", "must be the address that the provider calls itself"));
        }
        if !plain(&self.client_id) {
            return Err(ProviderError::field("clientId", "must be what the provider knows this platform as"));
        }
        if self.api_audience.as_ref().is_some_and(|audience| !plain(audience)) {
            return Err(ProviderError::field(
                "apiAudience",
                "must be empty, or what access tokens are made for",
            ));
        }
        if self.api_audience.as_ref() == Some(&self.client_id) {
            // ID tokens have the client id as their audience and must never pass for access tokens.
            return Err(ProviderError::field("apiAudience", "must be another one than the client id"));
        }
        let scope = |scope: &String| {
            plain(scope) && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        };
        if self.scopes.len() > 20 || !self.scopes.iter().all(scope) {
            return Err(ProviderError::field("scopes", "must be at most 20 words without blanks"));
        }
        if !plain(&self.group_claim) {
            return Err(ProviderError::field("groupClaim", "must name a claim, for example groups"));
        }
        if self.roles.len() > MAX_GROUPS || !self.roles.iter().all(|entry| plain(&entry.group)) {
            return Err(ProviderError::field("roles", "must be at most 200 groups, each with a name"));
        }
        let mut held = self.roles.iter().map(|entry| &entry.role).chain(&self.default_role);
        if held.any(|role| *role == RoleName::from(Role::Operator)) {
            return Err(ProviderError::field("roles", "operator is for the platform's own people"));
        }
        Ok(())
    }

    /// What somebody of these groups holds: the only place where groups become rights.
    pub fn grants(&self, tenant: TenantId, groups: &[String]) -> Vec<RoleGrant> {
        let groups: BTreeSet<&str> = groups.iter().map(String::as_str).collect();
        let mut grants: Vec<RoleGrant> = Vec::new();
        for entry in self.roles.iter().filter(|entry| groups.contains(entry.group.as_str())) {
            let grant = RoleGrant { role: entry.role.clone(), unit: entry.unit, until: None };
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        if grants.is_empty()
            && let Some(role) = &self.default_role
        {
            grants.push(RoleGrant { role: role.clone(), unit: UnitId::root(tenant), until: None });
        }
        grants
    }
}

/// A browser that was sent to a provider and has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginAttempt {
    /// SHA-256 of `state`, which goes through the provider.
    pub state: SecretHash,
    /// SHA-256 of the secret in the browser's cookie: whoever comes back must be who was sent.
    pub browser: SecretHash,
    /// Where to.
    pub provider: ProviderId,
    /// Which version of it: an answer counts only while the provider is enrolled as it was.
    pub provider_version: u32,
    /// What the ID token must hold.
    pub nonce: String,
    /// Proves to the provider that the code was asked for by us (RFC 7636). It is worth nothing without the code.
    pub pkce_verifier: String,
    /// Where the browser goes when it is signed in: a path of ours.
    pub next: String,
    /// When it was sent.
    pub started_at: Timestamp,
    /// Refused from then on.
    pub expires_at: Timestamp,
}

/// Somebody whom a provider vouches for.
#[derive(Clone)]
pub struct Arrival {
    /// Which provider.
    pub provider: ProviderId,
    /// Who that is there; never reused by a provider, as an e-mail address may be.
    pub subject: String,
    /// The account, as it shall be.
    pub login: Login,
    /// What groups give; what was given so before and is not here is taken away.
    pub grants: Vec<RoleGrant>,
}

/// Where a session comes from, so that the provider can end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSession {
    /// SHA-256 of the cookie's secret.
    pub hash: SecretHash,
    /// Which provider.
    pub provider: ProviderId,
    /// Who signed in, as the provider names them.
    pub subject: String,
    /// The provider's own session (`sid`), where it tells.
    pub sid: Option<String>,
}

/// A provider's word that somebody has signed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutNotice {
    /// Which provider.
    pub provider: ProviderId,
    /// Whose sessions; all that fit when `sid` is not given.
    pub subject: Option<String>,
    /// Which of them.
    pub sid: Option<String>,
    /// The token's id; each counts once.
    pub jti: String,
    /// How long the id has to be kept in mind.
    pub expires_at: Timestamp,
}

/// An account that is linked with somebody at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Whose account.
    pub user: UserId,
    /// What the provider's groups gave last.
    pub granted: Vec<RoleGrant>,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn provider() -> IdentityProvider {
        let (role, unit) = (RoleName::from(Role::Nurse), UnitId::from_uuid(Uuid::from_u128(7)));
        let entry = |group: &str, role: Role| GroupRole { group: group.into(), role: role.into(), unit };
        IdentityProvider {
            id: ProviderId::from_uuid(Uuid::from_u128(1)),
            name: "Hospital".into(),
            issuer: "https://login.example.org".into(),
            client_id: "iomt".into(),
            client_secret: None,
            api_audience: Some("https://iomt.example.org/api".into()),
            scopes: vec!["email".into()],
            group_claim: "groups".into(),
            roles: vec![
                entry("Nurses", Role::Nurse),
                entry("3E", Role::Nurse),
                entry("Doctors", Role::Clinician),
            ],
            default_role: Some(role),
            enabled: true,
            version: 1,
        }
    }

    #[test]
    fn groups_become_roles_and_nothing_else_does() {
        let (provider, tenant) = (provider(), TenantId::from_uuid(Uuid::from_u128(3)));
        let held = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            let grants = provider.grants(tenant, &groups);
            grants
                .iter()
                .map(|grant| (grant.role.to_string(), grant.unit.as_uuid().as_u128()))
                .collect::<Vec<_>>()
        };
        assert_eq!(held(&["Nurses", "3E", "Nurses"]), [("nurse".to_owned(), 7)], "once");
        assert_eq!(held(&["Doctors", "x"]), [("clinician".to_owned(), 7)]);
        assert_eq!(held(&["Doctors", "Nurses"]).len(), 2);
        for none in [&["nurses"][..], &["Nurses "], &[""], &[]] {
            assert_eq!(held(none), [("nurse".to_owned(), 3)], "the default, in the whole hospital: {none:?}");
        }
        let strict = IdentityProvider { default_role: None, ..provider.clone() };
        assert!(strict.grants(tenant, &["x".to_owned()]).is_empty());
    }

    #[test]
    fn what_is_no_provider_is_named() {
        provider().check().unwrap();
        type Change = fn(&mut IdentityProvider);
        let wrong: [(&str, Change); 10] = [
            ("name", |p| p.name = " ".into()),
            ("issuer", |p| p.issuer = "https://a b".into()),
            ("clientId", |p| p.client_id = String::new()),
            ("apiAudience", |p| p.api_audience = Some(String::new())),
            ("apiAudience", |p| p.api_audience = Some("iomt".into())),
            ("scopes", |p| p.scopes = vec!["a b".into()]),
            ("groupClaim", |p| p.group_claim = String::new()),
            ("roles", |p| p.roles[0].group = String::new()),
            ("roles", |p| p.roles[0].role = Role::Operator.into()),
            ("roles", |p| p.default_role = Some(Role::Operator.into())),
        ];
        for (field, change) in wrong {
            let mut changed = provider();
            change(&mut changed);
            assert!(changed.check().unwrap_err().to_string().starts_with(&format!("{field}: ")), "{field}");
        }
    }
}
