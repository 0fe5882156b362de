//! Second factors on a real store, with an app that makes codes as a phone does.

use std::{collections::HashSet, time::Duration};

use keys::{Keys, MasterKms};
use storage::{Database, DatabaseOptions};
use tenants::{
    Tenant, TenantSlug,
    access::Restriction,
    account::{Login, User},
    audit::Outcome,
    clock::ManualClock,
    keys::NoKeys,
    revocations::Revocations,
    stores::{Accounts, Tenants},
};
use zeroize::Zeroizing;

use super::*;
use crate::memory::visitor;
use crate::{IdentityError, SignedIn};

const EMAIL: &str = "ada:lovelace@ward.example";
const PASSWORD: &str = "a password of some length";

struct World {
    identity: Identity,
    database: Database,
    clock: ManualClock,
    user: User,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with_key(Some(&[7; 32])).await
    }

    async fn with_key(key: Option<&[u8; 32]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("iomt.db").display());
        let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
        database.migrate().await.unwrap();
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let store = Arc::new(database.clone());
        let (ticks, it) = (Arc::new(clock.clone()), store.clone());
        let keys: Arc<dyn Keyring> = match key {
            None => Arc::new(NoKeys),
            Some(key) => {
                let kms = MasterKms::new(&Zeroizing::new(*key), &[], None).unwrap();
                Arc::new(Keys::new(store.clone(), Arc::new(kms), ticks.clone(), &[]))
            }
        };
        let revocations = Arc::new(Revocations::new(it.clone()));
        let identity = Identity::new(it.clone(), it.clone(), it.clone(), it.clone(), it, revocations, ticks)
            .with_second_factors(store, keys);
        let tenant = Tenant::new(TenantId::new(&clock), TenantSlug::parse("ash").unwrap(), "Ash");
        let entry = AuditEntry::new(tenant.id, clock.now(), "system", "tenant.create", "tenant:ash");
        Tenants::create(&database, &tenant, &entry).await.unwrap();
        let (id, display_name) = (UserId::new(&clock), "Ada".to_owned());
        let user = User { id, tenant: tenant.id, email: EMAIL.to_owned(), display_name };
        let password_hash = identity.hash_password(PASSWORD).await.unwrap();
        database.create_user(&Login { user: user.clone(), password_hash }, &[]).await.unwrap();
        Self { identity, database, clock, user, _folder: folder }
    }

    fn caller(&self) -> Caller {
        crate::service::caller(&self.user)
    }

    fn entry(&self, action: &str) -> AuditEntry {
        AuditEntry::by(&self.caller(), self.clock.now(), action, self.caller().actor())
    }

    async fn sign_in(&self, code: Option<&str>) -> Result<SignedIn, IdentityError> {
        self.identity.sign_in(EMAIL, PASSWORD, code, &visitor("192.0.2.1", 7)).await
    }

    /// Sets an app up; returns it with the recovery codes.
    async fn enrol(&self) -> (App, Vec<String>) {
        let app = App::new(&self.identity.pair(&self.caller()).await.unwrap());
        let code = app.code(self.clock.now());
        let codes = self.identity.enrol(&self.caller(), &code, &self.entry("second_factor.enrol")).await;
        (app, codes.unwrap())
    }

    async fn trail(&self) -> Vec<(String, Outcome)> {
        let rules = tenants::access::FixedRules::of_each_role({
            let user = self.user.id;
            move |_| user
        });
        let access = tenants::access::Access::new(Arc::new(rules), Arc::new(self.clock.clone()));
        let (object, action) = (tenants::access::Object::Audit, tenants::access::Action::Read);
        let scope = access.grant(&self.caller(), object, action).await.unwrap();
        let page = tenants::paging::PageRequest { first: 100, ..Default::default() };
        let filter = tenants::audit::AuditFilter::default();
        let found = tenants::stores::AuditTrail::page(&self.database, &scope, &filter, &page).await.unwrap();
        found.rows.into_iter().map(|(_, entry)| (entry.action, entry.outcome)).collect()
    }
}

/// What a phone knows after reading the QR code.
struct App(Totp);

impl App {
    fn new(pairing: &Pairing) -> Self {
        let app = Totp::from_url(&pairing.uri).unwrap();
        assert!(pairing.uri.contains(&format!("secret={}", pairing.secret)), "both say the same");
        Self(app)
    }

    fn code(&self, now: Timestamp) -> String {
        self.0.generate(u64::try_from(now.as_second()).unwrap()).to_string()
    }
}

fn is_wrong<T>(outcome: &Result<T, IdentityError>) -> bool {
    matches!(outcome, Err(IdentityError::SecondFactor(SecondFactorError::Wrong)))
}

