//! Twins over a real database: recovery, supervision, alarms, acknowledgement.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod world;

use care::AlarmState;
use readings::{Path, Value, VitalSign};
use tenants::access::{Action, Object, Role};
use twins::store::directory::{AlarmFilter, Alarms, Devices, PageRequest};
use world::{World, device, eventually, payloads};

fn number(state: &twins::device::DeviceState, path: &str) -> Option<f64> {
    state.latest.get(&Path::parse(path).unwrap())?.value.as_number()
}

async fn alarms(world: &World) -> Vec<care::Alarm> {
    let scope = world.scope(Role::Nurse, Object::Alarm, Action::Read).await;
    let page = PageRequest { first: 50, ..PageRequest::default() };
    let page = Alarms::page(&world.database, &scope, &AlarmFilter::default(), &page).await.unwrap();
    page.rows.into_iter().map(|(_, alarm)| alarm).collect()
}

/// Twelve readings below the threshold: the rule's ten seconds have passed.
async fn desaturate(world: &World) {
    let low = payloads("spo2", std::iter::repeat_n(85, 12));
    let low: Vec<&str> = low.iter().map(String::as_str).collect();
    world.send("m-1", &low).await.await.unwrap();
    eventually("the alarm is raised", || async { !alarms(world).await.is_empty() }).await;
}

