//! The certificates that a device shows, its own first: what has to be known of them besides their signatures.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tenants::{DeviceId, device_certificate::Fingerprint};
use x509_parser::{prelude::X509Certificate, time::ASN1Time, x509::X509Name};

use super::authority::CertificateFault;

/// Certificates that are looked at: a device's, and those of the authorities between it and the enrolled one.
const MAX_LENGTH: usize = 8;

/// A chain, as shown. Nothing is said yet of who signed it.
pub(super) struct Chain<'a> {
    pub(super) shown: &'a [CertificateDer<'a>],
    /// Whose it is.
    pub(super) device: DeviceId,
    /// Of the device's certificate.
    pub(super) fingerprint: Fingerprint,
    links: Vec<Link>,
}

/// One certificate of it.
struct Link {
    issuer: Vec<u8>,
    serial: Box<[u8]>,
    from: Timestamp,
    until: Timestamp,
    /// As far as it says what it is for.
    is_for_clients: bool,
}

impl<'a> Chain<'a> {
    /// `None` where it cannot be read, or names no device: one common name, which is the device's.
    pub(super) fn read(shown: &'a [CertificateDer<'a>]) -> Option<Self> {
        if shown.len() > MAX_LENGTH {
            return None;
        }
        let own = shown.first()?;
        let device = DeviceId::parse(common_name(parse(own)?.subject())?).ok()?;
        let fingerprint = Fingerprint::of(own);
        let links = shown.iter().map(|der| parse(der).map(|certificate| Link::of(&certificate)));
        Some(Self { shown, device, fingerprint, links: links.collect::<Option<_>>()? })
    }

    /// Serial numbers of those that an authority of this name has signed.
    pub(super) fn serials_of<'s>(&'s self, issuer: &[u8]) -> impl Iterator<Item = &'s [u8]> {
        self.links.iter().filter(move |link| link.issuer == issuer).map(|link| &*link.serial)
    }

    /// From when on, and until when all of them count.
    pub(super) fn counts(&self) -> (Timestamp, Timestamp) {
        let from = self.links.iter().map(|link| link.from).max();
        let until = self.links.iter().map(|link| link.until).min();
        (from.unwrap_or(Timestamp::MAX), until.unwrap_or(Timestamp::MIN))
    }

    /// Until when the device's certificate counts by itself, whoever has signed it.
    pub(super) fn own(&self, now: Timestamp) -> Result<Timestamp, CertificateFault> {
        let own = self.links.first().ok_or(CertificateFault::NotOurs)?;
        if own.until < now {
            return Err(CertificateFault::expired(own.until, now));
        }
        if now < own.from {
            return Err(CertificateFault::NotYet { from: own.from });
        }
        if own.is_for_clients { Ok(own.until) } else { Err(CertificateFault::Purpose) }
    }

    /// Until when all of those count that count now: others may be shown that nobody needs.
    pub(super) fn ends_after(&self, now: Timestamp) -> Timestamp {
        self.links.iter().map(|link| link.until).filter(|until| *until >= now).min().unwrap_or(now)
    }
}

impl Link {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        Self {
            issuer: certificate.issuer().as_raw().to_vec(),
            serial: certificate.raw_serial().into(),
            from: time(validity.not_before),
            until: time(validity.not_after),
            is_for_clients: is_for_clients(certificate),
        }
    }
}

/// What cannot be read is for nobody.
pub(super) fn is_for_clients(certificate: &X509Certificate<'_>) -> bool {
    match certificate.extended_key_usage() {
        Ok(Some(usage)) => usage.value.client_auth || usage.value.any,
        Ok(None) => true,
        Err(_) => false,
    }
}

/// A certificate that is nothing but that.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    rest.is_empty().then_some(certificate)
}

/// The common name, where there is exactly one.
pub(super) fn common_name<'a>(name: &'a X509Name<'_>) -> Option<&'a str> {
    let mut names = name.iter_common_name();
    let only = names.next()?.as_str().ok()?;
    names.next().is_none().then_some(only)
}

/// Certificates that are never to end say the year 9999, which is a day too late for us.
pub(super) fn time(of: ASN1Time) -> Timestamp {
    Timestamp::from_second(of.timestamp()).unwrap_or(Timestamp::MAX)
}
