//! Data keys under the installation's master key.
//!
//! A tenant's wrapping key is derived from the master key and, where there is a folder for them, from the tenant's
//! *share*, 32 random bytes in a file of its own. Copies of the database and the master key are worth nothing without the
//! share, so removing it shreds the tenant, backups of the database included.

use std::path::PathBuf;

use async_trait::async_trait;
use tenants::{
    TenantId,
    keys::{KeyBytes, Kms, SealError, Shredded},
};
use zeroize::Zeroizing;

use super::shares::Shares;
use crate::cipher::{Cipher, derive};

/// First byte of what is wrapped without a share.
const ALONE: u8 = 1;
/// First byte of what is wrapped with one.
const WITH_SHARE: u8 = 2;
/// Bytes that tell master keys apart.
const ID_BYTES: usize = 4;

const WRAPS: &[u8] = b"iomt wraps data keys v1";
const TELLS_APART: &[u8] = b"iomt master key id v1";
/// What the master key sealed before tenants had keys.
const SEALED_COLUMNS: &[u8] = b"iomt sealed columns v1";

struct Master {
    id: [u8; ID_BYTES],
    key: KeyBytes,
}

impl Master {
    fn new(key: &KeyBytes) -> Result<Self, SealError> {
        let [a, b, c, d, ..] = *derive(key, None, TELLS_APART)?;
        Ok(Self { id: [a, b, c, d], key: key.clone() })
    }

    fn cipher(&self, tenant: TenantId, share: Option<&KeyBytes>) -> Result<Cipher, SealError> {
        let used_for = [WRAPS, tenant.as_uuid().as_bytes()].concat();
        derive(&self.key, share.map(|share| share.as_slice()), &used_for).map(|key| Cipher::new(&key))
    }
}

/// A master key, those before it, and the tenants' shares.
pub struct MasterKms {
    current: Master,
    /// They unwrap what was wrapped with them.
    previous: Vec<Master>,
    shares: Option<Shares>,
}

impl MasterKms {
    /// With the master key, those that it takes the place of, and the folder of the tenants' shares.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn new(
        current: &KeyBytes,
        previous: &[KeyBytes],
        folder: Option<PathBuf>,
    ) -> Result<Self, SealError> {
        let previous = previous.iter().map(Master::new).collect::<Result<_, _>>()?;
        Ok(Self { current: Master::new(current)?, previous, shares: folder.map(Shares::new) })
    }

    async fn wrap_with(&self, tenant: TenantId, key: &KeyBytes) -> Result<Vec<u8>, SealError> {
        let share = match &self.shares {
            None => None,
            Some(shares) => Some(shares.read_or_make(tenant).await?),
        };
        let kind = if share.is_some() { WITH_SHARE } else { ALONE };
        let header = [&[kind][..], &self.current.id].concat();
        self.current.cipher(tenant, share.as_ref())?.seal(&header, &[], key.as_slice())
    }
}

#[async_trait]
impl Kms for MasterKms {
    async fn wrap(&self, tenant: TenantId, key: &KeyBytes) -> Result<Vec<u8>, SealError> {
        self.wrap_with(tenant, key).await
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<KeyBytes, SealError> {
        let damaged = || SealError::Lost("a data key in the database is damaged".to_owned());
        let (header, rest) = wrapped.split_first_chunk::<{ ID_BYTES + 1 }>().ok_or_else(damaged)?;
        let [kind, id @ ..] = *header;
        let masters = || std::iter::once(&self.current).chain(&self.previous);
        let master = masters().find(|master| master.id == id).ok_or_else(|| {
            let what = "they were wrapped with another master key; set that one as IOMT_MASTER_KEY, or as \
                        IOMT_MASTER_KEY_PREVIOUS where this one takes its place";
            SealError::Lost(what.to_owned())
        })?;
        let share = match (kind, &self.shares) {
            (ALONE, _) => None,
            (WITH_SHARE, Some(shares)) => Some(shares.read(tenant).await?),
            (WITH_SHARE, None) => {
                let what = "a part of them is in the folder of shares; set IOMT_KEYS_FOLDER to where it is";
                return Err(SealError::Lost(what.to_owned()));
            }
            _ => return Err(damaged()),
        };
        let opened = master.cipher(tenant, share.as_ref())?.open(header, &[], rest).map_err(|_| damaged())?;
        Zeroizing::new(opened).as_slice().try_into().map(Zeroizing::new).map_err(|_| damaged())
    }

    async fn rewrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        let kind = if self.shares.is_some() { WITH_SHARE } else { ALONE };
        let newest = [&[kind][..], &self.current.id].concat();
        if wrapped.starts_with(&newest) {
            return Ok(None);
        }
        let key = self.unwrap(tenant, wrapped).await?;
        self.wrap_with(tenant, &key).await.map(Some)
    }

