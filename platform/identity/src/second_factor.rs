//! The second factor: codes of an authenticator app (TOTP, RFC 6238: SHA-1, 6 digits, 30 s, which every app can), and
//! recovery codes for who has lost theirs.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use rand::{TryRngCore, rngs::OsRng};
use tenants::{
    TenantId, UserId,
    access::{Caller, Principal, Scope},
    audit::{AuditEntry, Channel},
    authenticator::{Authenticator, AuthenticatorStore, Authenticators, Pairing, RECOVERY_CODES, Standing},
    clock::Clock,
    credentials::SecretHash,
    keys::{Keyring, SealedFor},
    second_factor::{SecondFactor, SecondFactorError},
};
use totp_rs::{Builder, Secret, Totp};

use crate::{
    Identity, IdentityError,
    audit::{Origin, Visitor},
    back_off::BackOff,
};

/// RFC 4226, section 4, R6: 160 bits.
const SECRET_BYTES: usize = 20;
/// What apps show beside the code.
const ISSUER: &str = "IoMT Platform";
/// Digits of an app's code.
const DIGITS: usize = 6;
/// Characters of a recovery code, in groups of four: 80 random bits, so that a plain hash is enough to keep it.
const RECOVERY_CHARACTERS: usize = 16;
/// 32 that nobody mistakes for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What second factors need. Without it nobody has one.
pub(crate) struct Factors {
    store: Arc<dyn AuthenticatorStore>,
    keys: Arc<dyn Keyring>,
    back_off: BackOff,
}

/// Somebody, within their tenant.
#[derive(Clone, Copy)]
struct Person {
    tenant: TenantId,
    user: UserId,
}

impl Factors {
    pub(crate) fn new(store: Arc<dyn AuthenticatorStore>, keys: Arc<dyn Keyring>) -> Self {
        Self { store, keys, back_off: BackOff::new() }
    }

    /// Somebody's authenticator that is in force.
    async fn in_force(&self, person: Person) -> Result<Option<Authenticator>, SecondFactorError> {
        let found = self.store.authenticator(person.tenant, person.user).await?;
        Ok(found.filter(|found| found.since.is_some()))
    }

    /// Whether somebody is asked for a code when they sign in.
    pub(crate) async fn asked_of(&self, tenant: TenantId, user: UserId) -> Result<bool, SecondFactorError> {
        Ok(self.in_force(Person { tenant, user }).await?.is_some())
    }

    /// Compares a code, and uses it up.
    pub(crate) async fn check(
        &self,
        tenant: TenantId,
        user: UserId,
        code: &str,
        clock: &dyn Clock,
    ) -> Result<(), SecondFactorError> {
        let person = Person { tenant, user };
        let app = self.in_force(person).await?.ok_or(SecondFactorError::NotEnrolled)?;
        let account = user.to_string();
        self.begin(&account, clock)?;
        let code = normal(code);
        let right = if code.len() == DIGITS {
            match self.step(person, &app, &code, clock).await? {
                Some(step) => self.store.use_step(tenant, user, step).await?,
                None => false,
            }
        } else {
            let actor = format!("user:{user}");
            let used = "second_factor.use_recovery_code";
            let entry = AuditEntry::new(tenant, clock.now(), actor.as_str(), used, actor.as_str());
            let hash = recovery_hash(person, &code);
            self.store.use_recovery_code(tenant, user, &hash, &entry).await?
        };
        if !right {
            return Err(SecondFactorError::Wrong);
        }
        self.back_off.succeeded(&account);
        Ok(())
    }

    fn begin(&self, account: &str, clock: &dyn Clock) -> Result<(), SecondFactorError> {
        self.back_off.begin(account, clock.now()).map_err(|wait| {
            let retry_after_s = wait.as_secs().max(1);
            SecondFactorError::TooMany { retry_after_s }
        })
    }

