//! Signing in by e-mail address and password.

use tenants::{
    TenantId,
    account::{User, normal_email},
    audit::Channel,
    second_factor::SecondFactorError,
};

use crate::{Identity, IdentityError, SignedIn, Visitor, audit::Origin};

const ACTION: &str = "session.create";

impl Identity {
    /// Checks a password, and the code of whoever has a second factor, and opens a session. Unknown addresses take as long as wrong passwords, and are
    /// held back alike.
    ///
    /// # Errors
    /// [`IdentityError::WrongPassword`]; [`IdentityError::CodeNeeded`] when the password is right and `code` is missing;
    /// [`IdentityError::HeldBack`] after several of them.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        code: Option<&str>,
        visitor: &Visitor,
    ) -> Result<SignedIn, IdentityError> {
        let outcome = self.check_sign_in(email, password, code, visitor).await;
        self.metrics.signed_in(outcome.as_ref().err());
        outcome
    }

    async fn check_sign_in(
        &self,
        email: &str,
        password: &str,
        code: Option<&str>,
        visitor: &Visitor,
    ) -> Result<SignedIn, IdentityError> {
        let (email, origin) = (normal_email(email), Origin { channel: Channel::Ui, visitor });
        let (now, from) = (self.clock.now(), visitor.address.as_str());
        let held_back = |retry_after| IdentityError::HeldBack { retry_after };
        self.limits.of_address(from, now).map_err(held_back)?;
        self.back_off.begin(&email, now).map_err(held_back)?;
        let login = self.accounts.login(&email).await?;
        let tenant = login.as_ref().map(|login| login.user.tenant);
        if let Some(tenant) = tenant {
            self.limits.of_tenant(tenant, from, now).map_err(held_back)?;
        }
        let hash = login.as_ref().map(|login| login.password_hash.as_str());
        let right = self.passwords.verify(password, hash).await?;
        let (subject, problem, refused) = match login {
            Some(login) if right => match self.ask_for_code(&login.user, code).await {
                Ok(()) => {
                    self.back_off.succeeded(&email);
                    self.limits.succeeded(from);
                    return self.proven(&login.user, origin).await;
                }
                Err(error @ IdentityError::SecondFactor(SecondFactorError::Wrong)) => {
                    (format!("user:{}", login.user.id), "wrong code", error)
                }
                Err(error) => return Err(error),
            },
            Some(login) => {
                (format!("user:{}", login.user.id), "wrong password", IdentityError::WrongPassword)
            }
            // One subject for all of them: what was typed is not ours to keep.
            None => ("user:unknown".to_owned(), "unknown e-mail address", IdentityError::WrongPassword),
        };
        self.limits.failed(tenant, from, now);
        let tenant = tenant.unwrap_or(TenantId::PLATFORM);
        self.audit.refusal(tenant, subject, ACTION, problem, origin).await;
        Err(refused)
    }

    /// Writes down that somebody got in, and lets them.
    pub(crate) async fn proven(&self, user: &User, origin: Origin<'_>) -> Result<SignedIn, IdentityError> {
        let tenant = self.tenants.by_id(user.tenant).await?;
        if tenant.is_some_and(|tenant| tenant.suspended_since.is_some()) {
            let subject = format!("user:{}", user.id);
            self.audit.refusal(user.tenant, subject, ACTION, "the hospital is suspended", origin).await;
            return Err(IdentityError::Suspended);
        }
        self.audit.success(user.tenant, format!("user:{}", user.id), ACTION, origin).await?;
        self.open_session(user, origin.visitor).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenants::{CorrelationId, audit::Outcome};

    use super::*;
    use crate::{
        SESSION_HOURS,
        memory::{World, visitor},
    };

    const PASSWORD: &str = "a password of some length";

    async fn sign_in(world: &World, email: &str, password: &str) -> Result<SignedIn, IdentityError> {
        world.identity.sign_in(email, password, None, &visitor("192.0.2.1", 7)).await
    }

    #[tokio::test]
    async fn the_right_password_opens_a_session_and_is_audited() {
        let world = World::new();
        let user = world.user("nurse@ward.example", PASSWORD).await;
        let signed_in = sign_in(&world, " Nurse@Ward.example ", PASSWORD).await.unwrap();
        assert_eq!(
            (signed_in.caller.tenant, signed_in.caller.actor()),
            (user.tenant, format!("user:{}", user.id))
        );
        assert_ne!(signed_in.csrf, signed_in.cookie);

        let session = world.identity.session(&signed_in.cookie).await.unwrap();
        assert_eq!((&session.caller, session.csrf()), (&signed_in.caller, signed_in.csrf.as_str()));
        let entries = world.stores.audited();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].tenant, entries[0].outcome), (user.tenant, Outcome::Success));
        assert_eq!(
            (entries[0].action.as_str(), entries[0].correlation),
            ("session.create", CorrelationId(7))
        );
        let stored = world.stores.session_hashes();
        assert!(stored.iter().all(|hash| !signed_in.cookie.as_bytes().windows(32).any(|part| part == hash)));
    }

    #[tokio::test]
    async fn a_wrong_password_and_an_unknown_user_look_alike() {
        let world = World::new();
        let user = world.user("nurse@ward.example", PASSWORD).await;
        for (email, password) in [
            ("nurse@ward.example", "wrong"),
            ("nurse@ward.example", ""),
            ("nobody@ward.example", PASSWORD),
            ("", PASSWORD),
            ("hunter2", "nurse@ward.example"),
        ] {
            let error = sign_in(&world, email, password).await.err().unwrap();
            assert!(matches!(error, IdentityError::WrongPassword), "{email}: {error}");
        }
        let entries = world.stores.audited();
        let subjects: Vec<_> = entries.iter().map(|entry| (entry.tenant, entry.subject.clone())).collect();
        let expected =
            [(user.tenant, format!("user:{}", user.id)), (TenantId::PLATFORM, "user:unknown".to_owned())];
        assert_eq!(subjects, expected, "one entry each, the repeated ones are counted");
        assert!(entries.iter().all(|entry| entry.outcome == Outcome::Denied && entry.actor == "anonymous"));
        assert!(!format!("{entries:?}").contains("hunter2"), "what was typed is not kept");
    }

    #[tokio::test]
    async fn guessing_is_held_back_even_with_the_right_password() {
        let world = World::new();
        world.user("nurse@ward.example", PASSWORD).await;
        for _ in 0..5 {
            assert!(matches!(
                sign_in(&world, "nurse@ward.example", "wrong").await,
                Err(IdentityError::WrongPassword)
            ));
        }
        let held_back = sign_in(&world, "nurse@ward.example", PASSWORD).await.err().unwrap();
        assert!(
            matches!(held_back, IdentityError::HeldBack { retry_after } if retry_after == Duration::from_secs(1))
        );
        world.clock.advance(Duration::from_secs(1));
        assert!(sign_in(&world, "nurse@ward.example", PASSWORD).await.is_ok());
        assert!(
            sign_in(&world, "nurse@ward.example", PASSWORD).await.is_ok(),
            "success forgets the failures"
        );
    }

    #[tokio::test]
    async fn an_address_that_guesses_many_accounts_is_held_back_and_others_are_not() {
        let world = World::new();
        world.user("nurse@ward.example", PASSWORD).await;
        for n in 0..100 {
            assert!(matches!(
                sign_in(&world, &format!("guess{n}@ward.example"), "wrong").await,
                Err(IdentityError::WrongPassword)
            ));
        }
        let held_back = sign_in(&world, "nurse@ward.example", PASSWORD).await.err().unwrap();
        assert!(
            matches!(held_back, IdentityError::HeldBack { retry_after } if retry_after == Duration::from_mins(15))
        );
        let elsewhere =
            world.identity.sign_in("nurse@ward.example", PASSWORD, None, &visitor("192.0.2.2", 7)).await;
        assert!(elsewhere.is_ok());
        world.clock.advance(Duration::from_mins(15));
        assert!(sign_in(&world, "nurse@ward.example", PASSWORD).await.is_ok());
    }

    #[tokio::test]
    async fn a_session_ends_by_signing_out_and_by_time() {
        let world = World::new();
        world.user("nurse@ward.example", PASSWORD).await;
        let first = sign_in(&world, "nurse@ward.example", PASSWORD).await.unwrap();
        let second = sign_in(&world, "nurse@ward.example", PASSWORD).await.unwrap();
        world.identity.session(&first.cookie).await.unwrap();
        world.identity.sign_out(&first.cookie, &visitor("192.0.2.9", 7)).await.unwrap();
        world.identity.sign_out(&first.cookie, &visitor("192.0.2.9", 7)).await.unwrap();
        let entries = world.stores.audited();
        let ended: Vec<_> = entries.iter().filter(|entry| entry.action == "session.end").collect();
        assert_eq!(ended.len(), 1, "once");
        assert_eq!(
            (&*ended[0].actor_name, &*ended[0].origin.address, &*ended[0].origin.agent),
            ("N. N.", "192.0.2.9", "Firefox/140")
        );
        assert!(matches!(world.identity.session(&first.cookie).await, Err(IdentityError::NotValid)));

        let hours = u64::try_from(SESSION_HOURS).unwrap();
        for _ in 1..2 * hours {
            world.clock.advance(Duration::from_secs(1_800));
            assert!(world.identity.session(&second.cookie).await.is_ok(), "it is in use");
        }
        world.clock.advance(Duration::from_secs(1_799));
        assert!(world.identity.session(&second.cookie).await.is_ok());
        world.clock.advance(Duration::from_secs(1));
        assert!(matches!(world.identity.session(&second.cookie).await, Err(IdentityError::NotValid)));

        let third = sign_in(&world, "nurse@ward.example", PASSWORD).await.unwrap();
        world.clock.advance(Duration::from_secs(3_600));
        assert!(world.identity.session(&third.cookie).await.is_ok(), "unused for an hour");
        world.clock.advance(Duration::from_secs(3_601));
        assert!(matches!(world.identity.session(&third.cookie).await, Err(IdentityError::NotValid)));
    }

    #[tokio::test]
    async fn nobody_gets_in_while_it_cannot_be_written_down() {
        let world = World::new();
        world.user("nurse@ward.example", PASSWORD).await;
        world.stores.break_audit();
        let refused = sign_in(&world, "nurse@ward.example", PASSWORD).await;
        assert!(matches!(refused, Err(IdentityError::Store(_))));
        assert!(world.stores.session_hashes().is_empty());
    }
}
