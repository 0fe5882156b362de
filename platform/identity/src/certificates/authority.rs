//! An enrolled authority, ready to judge what devices show.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use rustls::{
    CertificateError, Error, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, UnixTime},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tenants::{AuthorityId, device_authority::DeviceAuthority};

use super::chain::{Chain, parse, time};

const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

/// Why a certificate does not let its device in, in words for whoever looks after the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// No authority of the hospital has signed it.
    NotOurs,
    /// It is another device's.
    OtherDevice,
    /// It, or one between it and the authority, has expired so many whole days ago.
    Expired {
        /// Whole days.
        days: i64,
    },
    /// It does not count before then.
    NotYet {
        /// When it will.
        from: Timestamp,
    },
    /// Its authority has taken it back.
    Revoked {
        /// When.
        at: Timestamp,
    },
    /// It is made for something else.
    Purpose,
    /// Nobody has proven to have the authority's key.
    NotProven,
    /// The authority's own certificate does not count, or not yet.
    AuthorityOver,
}

impl CertificateFault {
    /// It counted until then.
    pub(super) fn expired(until: Timestamp, now: Timestamp) -> Self {
        Self::Expired { days: (now.as_second() - until.as_second()) / SECONDS_OF_A_DAY }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => f.write_str(
                "its certificate is neither known as its own nor of an authority that the hospital has enrolled",
            ),
            Self::OtherDevice => f.write_str("its certificate is another device's"),
            Self::Expired { days: 0 } => f.write_str("its certificate expired less than a day ago"),
            Self::Expired { days: 1 } => f.write_str("its certificate expired a day ago"),
            Self::Expired { days } => write!(f, "its certificate expired {days} days ago"),
            Self::NotYet { from } => write!(f, "its certificate counts from {from:.0} on only"),
            Self::Revoked { at } => write!(f, "its certificate was revoked at {at:.0}"),
            Self::Purpose => f.write_str("its certificate is not made for TLS clients (extended key usage)"),
            Self::NotProven => {
                f.write_str("the authority of its certificate is enrolled, but not proven yet")
            }
            Self::AuthorityOver => f.write_str(
                "the certificate of its certificate's authority has expired, or does not count yet",
            ),
        }
    }
}

/// What makes a device's certificate count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) until: Timestamp,
    /// Serial numbers of what the authority itself has signed of the chain.
    pub(super) serials: Vec<Box<[u8]>>,
}

/// One authority.
pub(crate) struct Authority {
    pub(super) id: AuthorityId,
    subject: Vec<u8>,
    is_proven: bool,
    counts: (Timestamp, Timestamp),
    verifier: Arc<dyn ClientCertVerifier>,
    revoked: HashMap<Box<[u8]>, Timestamp>,
}

impl Authority {
    /// `None` where what is kept cannot be used. It was looked at when it was added.
    pub(super) fn of(kept: &DeviceAuthority) -> Option<Self> {
        let certificate = parse(&kept.certificate)?;
        let revoked = match &kept.revocations {
            Some(list) => {
                let (_, list) = x509_parser::parse_x509_crl(&list.der).ok()?;
                let entry = |of: &x509_parser::revocation_list::RevokedCertificate<'_>| {
                    (of.raw_serial().into(), time(of.revocation_date))
                };
                list.iter_revoked_certificates().map(entry).collect()
            }
            None => HashMap::new(),
        };
        Some(Self {
            id: kept.id,
            subject: certificate.subject().as_raw().to_vec(),
            is_proven: kept.proven_at.is_some(),
            counts: (kept.not_before, kept.not_after),
            verifier: verifier(&kept.certificate)?,
            revoked,
        })
    }

    /// Whether a chain counts now.
    pub(super) fn judge(&self, chain: &Chain<'_>, now: Timestamp) -> Result<Standing, CertificateFault> {
        let serials: Vec<Box<[u8]>> = chain.serials_of(&self.subject).map(Into::into).collect();
        if serials.is_empty() {
            return Err(CertificateFault::NotOurs);
        }
        let (from, until) = chain.counts();
        match self.verified(chain, now) {
            Ok(()) => {}
            // Said only of what would count otherwise: anybody can write a name into a certificate.
            Err(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
                self.verified(chain, until).map_err(|_| CertificateFault::NotOurs)?;
                return Err(CertificateFault::expired(until, now));
            }
            Err(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
                self.verified(chain, from).map_err(|_| CertificateFault::NotOurs)?;
                return Err(CertificateFault::NotYet { from });
            }
            Err(CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. }) => {
                return Err(CertificateFault::Purpose);
            }
            Err(_) => return Err(CertificateFault::NotOurs),
        }
        if let Some(at) = serials.iter().find_map(|serial| self.revoked.get(serial)) {
            return Err(CertificateFault::Revoked { at: *at });
        }
        let (begins, ends) = self.counts;
        if !self.is_proven {
            return Err(CertificateFault::NotProven);
        }
        if now < begins || ends < now {
            return Err(CertificateFault::AuthorityOver);
        }
        Ok(Standing { until: chain.ends_after(now).min(ends), serials })
    }

    /// Whether what it has signed with these serial numbers still counts.
    pub(super) fn stands_by(&self, serials: &[Box<[u8]>]) -> bool {
        self.is_proven && !serials.iter().any(|serial| self.revoked.contains_key(serial))
    }

    fn verified(&self, chain: &Chain<'_>, at: Timestamp) -> Result<(), CertificateError> {
        let [own, between @ ..] = chain.shown else { return Err(CertificateError::BadEncoding) };
        let at = Duration::from_secs(at.as_second().try_into().unwrap_or_default());
        match self.verifier.verify_client_cert(own, between, UnixTime::since_unix_epoch(at)) {
            Ok(_) => Ok(()),
            Err(Error::InvalidCertificate(fault)) => Err(fault),
            Err(_) => Err(CertificateError::BadEncoding),
        }
    }
}

/// What verifies chains that end at this certificate; `None` where its key is of a kind that is not known.
pub(super) fn verifier(certificate: &[u8]) -> Option<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate)).ok()?;
    let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), default_provider().into());
    builder.build().ok()
}
