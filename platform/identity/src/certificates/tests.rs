//! Authorities and certificates as others make them, by a library of its own.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use tenants::{
    StoreError,
    audit::AuditEntry,
    clock::Clock,
    device_authority::{Certificates, DeviceAuthority},
    device_certificate::DeviceCertificate,
    enrolment::id_scope,
};

use super::*;
use crate::memory::{World, visitor};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What hospitals have enrolled.
#[derive(Default)]
struct Enrolled(Mutex<Vec<(TenantId, DeviceAuthority)>>);

#[async_trait]
impl EnrolledAuthorities for Enrolled {
    async fn authorities_of(&self, tenant: TenantId) -> Result<Vec<DeviceAuthority>, StoreError> {
        let all = self.0.lock().unwrap();
        Ok(all.iter().filter(|(of, _)| *of == tenant).map(|(_, authority)| authority.clone()).collect())
    }
}

/// Somebody who signs certificates.
struct Maker {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
    now: Timestamp,
}

/// As the library has times; their crate is nobody else's here.
macro_rules! date {
    ($at:expr) => {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(($at).as_second().try_into().unwrap())
    };
}

/// What is to be signed, for ten days around now.
fn params(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date!(now - DAY), date!(now + DAY * 9));
    params
}

fn of_authority(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = params(name, now);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Maker {
    fn new(name: &str, now: Timestamp) -> Self {
        Self::of(of_authority(name, now), now)
    }

    fn of(params: CertificateParams, now: Timestamp) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().to_vec());
        Self { issuer: Issuer::new(params, key), pem, der, now }
    }

    /// Another one below it.
    fn below(&self, name: &str) -> Self {
        let (params, key) = (of_authority(name, self.now), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().to_vec());
        Self { issuer: Issuer::new(params, key), pem, der, now: self.now }
    }

    fn sign(&self, name: &str) -> CertificateDer<'static> {
        self.sign_as(name, |_| {})
    }

    fn sign_as(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
        self.made(name, change).der().clone()
    }

    fn made(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> rcgen::Certificate {
        let mut params = params(name, self.now);
        change(&mut params);
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap()
    }

    /// A list that takes back what has these serial numbers.
    fn takes_back(&self, serials: &[u64], at: Timestamp) -> String {
        let entry = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date!(at),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date!(at),
            next_update: date!(at + DAY),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

struct Hospitals {
    world: World,
    enrolled: Arc<Enrolled>,
    reader: CertificateReader,
    now: Timestamp,
}

impl Hospitals {
    fn new() -> Self {
        let world = World::new();
        let enrolled = Arc::new(Enrolled::default());
        let World { identity, stores, clock, tenant, other } = world;
        let identity = identity.with_authorities(enrolled.clone());
        let (now, reader) = (clock.now(), CertificateReader::new(Arc::new(clock.clone())));
        let world = World { identity, stores, clock, tenant, other };
        Self { world, enrolled, reader, now }
    }

    /// As an upload and its proof leave it.
    fn enrol(&self, tenant: TenantId, maker: &Maker) -> DeviceAuthority {
        let authority = self.reader.authority(&maker.pem).unwrap();
        let proof = maker.made(&authority.challenge, |_| {});
        self.reader.proves(&authority, &proof.pem()).unwrap();
        let authority = DeviceAuthority { proven_at: Some(self.now), ..authority };
        self.enrolled.0.lock().unwrap().push((tenant, authority.clone()));
        authority
    }

    /// As somebody changes one, and tells of it.
    fn change(&self, id: AuthorityId, change: impl FnOnce(&mut DeviceAuthority)) {
        let mut all = self.enrolled.0.lock().unwrap();
        let (tenant, found) = all.iter_mut().find(|(_, authority)| authority.id == id).unwrap();
        change(found);
        self.world.identity.revocations().tell(*tenant);
    }

    async fn shows(
        &self,
        chain: &[CertificateDer<'static>],
        to: Belongs<'_>,
        device: Option<&str>,
    ) -> Result<Certified, IdentityError> {
        let shown = Shown { chain, to, device };
        self.world.identity.device_with_certificate(shown, &visitor("192.0.2.1", 9)).await
    }

    /// What is wrong about what a device shows.
    async fn fault(&self, chain: &[CertificateDer<'static>]) -> Option<CertificateFault> {
        match self.shows(chain, OURS, None).await {
            Err(IdentityError::Certificate { fault, .. }) => Some(fault),
            _ => None,
        }
    }
}

const OURS: Belongs<'_> = Belongs::Hospital("st-elsewhere");

#[tokio::test]
async fn a_certificate_of_an_enrolled_authority_lets_its_device_in() {
    let hospitals = Hospitals::new();
    let (world, maker) = (&hospitals.world, Maker::new("Our devices", hospitals.now));
    world.device("monitor-1");
    let authority = hospitals.enrol(world.tenant.id, &maker);
    let shown = [maker.sign("monitor-1")];
    for (to, device) in [
        (OURS, Some("monitor-1")),
        (Belongs::Host("hub.example.org"), Some("monitor-1")),
        (Belongs::Host("st-elsewhere.example.org"), Some("monitor-1")),
        (Belongs::IdScope(&id_scope(world.tenant.id)), None),
        (Belongs::Unsaid, None),
    ] {
        let certified = hospitals.shows(&shown, to, device).await.unwrap();
        assert_eq!((certified.tenant, certified.device.as_str()), (world.tenant.id, "monitor-1"), "{to:?}");
        assert!(matches!(certified.by, Warrant::Authority(by, _) if by == authority.id));
        assert_eq!(certified.until, hospitals.now + DAY * 9);
        assert!(world.identity.still_certified(&certified).await.unwrap());
    }
    let theirs = id_scope(world.other.id);
    for to in
        [Belongs::Hospital("county-general"), Belongs::Host("county-general.x"), Belongs::IdScope(&theirs)]
    {
        let error = hospitals.shows(&shown, to, None).await.err();
        assert!(matches!(error, Some(IdentityError::NotValid)), "{to:?}: {error:?}");
    }
    assert!(world.stores.audited().iter().all(|entry| entry.action == "device.connect"));
}

#[tokio::test]
async fn a_certificate_of_its_own_lets_a_device_in_whoever_has_signed_it() {
    let hospitals = Hospitals::new();
    let (world, now) = (&hospitals.world, hospitals.now);
    let (device, stranger) = (DeviceId::parse("monitor-1").unwrap(), Maker::new("Somebody", now));
    world.device("monitor-1");
    let signed = stranger.made("monitor-1", |_| {});
    let by_itself = params("monitor-1", now).self_signed(&KeyPair::generate().unwrap()).unwrap();
    let own = [&signed, &by_itself].map(|made| hospitals.reader.device(&device, &made.pem()).unwrap());
    for shown in [&signed, &by_itself] {
        assert_eq!(hospitals.fault(&[shown.der().clone()]).await, Some(CertificateFault::NotOurs));
    }
    world.own(world.tenant.id, "monitor-1", own.into());
    let scope = id_scope(world.tenant.id);
    let places = [
        OURS,
        Belongs::Host("hub.example.org"),
        Belongs::Host("st-elsewhere.example.org"),
        Belongs::IdScope(&scope),
        Belongs::Unsaid,
    ];
    for shown in [&signed, &by_itself] {
        for to in places {
            let certified = hospitals.shows(&[shown.der().clone()], to, Some("monitor-1")).await.unwrap();
            assert_eq!((certified.tenant, &certified.device), (world.tenant.id, &device), "{to:?}");
            assert_eq!(certified.until, now + DAY * 9);
            assert!(world.identity.still_certified(&certified).await.unwrap());
        }
        let elsewhere = Belongs::Hospital("county-general");
        assert!(hospitals.shows(&[shown.der().clone()], elsewhere, None).await.is_err());
    }
    // Another one of the same names is another one.
    let another = stranger.sign("monitor-1");
    assert_eq!(hospitals.fault(&[another]).await, Some(CertificateFault::NotOurs));
    let known = hospitals.shows(&[signed.der().clone()], OURS, None).await.unwrap();
    world.own(world.tenant.id, "monitor-1", vec![own[1]]);
    assert!(!world.identity.still_certified(&known).await.unwrap());
    assert_eq!(hospitals.fault(&[signed.der().clone()]).await, Some(CertificateFault::NotOurs));

    let expired = stranger.made("monitor-1", |of| {
        (of.not_before, of.not_after) = (date!(now - DAY * 9), date!(now - DAY));
    });
    let later = stranger.made("monitor-1", |of| of.not_before = date!(now + DAY));
    let kept = |made: &rcgen::Certificate| DeviceCertificate {
        fingerprint: Fingerprint::of(made.der()),
        not_after: now - DAY,
        proven_at: None,
    };
    world.own(world.tenant.id, "monitor-1", vec![kept(&expired), kept(&later)]);
    let fault = CertificateFault::Expired { days: 1 };
    assert_eq!(hospitals.fault(&[expired.der().clone()]).await, Some(fault));
    let fault = CertificateFault::NotYet { from: now + DAY };
    assert_eq!(hospitals.fault(&[later.der().clone()]).await, Some(fault));
    world.block("monitor-1");
    world.own(world.tenant.id, "monitor-1", own.into());
    let blocked = hospitals.shows(&[signed.der().clone()], OURS, None).await.err();
    assert!(matches!(blocked, Some(IdentityError::Blocked { .. })), "{blocked:?}");

    let for_servers = stranger.made("monitor-1", |of| {
        of.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    for (pem, why) in [
        (stranger.made("monitor-2", |_| {}).pem(), "common name has to be monitor-1"),
        (expired.pem(), "has expired"),
        (for_servers.pem(), "not made for TLS clients"),
        (format!("{}{}", signed.pem(), by_itself.pem()), "expected one certificate, found 2"),
        (String::new(), "expected one certificate in PEM"),
    ] {
        let error = hospitals.reader.device(&device, &pem).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// Where devices say no hospital.
const UNNAMED: [Belongs<'_>; 2] = [Belongs::Host("hub.example.org"), Belongs::Unsaid];

#[tokio::test]
async fn a_certificate_of_its_own_leads_to_a_hospital_once_the_device_has_named_it() {
    let hospitals = Hospitals::new();
    let (world, maker) = (&hospitals.world, Maker::new("Whoever made it", hospitals.now));
    let (ours, theirs) = (world.tenant.id, world.other.id);
    let made = maker.made("monitor-1", |_| {});
    let own = hospitals.reader.device(&DeviceId::parse("monitor-1").unwrap(), &made.pem()).unwrap();
    let shown = [made.der().clone()];
    let leads = async |to| hospitals.shows(&shown, to, None).await.ok().map(|certified| certified.tenant);
    let unnamed = async || [leads(UNNAMED[0]).await, leads(UNNAMED[1]).await];
    // Somebody who has seen the certificate adds it to a device of his own.
    world.device_of(theirs, "monitor-1");
    world.own(theirs, "monitor-1", vec![own]);
    assert_eq!(unnamed().await, [None; 2], "where its own hospital does not know it");
    hospitals.enrol(ours, &maker);
    world.device("monitor-1");
    world.identity.revocations().tell(ours);
    assert_eq!(unnamed().await, [Some(ours); 2], "where its hospital knows who signed it");
    world.own(ours, "monitor-1", vec![own]);
    assert_eq!(unnamed().await, [Some(ours); 2], "where both have it, and its hospital knows who signed it");
    hospitals.enrolled.0.lock().unwrap().clear();
    world.identity.revocations().tell(ours);
    assert_eq!(unnamed().await, [None; 2], "where it has named neither");

    let scope = id_scope(ours);
    assert_eq!(leads(Belongs::IdScope(&scope)).await, Some(ours));
    assert_eq!(unnamed().await, [Some(ours); 2], "where it has named one");
    let proven = |entry: &AuditEntry| {
        (entry.tenant, &entry.subject[..], &entry.detail[..], &entry.action[..])
            == (ours, "device:monitor-1", &own.fingerprint.to_string()[..], "device.prove_certificate")
    };
    let written = || world.stores.audited().iter().filter(|entry| proven(entry)).count();
    assert_eq!((leads(OURS).await, written()), (Some(ours), 1), "once");

    // It has the key, so it may well belong to both; then it has to say where.
    assert_eq!(leads(Belongs::Host("county-general.example.org")).await, Some(theirs));
    assert_eq!(unnamed().await, [None; 2], "where it has named both");
    world.own(theirs, "monitor-1", vec![own]);
    assert_eq!(unnamed().await, [Some(ours); 2], "where it has been added anew");
    world.block("monitor-1");
    assert_eq!(unnamed().await, [None; 2]);
}

#[tokio::test]
async fn who_may_not_come_in_has_proven_nothing() {
    let hospitals = Hospitals::new();
    let (world, maker) = (&hospitals.world, Maker::new("Whoever made it", hospitals.now));
    world.device("monitor-1");
    let made = maker.made("monitor-1", |_| {});
    let own = hospitals.reader.device(&DeviceId::parse("monitor-1").unwrap(), &made.pem()).unwrap();
    world.own(world.tenant.id, "monitor-1", vec![own]);
    let shown = [made.der().clone()];
    world.block("monitor-1");
    assert!(hospitals.shows(&shown, OURS, None).await.is_err());
    assert!(hospitals.shows(&shown, OURS, Some("monitor-2")).await.is_err(), "it says that it is another");
    world.device("monitor-1");
    world.own(world.tenant.id, "monitor-1", vec![own]);
    assert!(hospitals.shows(&shown, Belongs::Unsaid, None).await.is_err());
    assert!(hospitals.shows(&shown, OURS, None).await.is_ok());
    assert!(hospitals.shows(&shown, Belongs::Unsaid, None).await.is_ok());
}

#[tokio::test]
async fn only_who_registers_need_not_be_known() {
    let hospitals = Hospitals::new();
    let (world, maker) = (&hospitals.world, Maker::new("Our devices", hospitals.now));
    hospitals.enrol(world.tenant.id, &maker);
    let shown = [maker.sign("pump-7")];
    assert!(matches!(hospitals.shows(&shown, OURS, None).await, Err(IdentityError::NotValid)));
    let scope = id_scope(world.tenant.id);
    let certified = hospitals.shows(&shown, Belongs::IdScope(&scope), Some("pump-7")).await.unwrap();
    assert_eq!(certified.device.as_str(), "pump-7");
    assert!(hospitals.shows(&shown, Belongs::IdScope(&scope), Some("pump-8")).await.is_err());
    world.device("pump-7");
    world.block("pump-7");
    let error = hospitals.shows(&shown, Belongs::IdScope(&scope), None).await.err();
    assert!(matches!(error, Some(IdentityError::Blocked { .. })), "{error:?}");
}

#[tokio::test]
async fn what_is_wrong_about_a_certificate_is_said_to_its_hospital() {
    let hospitals = Hospitals::new();
    let (world, now) = (&hospitals.world, hospitals.now);
    let maker = Maker::new("Our devices", now);
    for device in ["monitor-1", "monitor-2"] {
        world.device(device);
    }
    let authority = hospitals.enrol(world.tenant.id, &maker);
    let name = "monitor-1";
    let ended = |of: &mut CertificateParams| {
        (of.not_before, of.not_after) = (date!(now - DAY * 9), date!(now - DAY * 3));
    };
    let later = |of: &mut CertificateParams| of.not_before = date!(now + DAY);
    let for_servers =
        |of: &mut CertificateParams| of.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Somebody else, who calls himself as the authority does.
    let stranger = Maker::new("Our devices", now);
    for (what, shown, fault) in [
        ("expired", maker.sign_as(name, ended), CertificateFault::Expired { days: 3 }),
        ("not yet", maker.sign_as(name, later), CertificateFault::NotYet { from: now + DAY }),
        ("for servers", maker.sign_as(name, for_servers), CertificateFault::Purpose),
        ("somebody else's", stranger.sign(name), CertificateFault::NotOurs),
        ("somebody else's, expired", stranger.sign_as(name, ended), CertificateFault::NotOurs),
        ("somebody else's, not yet", stranger.sign_as(name, later), CertificateFault::NotOurs),
        ("by nobody", Maker::new(name, now).der.into(), CertificateFault::NotOurs),
    ] {
        assert_eq!(hospitals.fault(&[shown]).await, Some(fault), "{what}");
    }
    let error = hospitals.shows(&[maker.sign(name)], OURS, Some("monitor-2")).await.err();
    assert!(
        matches!(&error, Some(IdentityError::Certificate { device, fault: CertificateFault::OtherDevice, .. })
            if device.as_str() == "monitor-2"),
        "{error:?}"
    );
    let words = CertificateFault::Expired { days: 3 }.to_string();
    assert_eq!(words, "its certificate expired 3 days ago");
    assert!(world.stores.audited().iter().any(|entry| entry.detail.contains(&words)));

    hospitals.change(authority.id, |of| of.proven_at = None);
    assert_eq!(hospitals.fault(&[maker.sign(name)]).await, Some(CertificateFault::NotProven));
    hospitals.change(authority.id, |of| {
        (of.proven_at, of.not_after) = (Some(now), now - SignedDuration::from_secs(1));
    });
    assert_eq!(hospitals.fault(&[maker.sign(name)]).await, Some(CertificateFault::AuthorityOver));
}

#[tokio::test]
async fn what_names_no_device_is_nobodys() {
    let hospitals = Hospitals::new();
    let maker = Maker::new("Our devices", hospitals.now);
    hospitals.enrol(hospitals.world.tenant.id, &maker);
    let two = |of: &mut CertificateParams| {
        of.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), "monitor-2");
    };
    let none = |of: &mut CertificateParams| of.distinguished_name = rcgen::DistinguishedName::new();
    for (what, shown) in [
        ("nothing", vec![]),
        ("no certificate", vec![vec![0x30, 0x00].into()]),
        ("two names", vec![maker.sign_as("monitor-1", two)]),
        ("no name", vec![maker.sign_as("monitor-1", none)]),
        ("no device's name", vec![maker.sign("a/b")]),
        ("too many", vec![maker.sign("monitor-1"); 9]),
        ("more than a certificate", vec![[maker.sign("monitor-1").to_vec(), vec![0]].concat().into()]),
    ] {
        let error = hospitals.shows(&shown, Belongs::Unsaid, None).await.err();
        assert!(matches!(error, Some(IdentityError::NotValid)), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_taken_back_counts_no_longer() {
    let hospitals = Hospitals::new();
    let (world, now) = (&hospitals.world, hospitals.now);
    let maker = Maker::new("Our devices", now);
    world.device("monitor-1");
    let authority = hospitals.enrol(world.tenant.id, &maker);
    let number = |number: u64| move |of: &mut CertificateParams| of.serial_number = Some(number.into());
    let (first, second) = (maker.sign_as("monitor-1", number(200)), maker.sign_as("monitor-1", number(201)));
    let below = maker.below("A maker of monitors");
    let through = [below.sign("monitor-1"), below.der.clone().into()];
    let (one, other) = (
        hospitals.shows(std::slice::from_ref(&first), OURS, None).await.unwrap(),
        hospitals.shows(&through, OURS, None).await.unwrap(),
    );
    let list = hospitals.reader.revocations(&authority, &maker.takes_back(&[200, 7], now)).unwrap();
    assert_eq!((list.entries, list.issued_at, list.next_at), (2, now, Some(now + DAY)));
    hospitals.change(authority.id, |of| of.revocations = Some(list));
    assert!(!world.identity.still_certified(&one).await.unwrap());
    assert!(world.identity.still_certified(&other).await.unwrap());
    assert_eq!(hospitals.fault(&[first]).await, Some(CertificateFault::Revoked { at: now }));
    hospitals.shows(std::slice::from_ref(&second), OURS, None).await.unwrap();

    // The whole of what is below it, by the one certificate that it has signed.
    let serial = chain::parse(&below.der).unwrap().raw_serial().to_vec();
    let all = RevokedCertParams {
        serial_number: SerialNumber::from_slice(&serial),
        revocation_time: date!(now),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date!(now),
        next_update: date!(now + DAY),
        crl_number: SerialNumber::from(2),
        issuing_distribution_point: None,
        revoked_certs: vec![all],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&maker.issuer).unwrap().pem().unwrap();
    let list = hospitals.reader.revocations(&authority, &list).unwrap();
    hospitals.change(authority.id, |of| of.revocations = Some(list));
    assert!(!world.identity.still_certified(&other).await.unwrap());
    assert_eq!(hospitals.fault(&through).await, Some(CertificateFault::Revoked { at: now }));

    let certified = hospitals.shows(std::slice::from_ref(&second), OURS, None).await.unwrap();
    hospitals.enrolled.0.lock().unwrap().clear();
    world.identity.revocations().tell(world.tenant.id);
    assert!(!world.identity.still_certified(&certified).await.unwrap(), "its authority is gone");
    assert_eq!(hospitals.fault(&[second]).await, Some(CertificateFault::NotOurs));
}

#[tokio::test]
async fn where_two_hospitals_have_an_authority_the_device_says_which_is_its() {
    let hospitals = Hospitals::new();
    let (world, maker) = (&hospitals.world, Maker::new("Of both", hospitals.now));
    world.device("monitor-1");
    hospitals.enrol(world.tenant.id, &maker);
    let theirs = hospitals.reader.authority(&maker.pem).unwrap();
    hospitals.enrolled.0.lock().unwrap().push((world.other.id, theirs.clone()));
    let shown = [maker.sign("monitor-1")];
    hospitals.shows(&shown, Belongs::Unsaid, None).await.unwrap(); // theirs is not proven
    hospitals.change(theirs.id, |of| of.proven_at = Some(hospitals.now));
    assert!(hospitals.shows(&shown, Belongs::Unsaid, None).await.is_err());
    hospitals.shows(&shown, OURS, None).await.unwrap();
}

#[test]
fn what_is_uploaded_is_what_it_should_be() {
    let Hospitals { reader, now, .. } = Hospitals::new();
    let maker = Maker::new("Our devices", now);
    let refused = |pem: &str| reader.authority(pem).unwrap_err().to_string();
    let mut over = of_authority("x", now);
    over.not_after = date!(now - SignedDuration::from_secs(1));
    let mut signs_not = of_authority("x", now);
    signs_not.key_usages = vec![KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap().serialize_pem();
    for (pem, words) in [
        (maker.made("monitor-1", |_| {}).pem(), "no authority's"),
        (Maker::of(over, now).pem, "has expired"),
        (Maker::of(signs_not, now).pem, "key usage"),
        (format!("{}{}", maker.pem, maker.pem), "expected one certificate, found 2"),
        (format!("{}{key}", maker.pem), "private key"),
        (String::new(), "in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into(), "damaged"),
        ("x".repeat(20_000), "at most 16384 bytes"),
    ] {
        assert!(refused(&pem).contains(words), "{words}: {}", refused(&pem));
    }
    let authority = reader.authority(&maker.pem).unwrap();
    assert_eq!((authority.subject.as_str(), authority.challenge.len()), ("CN=Our devices", 40));
    assert_ne!(authority.challenge, reader.authority(&maker.pem).unwrap().challenge);

    let challenge = authority.challenge.as_str();
    let stranger = Maker::new("Our devices", now);
    for (proof, words) in [
        (stranger.made(challenge, |_| {}), "not signed with the authority's key"),
        (maker.made("monitor-1", |_| {}), "common name has to be"),
        (maker.made(challenge, |of| of.not_after = date!(now - DAY)), "does not count now"),
        (maker.made(challenge, |of| of.not_before = date!(now + DAY)), "does not count now"),
    ] {
        let error = reader.proves(&authority, &proof.pem()).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }

    let part = CertificateRevocationListParams {
        this_update: date!(now),
        next_update: date!(now + DAY),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: Some(rcgen::CrlIssuingDistributionPoint {
            distribution_point: rcgen::CrlDistributionPoint { uris: vec!["http://a.example/x.crl".into()] },
            scope: Some(rcgen::CrlScope::UserCertsOnly),
        }),
        revoked_certs: vec![],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let part = part.signed_by(&maker.issuer).unwrap().pem().unwrap();
    for (list, words) in [
        (stranger.takes_back(&[1], now), "not signed by this authority"),
        (maker.takes_back(&[1], now + DAY), "yet to come"),
        (part, "covers a part only"),
        (maker.pem.clone(), "expected a revocation list"),
        ("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n".into(), "cannot be read"),
    ] {
        let error = reader.revocations(&authority, &list).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    assert_eq!(reader.revocations(&authority, &maker.takes_back(&[], now)).unwrap().entries, 0);
}