    async fn shred(&self, tenant: TenantId) -> Result<Shredded, SealError> {
        match &self.shares {
            None => Ok(Shredded::DatabaseOnly),
            Some(shares) => shares.remove(tenant).await.map(|()| Shredded::WithBackups),
        }
    }
}

/// The cipher of what a master key has sealed before tenants had keys.
pub(crate) fn first_cipher(master: &KeyBytes) -> Result<Cipher, SealError> {
    derive(master, None, SEALED_COLUMNS).map(|key| Cipher::new(&key))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(n))
    }

    fn key(n: u8) -> KeyBytes {
        Zeroizing::new([n; 32])
    }

    #[tokio::test]
    async fn a_key_is_unwrapped_for_its_tenant_by_its_master_alone() {
        let kms = MasterKms::new(&key(7), &[], None).unwrap();
        let wrapped = kms.wrap(tenant(1), &key(1)).await.unwrap();
        assert_eq!(kms.unwrap(tenant(1), &wrapped).await.unwrap(), key(1));
        assert!(!wrapped.windows(32).any(|part| part == [1; 32]));
        assert!(matches!(kms.unwrap(tenant(2), &wrapped).await, Err(SealError::Lost(_))));
        let other = MasterKms::new(&key(8), &[], None).unwrap();
        let refused = other.unwrap(tenant(1), &wrapped).await.unwrap_err();
        assert!(refused.to_string().contains("IOMT_MASTER_KEY_PREVIOUS"), "{refused}");
        for end in [0, 1, 4, 5, 30, wrapped.len() - 1] {
            assert!(matches!(kms.unwrap(tenant(1), &wrapped[..end]).await, Err(SealError::Lost(_))), "{end}");
        }
        assert_eq!(kms.shred(tenant(1)).await, Ok(Shredded::DatabaseOnly));
    }

    #[tokio::test]
    async fn another_master_key_takes_the_place_of_the_first_while_both_are_known() {
        let first = MasterKms::new(&key(7), &[], None).unwrap();
        let wrapped = first.wrap(tenant(1), &key(1)).await.unwrap();
        assert_eq!(first.rewrap(tenant(1), &wrapped).await, Ok(None));
        let both = MasterKms::new(&key(8), &[key(7)], None).unwrap();
        assert_eq!(both.unwrap(tenant(1), &wrapped).await.unwrap(), key(1));
        let anew = both.rewrap(tenant(1), &wrapped).await.unwrap().unwrap();
        assert_eq!(both.rewrap(tenant(1), &anew).await, Ok(None));
        let second = MasterKms::new(&key(8), &[], None).unwrap();
        assert_eq!(second.unwrap(tenant(1), &anew).await.unwrap(), key(1));
    }

    #[tokio::test]
    async fn without_its_share_nothing_of_a_tenant_can_be_unwrapped() {
        let folder = tempfile::tempdir().unwrap();
        let with_shares = || MasterKms::new(&key(7), &[], Some(folder.path().join("keys"))).unwrap();
        let alone = MasterKms::new(&key(7), &[], None).unwrap();
        let early = alone.wrap(tenant(1), &key(1)).await.unwrap();

        let kms = with_shares();
        assert_eq!(kms.unwrap(tenant(1), &early).await.unwrap(), key(1), "from before there was a folder");
        let wrapped = kms.rewrap(tenant(1), &early).await.unwrap().unwrap();
        let others = kms.wrap(tenant(2), &key(2)).await.unwrap();
        let refused = alone.unwrap(tenant(1), &wrapped).await.unwrap_err();
        assert!(refused.to_string().contains("IOMT_KEYS_FOLDER"), "{refused}");
        assert_eq!(with_shares().unwrap(tenant(1), &wrapped).await.unwrap(), key(1));

        assert_eq!(kms.shred(tenant(1)).await, Ok(Shredded::WithBackups));
        assert_eq!(kms.shred(tenant(1)).await, Ok(Shredded::WithBackups), "asked again");
        for kms in [kms, with_shares()] {
            assert!(matches!(kms.unwrap(tenant(1), &wrapped).await, Err(SealError::Lost(_))));
            assert_eq!(kms.unwrap(tenant(2), &others).await.unwrap(), key(2));
        }
    }
}
