//! Accounts that are made through an invitation's link, which works once.

use tenants::{
    UserId,
    account::{Invitation, Login, User},
    audit::{AuditEntry, Channel},
    credentials::BearerToken,
};

use crate::{
    Identity, IdentityError, SignedIn,
    audit::{Origin, Visitor},
    setup::checked_name,
};

/// What an invitation's link opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The sign-in name of the account to be.
    pub email: String,
    /// The hospital's name.
    pub hospital: String,
}

impl Identity {
    /// Whom a link invites, and where to.
    ///
    /// # Errors
    /// [`IdentityError::InvitationOver`] when the link is none, used up or too old.
    pub async fn invited(&self, link: &str) -> Result<Invited, IdentityError> {
        let invitation = self.invitation(link).await?;
        let tenant = self.tenants.by_id(invitation.tenant).await?;
        let hospital = tenant.ok_or(IdentityError::InvitationOver)?.name;
        Ok(Invited { email: invitation.email, hospital })
    }

    /// Makes the account and signs its owner in. The link works once; after an error it works still.
    ///
    /// # Errors
    /// [`IdentityError::InvitationOver`] when the link is none; [`IdentityError::BadInput`] naming the field.
    pub async fn accept_invitation(
        &self,
        link: &str,
        display_name: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<SignedIn, IdentityError> {
        let invitation = self.invitation(link).await?;
        let display_name = checked_name(display_name)?;
        let Invited { email, hospital } = self.invited(link).await?;
        self.check_password(password, &[&email, &display_name, &hospital]).await?;
        let password_hash = self.passwords.hash(password).await?;
        let (id, tenant) = (UserId::new(&*self.clock), invitation.tenant);
        let user = User { id, tenant, email: invitation.email.clone(), display_name };
        let (actor, origin) = (format!("user:{id}"), Origin { channel: Channel::Ui, visitor });
        let entry = AuditEntry {
            actor_name: user.display_name.clone(),
            detail: format!("invited as {}", invitation.grant.role),
            origin: origin.noted(),
            correlation: visitor.correlation,
            ..AuditEntry::new(tenant, self.clock.now(), actor.as_str(), "user.create", actor.as_str())
        };
        let login = Login { user, password_hash };
        self.accounts.accept(&invitation, &login, &entry).await.map_err(|error| match error {
            tenants::StoreError::NotFound { .. } => IdentityError::InvitationOver,
            other => other.into(),
        })?;
        self.proven(&login.user, origin).await
    }

    async fn invitation(&self, link: &str) -> Result<Invitation, IdentityError> {
        let secret = BearerToken::parse(link).map_err(|_| IdentityError::InvitationOver)?;
        let hash = secret.hash();
        let found = self.accounts.invitation(secret.tenant, &hash).await?;
        let found = found.filter(|found| found.hash == hash && self.clock.now() < found.expires_at);
        found.ok_or(IdentityError::InvitationOver)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenants::{
        ErrorKind, TenantId,
        access::{Role, RoleGrant},
        clock::Clock,
        stores::Accounts,
    };

    use super::*;
    use crate::memory::{World, visitor};

    const PASSWORD: &str = "a password of some length";

    async fn invite(world: &World, tenant: TenantId) -> String {
        let grant = RoleGrant::everywhere(tenant, Role::Admin);
        let (invitation, secret) =
            Invitation::new(tenant, "ada@ward.example".into(), grant, world.clock.now()).unwrap();
        let entry = AuditEntry::new(tenant, world.clock.now(), "system", "user.invite", "role:admin");
        world.stores.invite(&invitation, &entry).await.unwrap();
        secret.reveal().to_owned()
    }

    async fn accept(world: &World, link: &str, fields: [&str; 2]) -> Result<SignedIn, IdentityError> {
        world.identity.accept_invitation(link, fields[0], fields[1], &visitor("192.0.2.1", 2)).await
    }

    #[tokio::test]
    async fn a_link_makes_one_account_once() {
        let world = World::new();
        let link = invite(&world, world.tenant.id).await;
        let invited = world.identity.invited(&link).await.unwrap();
        assert_eq!((invited.email.as_str(), invited.hospital.as_str()), ("ada@ward.example", "st-elsewhere"));
        for (fields, field) in [(["", PASSWORD], "displayName"), (["Ada", "elevenchars"], "password")] {
            let error = accept(&world, &link, fields).await.err().unwrap();
            assert!(matches!(error, IdentityError::BadInput { field: named, .. } if named == field));
        }
        let signed_in = accept(&world, &link, [" Ada ", PASSWORD]).await.unwrap();
        assert_eq!(signed_in.caller.tenant, world.tenant.id);
        let audited: Vec<_> = world.stores.audited().into_iter().map(|entry| entry.action).collect();
        assert_eq!(audited, ["user.invite", "user.create", "session.create"]);
        let again = accept(&world, &link, ["Ada", PASSWORD]).await.err().unwrap();
        assert_eq!(again.kind(), ErrorKind::NotFound);
        assert!(
            world
                .identity
                .sign_in("ada@ward.example", PASSWORD, None, &visitor("192.0.2.1", 3))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_link_that_is_none_or_too_old_opens_nothing() {
        let world = World::new();
        let link = invite(&world, world.tenant.id).await;
        let elsewhere = BearerToken::generate(world.tenant.id).unwrap();
        for none in ["", "x", elsewhere.reveal(), &link[..link.len() - 1]] {
            assert!(
                matches!(world.identity.invited(none).await, Err(IdentityError::InvitationOver)),
                "{none}"
            );
            assert!(accept(&world, none, ["Ada", PASSWORD]).await.is_err());
        }
        world.clock.advance(Duration::from_secs(7 * 86_400 - 1));
        assert!(world.identity.invited(&link).await.is_ok());
        world.clock.advance(Duration::from_secs(1));
        assert!(matches!(world.identity.invited(&link).await, Err(IdentityError::InvitationOver)));
        assert!(matches!(accept(&world, &link, ["Ada", PASSWORD]).await, Err(IdentityError::InvitationOver)));
    }
}
