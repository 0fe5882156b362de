//! Devices that show a certificate: it names the device, and an authority that its hospital has enrolled has signed it, or it is
//! known as the device's own.
//!
//! TLS has made sure that the device has the certificate's key. Who signed it is judged here, where the hospital is known,
//! and again while the device is connected: an authority may be removed, or take a
//! certificate back, and a device may have another one.

mod authority;
mod chain;
mod reading;

use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tenants::{
    AuthorityId, DeviceId, Tenant, TenantId,
    audit::{Channel, Outcome},
    device_authority::EnrolledAuthorities,
    device_certificate::{DeviceCertificate, Fingerprint},
    enrolment::of_id_scope,
    stores::DeviceLogin,
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
    /// To the hospital that this host is named after, or to the one to which the certificate leads.
    Host(&'a str),
    /// To the hospital of this id scope, and need not be registered there yet.
    IdScope(&'a str),
    /// To the one to which the certificate leads.
    Unsaid,
}

/// How a device came to a hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It has named it.
    Named,
    /// Its certificate leads there: the one that shows it has the key, so not by what anybody else has uploaded.
    Found,
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
    by: Warrant,
}

/// What makes a certificate count.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Warrant {
    /// An authority, and by serial number what it has signed of the chain.
    Authority(AuthorityId, Arc<[Box<[u8]>]>),
    /// It is the device's own.
    Own(Fingerprint),
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
        match &of.by {
            Warrant::Authority(id, serials) => {
                let authorities = self.authorities_of(of.tenant).await?;
                let authority = authorities.iter().find(|authority| authority.id == *id);
                Ok(authority.is_some_and(|authority| authority.stands_by(serials)))
            }
            Warrant::Own(fingerprint) => {
                let login = self.login(of.tenant, &of.device).await?;
                Ok(login.is_some_and(|login| own(&login, *fingerprint).is_some()))
            }
        }
    }

    async fn certified(&self, shown: Shown<'_>, origin: Origin<'_>) -> Result<Certified, IdentityError> {
        let Some(chain) = Chain::read(shown.chain) else {
            return self
                .refused(TenantId::PLATFORM, None, "a certificate that names no device", origin)
                .await;
        };
        let Some((tenant, way)) = self.hospital(shown.to, &chain).await? else {
            let reason = "a certificate, and no hospital that it leads to";
            return self.refused(TenantId::PLATFORM, None, reason, origin).await;
        };
        self.served(&tenant, origin).await?;
        let judged = match shown.device {
            Some(claimed) if claimed != chain.device.as_str() => {
                return self.at_fault(&tenant, claimed, CertificateFault::OtherDevice, origin).await;
            }
            _ => self.judge(tenant.id, way, &chain).await?,
        };
        let (until, by) = match judged {
            Ok(judged) => judged,
            Err(fault) => return self.at_fault(&tenant, chain.device.as_str(), fault, origin).await,
        };
        match self.login(tenant.id, &chain.device).await? {
            Some(login) => {
                let unproven = own(&login, chain.fingerprint).is_some_and(|own| own.proven_at.is_none());
                self.unless_blocked(tenant.id, login, origin).await?;
                if let (Warrant::Own(fingerprint), true) = (&by, unproven) {
                    self.prove(tenant.id, &chain.device, *fingerprint, origin).await?;
                }
            }
            None if matches!(shown.to, Belongs::IdScope(_)) => {}
            None => return self.refused(tenant.id, None, "no device of this name", origin).await,
        }
        let (tenant, device) = (tenant.id, chain.device);
        Ok(Certified { tenant, device, until, by })
    }

    /// The hospital to which a device belongs.
    async fn hospital(
        &self,
        to: Belongs<'_>,
        chain: &Chain<'_>,
    ) -> Result<Option<(Tenant, Way)>, IdentityError> {
        let (named, may_be_found) = match to {
            Belongs::Hospital(slug) => (self.tenant_named(slug).await?, false),
            Belongs::IdScope(scope) => match of_id_scope(scope) {
                Some(id) => (self.tenant_by_id(id).await?, false),
                None => (None, false),
            },
            Belongs::Host(host) => (self.of_host(host).await?, true),
            Belongs::Unsaid => (None, true),
        };
        match named {
            Some(tenant) => Ok(Some((tenant, Way::Named))),
            None if may_be_found => Ok(self.of_certificate(chain).await?.map(|tenant| (tenant, Way::Found))),
            None => Ok(None),
        }
    }

    /// From now on the certificate leads its device to this hospital, which the device has named.
    async fn prove(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        fingerprint: Fingerprint,
        origin: Origin<'_>,
    ) -> Result<(), IdentityError> {
        let (subject, detail) = (format!("device:{device}"), fingerprint.to_string());
        let of = (tenant, subject.clone());
        let action = "device.prove_certificate";
        let entry = self.audit.entry(of, subject, action, Outcome::Success, detail, origin);
        self.logins.prove(tenant, device, fingerprint, &entry).await?;
        self.cache.devices.invalidate(&(tenant, device.clone()));
        Ok(())
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

    /// Whether a certificate is its device's own and counts, else what the hospital's authorities say of its chain. Where none
    /// says that it counts, what the one says that signed it.
    async fn judge(
        &self,
        tenant: TenantId,
        way: Way,
        chain: &Chain<'_>,
    ) -> Result<Result<(Timestamp, Warrant), CertificateFault>, IdentityError> {
        let now = self.clock.now();
        let login = self.login(tenant, &chain.device).await?;
        let own = login.as_ref().and_then(|login| own(login, chain.fingerprint));
        if own.is_some_and(|own| way == Way::Named || own.proven_at.is_some()) {
            return Ok(chain.own(now).map(|until| (until, Warrant::Own(chain.fingerprint))));
        }
        let mut fault = CertificateFault::NotOurs;
        for authority in self.authorities_of(tenant).await?.iter() {
            match authority.judge(chain, now) {
                Ok(Standing { until, serials }) => {
                    return Ok(Ok((until, Warrant::Authority(authority.id, serials.into()))));
                }
                Err(CertificateFault::NotOurs) => {}
                Err(other) => fault = other,
            }
        }
        Ok(Err(fault))
    }

    /// The one hospital that knows it from the device as its own, or whose authority has signed its chain; where there are several, a
    /// device has to say which is its.
    async fn of_certificate(&self, chain: &Chain<'_>) -> Result<Option<Tenant>, IdentityError> {
        let mut found = None;
        for tenant in self.all_tenants().await?.iter() {
            let signed = match self.judge(tenant.id, Way::Found, chain).await? {
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

/// A certificate that is among a device's own.
fn own(login: &DeviceLogin, fingerprint: Fingerprint) -> Option<&DeviceCertificate> {
    login.certificates.iter().find(|own| own.fingerprint == fingerprint)
}

#[cfg(test)]
mod tests;