#[test]
fn codes_are_those_of_rfc_6238() {
    // Appendix B, SHA-1, the last six of its eight digits.
    let app = totp(b"12345678901234567890".to_vec(), "").unwrap();
    for (time, code) in
        [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
    {
        assert_eq!(app.check(code, time), Some(time / 30), "{time}");
    }
}

#[tokio::test]
async fn an_enrolled_user_needs_the_code_to_sign_in() {
    let world = World::new().await;
    world.sign_in(None).await.unwrap();
    let pairing = world.identity.pair(&world.caller()).await.unwrap();
    assert!(
        pairing.uri.starts_with("otpauth://totp/IoMT%20Platform:ada%20lovelace%40ward.example?"),
        "{}",
        pairing.uri
    );
    world.sign_in(None).await.unwrap();
    let (app, _) = world.enrol().await;
    assert!(matches!(world.sign_in(None).await, Err(IdentityError::CodeNeeded)));
    let enrolled_with = app.code(world.clock.now());
    assert!(is_wrong(&world.sign_in(Some(&enrolled_with)).await), "it was used to enrol");
    world.clock.advance(Duration::from_secs(30));
    let code = app.code(world.clock.now());
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    world.sign_in(Some(&spaced)).await.unwrap();
    assert!(is_wrong(&world.sign_in(Some(&code)).await), "a code counts once");
    let trail = world.trail().await;
    assert!(trail.contains(&("second_factor.enrol".to_owned(), Outcome::Success)));
    assert!(trail.contains(&("session.create".to_owned(), Outcome::Denied)), "{trail:?}");
}

#[tokio::test]
async fn a_clock_may_be_half_a_minute_off_and_no_more() {
    let world = World::new().await;
    let (app, _) = world.enrol().await;
    world.clock.advance(Duration::from_secs(3_600));
    let now = world.clock.now();
    let at = |seconds: i64| app.code(now + jiff::SignedDuration::from_secs(seconds));
    for (seconds, counts) in [(-60, false), (60, false), (-30, true), (0, true), (30, true)] {
        assert_eq!(world.sign_in(Some(&at(seconds))).await.is_ok(), counts, "{seconds}");
    }
}

#[tokio::test]
async fn a_recovery_code_works_once_and_a_new_set_replaces_the_old() {
    let world = World::new().await;
    let (app, codes) = world.enrol().await;
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), RECOVERY_CODES);
    assert!(codes.iter().all(|code| code.len() == 19), "{:?}", codes.first().map(String::len));
    world.sign_in(Some(&codes[0].to_uppercase())).await.unwrap();
    assert!(is_wrong(&world.sign_in(Some(&codes[0])).await));
    let standing = world.identity.standing(&world.caller()).await.unwrap();
    assert_eq!((standing.since, standing.recovery_codes), (Some(world.clock.now()), 9));
    world.clock.advance(Duration::from_secs(60));
    let code = app.code(world.clock.now());
    let entry = world.entry("second_factor.renew_recovery_codes");
    let renewed = world.identity.renew_recovery_codes(&world.caller(), &code, &entry).await.unwrap();
    assert!(is_wrong(&world.sign_in(Some(&codes[1])).await));
    world.sign_in(Some(&renewed[1])).await.unwrap();
    let used = ("second_factor.use_recovery_code".to_owned(), Outcome::Success);
    assert_eq!(world.trail().await.iter().filter(|entry| **entry == used).count(), 2);
}

#[tokio::test]
async fn guessing_codes_is_held_back() {
    let world = World::new().await;
    let (app, _) = world.enrol().await;
    world.clock.advance(Duration::from_secs(30));
    for guess in ["000001", "x", "", "12345678", "000002"] {
        let refused = world.identity.confirm(&world.caller(), guess).await;
        assert!(matches!(refused, Err(SecondFactorError::Wrong)), "{guess}");
    }
    let code = app.code(world.clock.now());
    let held_back = world.identity.confirm(&world.caller(), &code).await;
    assert!(matches!(held_back, Err(SecondFactorError::TooMany { retry_after_s: 1 })));
    world.clock.advance(Duration::from_secs(1));
    world.identity.confirm(&world.caller(), &code).await.unwrap();
    assert!(world.trail().await.contains(&("second_factor.confirm".to_owned(), Outcome::Denied)));
}

#[tokio::test]
async fn it_is_removed_with_a_code_and_never_by_a_program() {
    let world = World::new().await;
    let nothing = world.identity.confirm(&world.caller(), "000000").await;
    assert!(matches!(nothing, Err(SecondFactorError::NotEnrolled)));
    let early = world.identity.enrol(&world.caller(), "000000", &world.entry("x")).await;
    assert!(matches!(early, Err(SecondFactorError::NotPaired)));
    let (app, _) = world.enrol().await;
    assert!(matches!(world.identity.pair(&world.caller()).await, Err(SecondFactorError::Enrolled)));

    let mut program = world.caller();
    if let Principal::User { restricted_to, .. } = &mut program.principal {
        *restricted_to = Some(Arc::<[Restriction]>::from([]));
    }
    world.clock.advance(Duration::from_secs(30));
    let code = app.code(world.clock.now());
    let entry = world.entry("second_factor.remove");
    let refused = world.identity.remove(&program, &code, &entry).await;
    assert!(matches!(refused, Err(SecondFactorError::NotAPerson)));
    let wrong = world.identity.remove(&world.caller(), "000000", &entry).await;
    assert!(matches!(wrong, Err(SecondFactorError::Wrong)));
    world.identity.remove(&world.caller(), &code, &entry).await.unwrap();
    world.sign_in(None).await.unwrap();
    assert_eq!(world.identity.standing(&world.caller()).await.unwrap(), Standing::default());
}

#[tokio::test]
async fn without_a_master_key_nobody_can_set_one_up() {
    let world = World::with_key(None).await;
    let refused = world.identity.pair(&world.caller()).await.err().unwrap();
    assert!(matches!(refused, SecondFactorError::Seal(_)) && refused.to_string().contains("IOMT_MASTER_KEY"));
    world.sign_in(None).await.unwrap();
}