#[actix::test]
async fn a_reading_reaches_the_device_twin_and_the_patient_twin() {
    let world = World::new().await;
    world.send("m-1", &[r#"{"heartRate":72}"#]).await.await.unwrap();
    world.send("m-2", &[r#"{"spo2":97}"#]).await.await.unwrap();
    assert_eq!(number(&*world.device("m-1").await, "heartRate"), Some(72.0));
    eventually("both signs are known", || async { world.vitals().await.vitals.len() == 2 }).await;
    let vitals = world.vitals().await;
    assert_eq!(vitals.vitals[&VitalSign::HeartRate].value, Value::Number(72.0));
    assert_eq!(vitals.vitals[&VitalSign::OxygenSaturation].device, device("m-2"));
}

#[actix::test]
async fn an_alarm_is_raised_once_acknowledged_and_cleared() {
    let world = World::new().await;
    desaturate(&world).await;
    let raised = alarms(&world).await;
    assert_eq!(
        (raised.len(), raised[0].state, raised[0].patient),
        (1, AlarmState::Raised, Some(world.patient))
    );

    let scope = world.scope(Role::Nurse, Object::Alarm, Action::Acknowledge).await;
    let note = Some("repositioned the probe".to_owned());
    let seen = world.twins.acknowledge(&scope, &raised[0], note, Default::default()).await.unwrap();
    assert_eq!(seen.state, AlarmState::Acknowledged);
    assert_eq!(alarms(&world).await, std::slice::from_ref(&seen), "committed before the answer");
    let again = world.twins.acknowledge(&scope, &seen, None, Default::default()).await.unwrap();
    assert_eq!(again, seen, "acknowledging again changes nothing");

    world.send("m-1", &[r#"{"spo2":97}"#]).await.await.unwrap();
    eventually("the alarm clears", || async { alarms(&world).await[0].state == AlarmState::Cleared }).await;
    assert_eq!(alarms(&world).await.len(), 1);
}

#[actix::test]
async fn a_crash_loses_nothing_and_raises_nothing_twice() {
    let world = World::new().await;
    desaturate(&world).await;
    world.send("m-2", &[r#"{"heartRate":64}"#]).await.await.unwrap();
    let (device, before) = (world.device("m-1").await, alarms(&world).await);

    let world = world.crash_and_restart().await;
    assert_eq!(*world.device("m-1").await, *device);
    assert_eq!(alarms(&world).await, before);
    let vitals = world.vitals().await;
    assert_eq!(vitals.vitals[&VitalSign::HeartRate].value, Value::Number(64.0));
    assert_eq!(vitals.vitals[&VitalSign::OxygenSaturation].value, Value::Number(85.0));
}

#[actix::test]
async fn an_orderly_restart_goes_on_from_the_snapshot() {
    let world = World::new().await;
    desaturate(&world).await;
    let before = world.device("m-1").await;
    world.twins.shut_down().await;
    let world = world.crash_and_restart().await;
    assert_eq!(*world.device("m-1").await, *before);
    world.send("m-1", &[r#"{"spo2":97}"#]).await.await.unwrap();
    eventually("the alarm clears", || async { alarms(&world).await[0].state == AlarmState::Cleared }).await;
}

#[actix::test]
async fn a_message_that_makes_the_twin_panic_is_set_aside_and_nothing_else_is_lost() {
    let world = World::new().await;
    let sibling_before = world.send("m-2", &[r#"{"heartRate":60}"#]).await;
    sibling_before.await.unwrap();
    world.send("m-1", &[r#"{"heartRate":70}"#]).await.await.unwrap();
    // All of these are queued at once: what stands behind the fault must survive it.
    world.send("m-1", &[r#"{"spo2":96}"#, "panic", r#"{"heartRate":71}"#]).await.await.unwrap();
    world.send("m-1", &[r#"{"temperature":37.5}"#]).await.await.unwrap();
    world.send("m-2", &[r#"{"heartRate":61}"#]).await.await.unwrap();

    eventually("all five are folded", || async { world.device("m-1").await.messages == 5 }).await;
    let state = world.device("m-1").await;
    assert_eq!(number(&state, "heartRate"), Some(71.0));
    assert_eq!(number(&state, "spo2"), Some(96.0));
    assert_eq!(number(&state, "temperature"), Some(37.5));
    assert_eq!((state.set_aside, state.quarantine.clone()), (1, None));
    let sibling = world.device("m-2").await;
    assert_eq!((sibling.messages, number(&sibling, "heartRate")), (2, Some(61.0)));

    let scope = world.scope(Role::Admin, Object::Device, Action::Read).await;
    eventually("the message is listed", || async {
        !Devices::set_aside(&world.database, &scope, &device("m-1"), 10).await.unwrap().is_empty()
    })
    .await;
    let listed = Devices::set_aside(&world.database, &scope, &device("m-1"), 10).await.unwrap();
    assert_eq!((listed.len(), listed[0].reason.as_str()), (1, "handler_panicked"));

    let world = world.crash_and_restart().await;
    assert_eq!(*world.device("m-1").await, *state, "the poisonous message is skipped after a restart too");
}

#[actix::test]
async fn a_twin_that_panics_again_and_again_is_put_in_quarantine_until_released() {
    let world = World::new().await;
    world.send("m-1", &[r#"{"heartRate":70}"#]).await.await.unwrap();
    for _ in 0..4 {
        world.send("m-1", &["panic"]).await.await.unwrap();
    }
    eventually("quarantine", || async { world.device("m-1").await.quarantine.is_some() }).await;
    world.send("m-1", &[r#"{"heartRate":99}"#]).await.await.unwrap();
    assert_eq!(number(&*world.device("m-1").await, "heartRate"), Some(70.0), "it no longer folds");
    world.send("m-2", &[r#"{"heartRate":61}"#]).await.await.unwrap();
    assert_eq!(number(&*world.device("m-2").await, "heartRate"), Some(61.0), "its sibling does");

    let scope = world.scope(Role::Admin, Object::Device, Action::Write).await;
    world.twins.release(&scope, &device("m-1"), Default::default()).await.unwrap();
    eventually("what was missed is folded", || async {
        number(&*world.device("m-1").await, "heartRate") == Some(99.0)
    })
    .await;
    let state = world.device("m-1").await;
    assert_eq!((state.quarantine.clone(), state.messages, state.set_aside), (None, 6, 4));
}

#[actix::test]
async fn a_payload_that_cannot_be_read_is_set_aside_and_the_twin_lives_on() {
    let world = World::new().await;
    let bad = [
        ("not json", "not_json"),
        (r#"{"heartRate":1e999}"#, "not_finite"),
        (r#"{"ts":"+030000-01-01T00:00:00Z","values":{"heartRate":70}}"#, "time_out_of_range"),
        (r#"{"temperature":{"value":38,"unit":"[nonsense]"}}"#, "unknown_unit"),
    ];
    let texts: Vec<&str> = bad.iter().map(|(text, _)| *text).collect();
    world.send("m-1", &texts).await.await.unwrap();
    world.send("m-1", &[r#"{"heartRate":70}"#]).await.await.unwrap();
    eventually("all are folded", || async { world.device("m-1").await.messages == 5 }).await;
    let state = world.device("m-1").await;
    assert_eq!((state.set_aside, number(&state, "heartRate")), (4, Some(70.0)));

    let scope = world.scope(Role::Admin, Object::Device, Action::Read).await;
    eventually("they are listed", || async {
        Devices::set_aside(&world.database, &scope, &device("m-1"), 10).await.unwrap().len() == 4
    })
    .await;
    let listed = Devices::set_aside(&world.database, &scope, &device("m-1"), 10).await.unwrap();
    let reasons: Vec<&str> = listed.iter().rev().map(|entry| entry.reason.as_str()).collect();
    let expected: Vec<&str> = bad.iter().map(|(_, reason)| *reason).collect();
    assert_eq!(reasons, expected);
}

#[actix::test]
async fn an_older_reading_never_moves_a_twin_backwards() {
    let world = World::new().await;
    let new = r#"{"ts":"2026-03-01T07:59:00Z","values":{"heartRate":80}}"#;
    let old = r#"{"ts":"2026-03-01T07:58:00Z","values":{"heartRate":60}}"#;
    world.send("m-1", &[new, old]).await.await.unwrap();
    eventually("both are folded", || async { world.device("m-1").await.messages == 2 }).await;
    assert_eq!(number(&*world.device("m-1").await, "heartRate"), Some(80.0));
    let vitals = world.vitals().await;
    assert_eq!(vitals.vitals[&VitalSign::HeartRate].measured_at, world::at("2026-03-01T07:59:00Z"));
}
