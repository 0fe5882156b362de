//! A browser's way to a provider and back.

use jiff::SignedDuration;
use openidconnect::{
    ClientId, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope,
    core::{CoreAuthenticationFlow, CoreClient},
};
use tenants::{
    ErrorKind, ProviderId, StoreError, Tenant, TenantSlug, UserId,
    account::{Login, User},
    audit::Channel,
    credentials::{BearerToken, SecretHash, generate},
    identity_provider::{Arrival, ExternalSession, IdentityProvider, LoginAttempt},
};

use super::{
    FailedSignIn, Oidc, SignInProblem as Problem,
    discovery::Known,
    exchange::redirect_to,
    person::Person,
    problem::{Failure, short},
};
use crate::{
    Identity, IdentityError, SignedIn,
    audit::{Origin, Visitor},
};

/// How long somebody may take at their provider.
const ATTEMPT_LASTS: SignedDuration = SignedDuration::from_mins(10);
/// Browsers of one hospital that may be on their way at the same time; starting needs no credentials.
const ATTEMPTS: u64 = 5_000;
const ACTION: &str = "session.create";

/// A browser on its way out.
pub struct Sent {
    /// Where to.
    pub url: String,
    /// The secret for the browser's cookie, with which it proves to be the same when it comes back.
    pub cookie: String,
}

/// What a browser brought back from its provider, as it stands in the address.
#[derive(Debug, Default, Clone)]
pub struct CameBack {
    /// What was sent with it.
    pub state: String,
    /// For which tokens are given.
    pub code: Option<String>,
    /// Instead of a code.
    pub error: Option<String>,
    /// Whose answer it is (RFC 9207).
    pub iss: Option<String>,
    /// The secret of the cookie.
    pub cookie: Option<String>,
}

/// A browser that is signed in.
pub struct Returned {
    /// The session.
    pub signed_in: SignedIn,
    /// Where it wanted to go.
    pub next: String,
}

impl Identity {
    /// Sends a browser to a provider. `redirect_uri` is where it shall come back to, `next` a path of ours for
    /// afterwards.
    ///
    /// # Errors
    /// [`FailedSignIn`] for the sign-in page.
    pub async fn send_to_provider(
        &self,
        slug: &str,
        provider: &str,
        next: &str,
        redirect_uri: &str,
    ) -> Result<Sent, FailedSignIn> {
        let hospital = TenantSlug::parse(slug).ok();
        let failed = |problem| FailedSignIn { hospital: hospital.clone(), problem };
        let (Some(oidc), Some(slug), Ok(id)) = (&self.oidc, &hospital, provider.parse::<ProviderId>()) else {
            return Err(failed(Problem::NotEnrolled));
        };
        let sent = self.send(oidc, slug, id, next, redirect_uri).await;
        sent.map_err(|Failure { problem, reason }| {
            tracing::warn!(hospital = %slug, provider = %id, reason, "nobody can be sent to this identity provider");
            failed(problem)
        })
    }

    async fn send(
        &self,
        oidc: &Oidc,
        slug: &TenantSlug,
        id: ProviderId,
        next: &str,
        redirect_uri: &str,
    ) -> Result<Sent, Failure> {
        let not_enrolled = || Failure::new(Problem::NotEnrolled, "there is none, or it is switched off");
        let tenant = self.tenant(slug).await?.ok_or_else(not_enrolled)?;
        let provider = oidc.enabled(tenant.id, id).await?.ok_or_else(not_enrolled)?;
        let known = oidc.discovery.reached(&provider.issuer).await?;

        let made = |error| Failure::from(IdentityError::Randomness(error));
        let state = BearerToken::generate(tenant.id).map_err(made)?;
        let (cookie, nonce) = (generate().map_err(made)?, generate().map_err(made)?);
        let verifier = PkceCodeVerifier::new(generate().map_err(made)?);
        let client = CoreClient::from_provider_metadata(
            known.metadata.clone(),
            ClientId::new(provider.client_id.clone()),
            None,
        )
        .set_redirect_uri(redirect_to(redirect_uri)?);
        let (sent_state, sent_nonce) = (state.reveal().to_owned(), nonce.clone());
        let request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(sent_state),
                move || Nonce::new(sent_nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(provider.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new));
        let (url, _, _) = request.url();

        let started_at = self.clock.now();
        let attempt = LoginAttempt {
            state: state.hash(),
            browser: SecretHash::of(cookie.as_bytes()),
            provider: provider.id,
            provider_version: provider.version,
            nonce,
            pkce_verifier: verifier.into_secret(),
            next: next.to_owned(),
            started_at,
            expires_at: started_at.checked_add(ATTEMPT_LASTS).unwrap_or(started_at),
        };
        oidc.logins.begin(tenant.id, &attempt, ATTEMPTS).await?;
        Ok(Sent { url: url.into(), cookie })
    }