    /// The time step whose code it is, at most one before or after this moment's.
    async fn step(
        &self,
        person: Person,
        app: &Authenticator,
        code: &str,
        clock: &dyn Clock,
    ) -> Result<Option<u64>, SecondFactorError> {
        let keys = self.keys.of(person.tenant).await?;
        let secret = keys.open(sealed_for(person.tenant, &app.user.to_string()), &app.secret)?;
        let now = u64::try_from(clock.now().as_second()).unwrap_or_default();
        Ok(totp(secret, "")?.check(code, now))
    }
}

impl Identity {
    /// Asks people for a second factor, where they have set one up.
    #[must_use]
    pub fn with_second_factors(self, store: Arc<dyn AuthenticatorStore>, keys: Arc<dyn Keyring>) -> Self {
        Self { factors: Some(Factors::new(store, keys)), ..self }
    }

    /// Asks somebody whose password was right for their code, if they have a second factor.
    pub(crate) async fn ask_for_code(
        &self,
        person: &tenants::User,
        code: Option<&str>,
    ) -> Result<(), IdentityError> {
        let Some(factors) = &self.factors else { return Ok(()) };
        if !factors.asked_of(person.tenant, person.id).await? {
            return Ok(());
        }
        let code = code.ok_or(IdentityError::CodeNeeded)?;
        Ok(factors.check(person.tenant, person.id, code, &*self.clock).await?)
    }

    fn factors(&self) -> Result<&Factors, SecondFactorError> {
        self.factors.as_ref().ok_or(SecondFactorError::NotEnrolled)
    }
}

#[async_trait]
impl SecondFactor for Identity {
    async fn confirm(&self, caller: &Caller, code: &str) -> Result<(), SecondFactorError> {
        let Person { tenant, user } = person(caller)?;
        let outcome = self.factors()?.check(tenant, user, code, &*self.clock).await;
        if let Err(SecondFactorError::Wrong) = &outcome {
            let origin = Origin { channel: Channel::Graphql, visitor: &Visitor::default() };
            let subject = caller.actor();
            self.audit.refusal(tenant, subject, "second_factor.confirm", "wrong code", origin).await;
        }
        outcome
    }
}

#[async_trait]
impl Authenticators for Identity {
    async fn standing(&self, caller: &Caller) -> Result<Standing, SecondFactorError> {
        let person = person(caller)?;
        let factors = self.factors()?;
        let Some(app) = factors.in_force(person).await? else { return Ok(Standing::default()) };
        let recovery_codes = factors.store.recovery_codes(person.tenant, person.user).await?;
        Ok(Standing { since: app.since, recovery_codes })
    }

    async fn pair(&self, caller: &Caller) -> Result<Pairing, SecondFactorError> {
        let (person, factors) = (person(caller)?, self.factors()?);
        if factors.in_force(person).await?.is_some() {
            return Err(SecondFactorError::Enrolled);
        }
        let mut secret = vec![0; SECRET_BYTES];
        OsRng.try_fill_bytes(&mut secret).map_err(|_| SecondFactorError::NoRandomness)?;
        let row = person.user.to_string();
        let sealed = factors.keys.of(person.tenant).await?.seal(sealed_for(person.tenant, &row), &secret)?;
        let app = Authenticator { user: person.user, secret: sealed, since: None };
        factors.store.propose(person.tenant, &app).await?;
        let Principal::User { email, .. } = &caller.principal else {
            return Err(SecondFactorError::NotEnrolled);
        };
        let text = Secret::from(secret.as_slice()).to_base32();
        let uri = totp(secret, email)?.to_url().map_err(|error| SecondFactorError::Totp(error.into()))?;
        Ok(Pairing { secret: text, uri })
    }

