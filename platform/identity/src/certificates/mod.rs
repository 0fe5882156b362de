//! Devices that show a certificate: it names the device, and an authority that its hospital has enrolled has signed it.
//!
//! TLS has made sure that the device has the certificate's key. Who signed it is judged here, where the hospital is known,
//! and again while the device is connected: an authority may be removed, or take a certificate back.

mod authority;
mod chain;
mod reading;

use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tenants::{
    AuthorityId, DeviceId, Tenant, TenantId, audit::Channel, device_authority::EnrolledAuthorities,
    enrolment::of_id_scope,
};

use self::{authority::Standing, chain::Chain};
use crate::{
    Identity, IdentityError,
    audit::{Origin, Visitor},
};

pub(crate) use authority::Authority;
pub use authority::CertificateFault;
pub use reading::CertificateReader;

/// What a device shows, and says of itself besides.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Its certificate, then those of the authorities between it and the enrolled one, in DER.
    pub chain: &'a [CertificateDer<'a>],
    /// Where it says that it belongs.
    pub to: Belongs<'a>,
    /// Who it says that it is; the certificate has the last word.
    pub device: Option<&'a str>,
}

/// Where a device says that it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs<'a> {
    /// To the hospital of this name.
    Hospital(&'a str),
    /// To the hospital that this host is named after, or to one that has enrolled the certificate's authority.
    Host(&'a str),
    /// To the hospital of this id scope, and need not be registered there yet.
    IdScope(&'a str),
    /// To one that has enrolled the certificate's authority.
    Unsaid,
}

/// A device that has shown a certificate that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Its hospital.
    pub tenant: TenantId,
    /// Its name.
    pub device: DeviceId,
    /// Until when the certificate counts.
    pub until: Timestamp,
    /// Which authority stands for it.
    pub authority: AuthorityId,
    /// What that has signed of it, by serial number.
    serials: Arc<[Box<[u8]>]>,
}

impl Identity {
    /// Lets devices in that show certificates, too.
    #[must_use]
    pub fn with_authorities(self, authorities: Arc<dyn EnrolledAuthorities>) -> Self {
        Self { authorities: Some(authorities), ..self }
    }

    /// Which device shows this certificate.
    ///
    /// # Errors
    /// [`IdentityError::Certificate`] when it does not count; [`IdentityError::NotValid`] when it names no device, or none of
    /// that hospital; as [`Identity::device`].
    pub async fn device_with_certificate(
        &self,
        shown: Shown<'_>,
        visitor: &Visitor,
    ) -> Result<Certified, IdentityError> {
        let origin = Origin { channel: Channel::Mqtt, visitor };
        self.within_limits(visitor, self.certified(shown, origin)).await
    }

    /// Whether a certificate still counts that did when its device was let in. Its end is not looked at: whoever lets the
    /// device in knows that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn still_certified(&self, of: &Certified) -> Result<bool, IdentityError> {
        let authorities = self.authorities_of(of.tenant).await?;
        let authority = authorities.iter().find(|authority| authority.id == of.authority);
        Ok(authority.is_some_and(|authority| authority.stands_by(&of.serials)))
    }

    async fn certified(&self, shown: Shown<'_>, origin: Origin<'_>) -> Result<Certified, IdentityError> {
        let Some(chain) = Chain::read(shown.chain) else {
            return self
                .refused(TenantId::PLATFORM, None, "a certificate that names no device", origin)
                .await;
        };
        let tenant = match shown.to {
            Belongs::Hospital(slug) => self.tenant_named(slug).await?,
            Belongs::IdScope(scope) => match of_id_scope(scope) {
                Some(id) => self.tenant_by_id(id).await?,
                None => None,
            },
            Belongs::Host(host) => match self.of_host(host).await? {
                Some(tenant) => Some(tenant),
                None => self.of_authority(&chain).await?,
            },
            Belongs::Unsaid => self.of_authority(&chain).await?,
        };
        let Some(tenant) = tenant else {
            let reason = "a certificate, and no hospital that it leads to";
            return self.refused(TenantId::PLATFORM, None, reason, origin).await;
        };
        self.served(&tenant, origin).await?;
        let judged = match shown.device {
            Some(claimed) if claimed != chain.device.as_str() => {
                return self.at_fault(&tenant, claimed, CertificateFault::OtherDevice, origin).await;
            }
            _ => self.judge(tenant.id, &chain).await?,
        };
        let (authority, Standing { until, serials }) = match judged {
            Ok(judged) => judged,
            Err(fault) => return self.at_fault(&tenant, chain.device.as_str(), fault, origin).await,
        };
        match self.login(tenant.id, &chain.device).await? {
            Some(login) => {
                self.unless_blocked(tenant.id, login, origin).await?;
            }
            None if matches!(shown.to, Belongs::IdScope(_)) => {}
            None => return self.refused(tenant.id, None, "no device of this name", origin).await,
        }
        let (tenant, device) = (tenant.id, chain.device);
        Ok(Certified { tenant, device, until, authority, serials: serials.into() })
    }

    /// Tells the hospital's audit trail and whoever asked, as far as the device is known there.
    async fn at_fault<T>(
        &self,
        tenant: &Tenant,
        device: &str,
        fault: CertificateFault,
        origin: Origin<'_>,
    ) -> Result<T, IdentityError> {
        let known = match DeviceId::parse(device) {
            Ok(device) => self.login(tenant.id, &device).await?.map(|login| login.device),
            Err(_) => None,
        };
        let refused = self.refused(tenant.id, known.as_ref(), &fault.to_string(), origin).await;
        match known {
            Some(device) => {
                refused.map_err(|_| IdentityError::Certificate { tenant: tenant.id, device, fault })
            }
            None => refused,
        }
    }

    /// What the hospital's authorities say of a chain. Where none says that it counts, what the one says that signed it.
    async fn judge(
        &self,
        tenant: TenantId,
        chain: &Chain<'_>,
    ) -> Result<Result<(AuthorityId, Standing), CertificateFault>, IdentityError> {
        let now = self.clock.now();
        let mut fault = CertificateFault::NotOurs;
        for authority in self.authorities_of(tenant).await?.iter() {
            match authority.judge(chain, now) {
                Ok(standing) => return Ok(Ok((authority.id, standing))),
                Err(CertificateFault::NotOurs) => {}
                Err(other) => fault = other,
            }
        }
        Ok(Err(fault))
    }

    /// The one hospital whose authority has signed a chain; where several have enrolled it, a device has to say which is its.
    async fn of_authority(&self, chain: &Chain<'_>) -> Result<Option<Tenant>, IdentityError> {
        let mut found = None;
        for tenant in self.all_tenants().await?.iter() {
            let signed = match self.judge(tenant.id, chain).await? {
                // Whoever has not proven it has no say: anybody can upload somebody else's certificate.
                Err(CertificateFault::NotOurs | CertificateFault::NotProven) => false,
                Ok(_) | Err(_) => true,
            };
            if signed && found.replace(tenant.clone()).is_some() {
                return Ok(None);
            }
        }
        Ok(found)
    }

    async fn authorities_of(&self, tenant: TenantId) -> Result<Arc<[Authority]>, IdentityError> {
        let Some(store) = &self.authorities else { return Ok(Arc::default()) };
        let generation = self.revocations.generation(tenant);
        if let Some((as_of, known)) = self.cache.authorities.get(&tenant)
            && as_of == generation
        {
            return Ok(known);
        }
        let kept = store.authorities_of(tenant).await?;
        let found: Arc<[Authority]> = kept.iter().filter_map(Authority::of).collect();
        self.cache.authorities.insert(tenant, (generation, Arc::clone(&found)));
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
