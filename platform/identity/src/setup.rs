//! The first account of an installation, made through a link that works once.

use tenants::{
    TenantId, UserId,
    access::{Role, RoleGrant},
    account::{Login, User, email_address},
    audit::Channel,
    credentials::{SecretHash, generate},
};
use tokio::sync::Mutex;

use crate::{
    Identity, IdentityError, SignedIn,
    audit::{Origin, Visitor},
};

const MAX_NAME_CHARACTERS: usize = 100;

/// The token of the link that was given out; in memory only, so that a restart makes it worthless.
#[derive(Default)]
pub(crate) struct Setup(Mutex<Option<SecretHash>>);

impl Identity {
    /// The token for a set-up link, while nobody can sign in yet; an earlier one becomes worthless.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_setup(&self) -> Result<Option<String>, IdentityError> {
        if !self.accounts.is_empty().await? {
            return Ok(None);
        }
        let token = generate()?;
        *self.setup.0.lock().await = Some(SecretHash::of(token.as_bytes()));
        Ok(Some(token))
    }

    /// Whether a set-up link still works.
    pub async fn setup_is_open(&self, token: &str) -> bool {
        *self.setup.0.lock().await == Some(SecretHash::of(token.as_bytes()))
    }

    /// Makes the operator of a new installation and signs them in. The link works once; after an error it
    /// works still.
    ///
    /// # Errors
    /// [`IdentityError::SetupClosed`] when the link is none; [`IdentityError::BadInput`] naming the field.
    pub async fn set_up(
        &self,
        token: &str,
        email: &str,
        display_name: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<SignedIn, IdentityError> {
        let mut open = self.setup.0.lock().await;
        if *open != Some(SecretHash::of(token.as_bytes())) || !self.accounts.is_empty().await? {
            return Err(IdentityError::SetupClosed);
        }
        let email = checked_email(email)?;
        let display_name = checked_name(display_name)?;
        self.check_password(password, &[&email, &display_name]).await?;
        let password_hash = self.passwords.hash(password).await?;
        let id = UserId::new(&*self.clock);
        let user = User { id, tenant: TenantId::PLATFORM, email, display_name };
        let operator = RoleGrant::everywhere(user.tenant, Role::Operator);
        self.accounts.create_user(&Login { user: user.clone(), password_hash }, &[operator]).await?;
        *open = None;
        let origin = Origin { channel: Channel::Ui, visitor };
        self.audit.success(user.tenant, format!("user:{id}"), "user.create", origin).await?;
        self.proven(&user, origin).await
    }
}

fn checked_email(email: &str) -> Result<String, IdentityError> {
    email_address(email).ok_or_else(|| IdentityError::bad_input("email", "must be an e-mail address"))
}

pub(crate) fn checked_name(name: &str) -> Result<String, IdentityError> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=MAX_NAME_CHARACTERS).contains(&length) && !name.contains(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(IdentityError::bad_input("displayName", format!("must have 1 to {MAX_NAME_CHARACTERS} characters")))
}

#[cfg(test)]
mod tests {
    use tenants::ErrorKind;

    use super::*;
    use crate::{
        memory::{World, visitor},
        passwords::MAX_PASSWORD_BYTES,
    };

    const EMAIL: &str = "Boss@Platform.example";
    const PASSWORD: &str = "a password of some length";

    async fn set_up(world: &World, token: &str, fields: [&str; 3]) -> Result<SignedIn, IdentityError> {
        let [email, name, password] = fields;
        world.identity.set_up(token, email, name, password, &visitor("127.0.0.1", 1)).await
    }

    #[tokio::test]
    async fn the_link_makes_one_operator_once() {
        let world = World::new();
        let first = world.identity.open_setup().await.unwrap().unwrap();
        let token = world.identity.open_setup().await.unwrap().unwrap();
        assert!(!world.identity.setup_is_open(&first).await && world.identity.setup_is_open(&token).await);
        for wrong in ["", &first, "x"] {
            let error = set_up(&world, wrong, [EMAIL, "Boss", PASSWORD]).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        let signed_in = set_up(&world, &token, [EMAIL, " Boss ", PASSWORD]).await.unwrap();
        assert_eq!(signed_in.caller.tenant, TenantId::PLATFORM);
        assert!(world.identity.session(&signed_in.cookie).await.is_ok());
        let audited: Vec<_> = world.stores.audited().into_iter().map(|entry| entry.action).collect();
        assert_eq!(audited, ["user.create", "session.create"]);
        assert!(!world.identity.setup_is_open(&token).await);
        assert!(set_up(&world, &token, ["b@b", "B", PASSWORD]).await.is_err());
        assert!(world.identity.open_setup().await.unwrap().is_none(), "there is an account now");
        let again = world.identity.sign_in(EMAIL, PASSWORD, None, &visitor("127.0.0.1", 2)).await;
        assert!(again.is_ok());
    }

    #[tokio::test]
    async fn fields_that_are_refused_leave_the_link_open() {
        let world = World::new();
        let token = world.identity.open_setup().await.unwrap().unwrap();
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        for (fields, field) in [
            (["no address", "Boss", PASSWORD], "email"),
            (["@example", "Boss", PASSWORD], "email"),
            (["boss@", "Boss", PASSWORD], "email"),
            (["a@b@c", "Boss", PASSWORD], "email"),
            (["boss@ex ample", "Boss", PASSWORD], "email"),
            ([EMAIL, " ", PASSWORD], "displayName"),
            ([EMAIL, "Bo\nss", PASSWORD], "displayName"),
            ([EMAIL, "Boss", "elevenchars"], "password"),
            ([EMAIL, "Boss", &long], "password"),
        ] {
            match set_up(&world, &token, fields).await {
                Err(IdentityError::BadInput { field: named, .. }) => assert_eq!(named, field, "{fields:?}"),
                other => panic!("{fields:?}: {:?}", other.err()),
            }
        }
        assert!(set_up(&world, &token, [EMAIL, "Boss", PASSWORD]).await.is_ok());
    }
}