    async fn enrol(
        &self,
        caller: &Caller,
        code: &str,
        audit: &AuditEntry,
    ) -> Result<Vec<String>, SecondFactorError> {
        let (person, factors) = (person(caller)?, self.factors()?);
        let proposed = factors.store.authenticator(person.tenant, person.user).await?;
        let proposed = proposed.ok_or(SecondFactorError::NotPaired)?;
        if proposed.since.is_some() {
            return Err(SecondFactorError::Enrolled);
        }
        let account = person.user.to_string();
        factors.begin(&account, &*self.clock)?;
        let step = factors.step(person, &proposed, &normal(code), &*self.clock).await?;
        let step = step.ok_or(SecondFactorError::Wrong)?;
        let (codes, hashes) = recovery_codes(person)?;
        let enrolled = Authenticator { since: Some(self.clock.now()), ..proposed };
        factors.store.enrol(person.tenant, &enrolled, step, &hashes, audit).await?;
        factors.back_off.succeeded(&account);
        Ok(codes)
    }

    async fn renew_recovery_codes(
        &self,
        caller: &Caller,
        code: &str,
        audit: &AuditEntry,
    ) -> Result<Vec<String>, SecondFactorError> {
        let (person, factors) = (person(caller)?, self.factors()?);
        self.confirm(caller, code).await?;
        let (codes, hashes) = recovery_codes(person)?;
        factors.store.replace_recovery_codes(person.tenant, person.user, &hashes, audit).await?;
        Ok(codes)
    }

    async fn remove(&self, caller: &Caller, code: &str, audit: &AuditEntry) -> Result<(), SecondFactorError> {
        let (person, factors) = (person(caller)?, self.factors()?);
        self.confirm(caller, code).await?;
        Ok(factors.store.remove(person.tenant, person.user, audit).await?)
    }

    async fn enrolled(&self, scope: &Scope) -> Result<HashMap<UserId, Timestamp>, SecondFactorError> {
        match &self.factors {
            Some(factors) => Ok(factors.store.enrolled(scope.tenant()).await?),
            None => Ok(HashMap::new()),
        }
    }

    async fn reset(&self, scope: &Scope, user: UserId, audit: &AuditEntry) -> Result<(), SecondFactorError> {
        Ok(self.factors()?.store.remove(scope.tenant(), user, audit).await?)
    }
}

/// A person who acts with all their rights: what was given to a program cannot change how its owner signs in.
fn person(caller: &Caller) -> Result<Person, SecondFactorError> {
    match &caller.principal {
        Principal::User { id, restricted_to: None, .. } => Ok(Person { tenant: caller.tenant, user: *id }),
        _ => Err(SecondFactorError::NotAPerson),
    }
}

fn sealed_for(tenant: TenantId, user: &str) -> SealedFor<'_> {
    SealedFor { tenant, purpose: "authenticator.secret", row: user }
}

fn totp(secret: Vec<u8>, account: &str) -> Result<Totp, SecondFactorError> {
    // A colon ends the issuer in what apps are told.
    let account = account.replace(':', " ");
    let built =
        Builder::new().with_secret(secret).with_issuer(Some(ISSUER)).with_account_name(account).build();
    built.map_err(|error| SecondFactorError::Totp(error.into()))
}

/// A code without what people put between its characters.
fn normal(code: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric();
    code.chars().filter(kept).take(RECOVERY_CHARACTERS + 1).collect::<String>().to_ascii_lowercase()
}

/// Bound to its owner, so that equal codes of two people are not equal in the database.
fn recovery_hash(person: Person, code: &str) -> SecretHash {
    let bound = [person.tenant.as_uuid().as_bytes(), person.user.as_uuid().as_bytes(), code.as_bytes()];
    SecretHash::of(&bound.concat())
}

/// New recovery codes, as they are told and as they are kept.
fn recovery_codes(person: Person) -> Result<(Vec<String>, Vec<SecretHash>), SecondFactorError> {
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    let mut hashes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0; RECOVERY_CHARACTERS];
        OsRng.try_fill_bytes(&mut bytes).map_err(|_| SecondFactorError::NoRandomness)?;
        let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        hashes.push(recovery_hash(person, &letters.iter().collect::<String>()));
        codes.push(letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-"));
    }
    Ok((codes, hashes))
}