    /// Takes a browser in that comes back. Every success and every refusal is written down.
    ///
    /// # Errors
    /// [`FailedSignIn`] for the sign-in page.
    pub async fn take_in(
        &self,
        came: &CameBack,
        redirect_uri: &str,
        visitor: &Visitor,
    ) -> Result<Returned, FailedSignIn> {
        let over = || FailedSignIn { hospital: None, problem: Problem::Over };
        // `state` names the tenant, as every secret of ours does that has to be found again.
        let (Some(oidc), Ok(state)) = (&self.oidc, BearerToken::parse(&came.state)) else {
            return Err(over());
        };
        let tenant = self.tenants.by_id(state.tenant).await.ok().flatten().ok_or_else(over)?;
        let origin = Origin { channel: Channel::Ui, visitor };
        let mut subject = "identity_provider:unknown".to_owned();
        let arrived = self.arrive(oidc, &tenant, &state, came, redirect_uri, origin, &mut subject).await;
        match arrived {
            Ok(returned) => Ok(returned),
            Err(Failure { problem, reason }) => {
                tracing::warn!(hospital = %tenant.slug, subject, reason, correlation = %visitor.correlation, "a sign-in through an identity provider was refused");
                self.audit.refusal(tenant.id, subject, ACTION, &reason, origin).await;
                Err(FailedSignIn { hospital: Some(tenant.slug), problem })
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what came, from where, and whom a refusal is about")]
    async fn arrive(
        &self,
        oidc: &Oidc,
        tenant: &Tenant,
        state: &BearerToken,
        came: &CameBack,
        redirect_uri: &str,
        origin: Origin<'_>,
        subject: &mut String,
    ) -> Result<Returned, Failure> {
        let over = |reason| Failure::new(Problem::Over, reason);
        let attempt = oidc.logins.take(tenant.id, &state.hash()).await?;
        let attempt =
            attempt.ok_or_else(|| over("the sign-in is unknown, over or was finished before (state)"))?;
        *subject = format!("identity_provider:{}", attempt.provider);
        if self.clock.now() >= attempt.expires_at {
            return Err(over("the sign-in took too long"));
        }
        let cookie = came.cookie.as_deref().unwrap_or_default();
        if SecretHash::of(cookie.as_bytes()) != attempt.browser {
            return Err(over("another browser came back than was sent"));
        }
        let provider = oidc.enabled(tenant.id, attempt.provider).await?;
        let provider = provider
            .filter(|provider| provider.version == attempt.provider_version)
            .ok_or_else(|| over("the identity provider was changed meanwhile"))?;
        let known = oidc.discovery.provider(&provider.issuer).await?;
        check_sender(&provider, &known, came)?;
        let code = code_of(came)?;
        let tokens = oidc.exchange(tenant, &provider, &known, code, &attempt, redirect_uri).await?;
        let person = oidc.person(&provider, &known, &tokens, &attempt, self.clock.now()).await?;
        let user = self.account(oidc, tenant, &provider, &person, origin).await?;
        let signed_in = self.proven_by(oidc, &user, &provider, person, origin).await?;
        Ok(Returned { signed_in, next: attempt.next })
    }

    /// The account of a person, made or brought up to date. An account that is not linked with this very person at
    /// this very provider is never theirs, whatever their e-mail address says.
    async fn account(
        &self,
        oidc: &Oidc,
        tenant: &Tenant,
        provider: &IdentityProvider,
        person: &Person,
        origin: Origin<'_>,
    ) -> Result<User, Failure> {
        let email = person.email.clone().filter(|_| person.email_is_verified);
        let email = email.ok_or_else(|| {
            Failure::new(Problem::Email, "the provider gave no e-mail address that it has verified")
        })?;
        let grants = provider.grants(tenant.id, person.groups.as_deref().unwrap_or_default());
        if grants.is_empty() {
            return Err(Failure::new(Problem::NoRole, "none of the person's groups gives a role"));
        }
        let linked = oidc.logins.linked(tenant.id, provider.id, &person.subject).await?;
        let display_name = person.name.clone().unwrap_or_else(|| email.clone());
        let id = linked.as_ref().map_or_else(|| UserId::new(&*self.clock), |linked| linked.user);
        let user = User { id, tenant: tenant.id, email, display_name };
        let password_hash = match &linked {
            Some(_) => String::new(),
            // Nobody knows this password.
            None => self.passwords.hash(&generate().map_err(IdentityError::from)?).await?,
        };
        let login = Login { user: user.clone(), password_hash };
        let roles: Vec<&str> = grants.iter().map(|grant| grant.role.as_str()).collect();
        let action = if linked.is_some() { "user.update" } else { "user.create" };
        let detail = format!("as {}", roles.join(", "));
        let entry = self.on_word_of(tenant.id, provider, action, format!("user:{id}"), detail, origin);
        let arrival = Arrival { provider: provider.id, subject: person.subject.clone(), login, grants };
        let done = match linked {
            Some(_) => oidc.logins.refresh(&arrival, &entry).await.map(drop),
            None => oidc.logins.join(&arrival, &entry).await,
        };
        done.map_err(|error| match error {
            StoreError::Conflict { .. } => Failure::new(
                Problem::Account,
                "the person's e-mail address has an account that is not linked with this provider",
            ),
            StoreError::QuotaExceeded { what } => Failure::new(Problem::Account, what),
            other => other.into(),
        })?;
        Ok(user)
    }

    async fn proven_by(
        &self,
        oidc: &Oidc,
        user: &User,
        provider: &IdentityProvider,
        person: Person,
        origin: Origin<'_>,
    ) -> Result<SignedIn, Failure> {
        let signed_in = self.proven(user, origin).await?;
        let secret = BearerToken::parse(&signed_in.cookie).map_err(IdentityError::from)?;
        let Person { subject, sid, .. } = person;
        let session = ExternalSession { hash: secret.hash(), provider: provider.id, subject, sid };
        // Nobody has the secret yet: a session that the provider could not end is not given out.
        oidc.logins.note_session(user.tenant, &session).await?;
        Ok(signed_in)
    }
}

/// RFC 9207: an answer names its issuer where the provider does so, and never another one.
fn check_sender(provider: &IdentityProvider, known: &Known, came: &CameBack) -> Result<(), Failure> {
    match came.iss.as_deref() {
        Some(iss) if iss == provider.issuer => Ok(()),
        Some(_) => Err(Failure::refused("the answer is another provider's (iss)")),
        None if known.extra().authorization_response_iss_parameter_supported => {
            Err(Failure::refused("the answer does not say whose it is (iss)"))
        }
        None => Ok(()),
    }
}

fn code_of(came: &CameBack) -> Result<&str, Failure> {
    match (came.error.as_deref(), came.code.as_deref()) {
        (Some("access_denied"), _) => {
            Err(Failure::new(Problem::Cancelled, "it was cancelled at the provider"))
        }
        (Some("temporarily_unavailable" | "server_error"), _) => {
            Err(Failure::new(Problem::Unreachable, "the provider says that it has a problem"))
        }
        (Some(error), _) => Err(Failure::refused(format!("the provider refused ({})", short(error)))),
        (None, Some(code)) if !code.is_empty() => Ok(code),
        _ => Err(Failure::refused("neither a code nor an error came back")),
    }
}

/// Whether a provider's trouble is worth another try; used where no page is shown.
pub(super) const fn kind_of(problem: Problem) -> ErrorKind {
    match problem {
        Problem::Unreachable | Problem::Busy => ErrorKind::Unavailable,
        _ => ErrorKind::Unauthenticated,
    }
}
