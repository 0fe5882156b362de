//! What programs say to each other: who hears it, in what shape, and who does not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::sync::{Arc, Barrier};

use support::{
    World,
    wire::{Connect, V4, V5, Wire, field, frame, publish, subscribe},
};

/// A program of tenant 1 that has subscribed.
async fn listening(world: &World, level: u8, name: &str, filter: &str, options: u8) -> Wire {
    let mut wire = Wire::login(world, &Connect::new(level, &format!("1/{name}"))).await;
    wire.send(&subscribe(level, 1, &[(filter, options)])).await;
    let suback = wire.packet().await;
    assert_eq!((suback[0], *suback.last().unwrap()), (0x90, options & 0b11), "{suback:02x?}");
    wire
}

#[tokio::test]
async fn a_program_hears_what_another_says_at_the_lower_qos() {
    let world = World::obliging().await;
    let mut speaker = Wire::login(&world, &Connect::new(V5, "1/app-s")).await;
    let mut listeners = Vec::new();
    for (level, qos) in [(V4, 0), (V4, 1), (V5, 2)] {
        let wire = listening(&world, level, &format!("app-{level}-{qos}"), "lab/+", qos).await;
        listeners.push((level, qos, wire));
    }
    let mut other_tenant = Wire::login(&world, &Connect::new(V5, "2/app-a")).await;
    other_tenant.send(&subscribe(V5, 1, &[("#", 2)])).await;
    other_tenant.expect(&[0x90, 4, 0, 1, 0, 2]).await;
    speaker.send(&publish(V5, "lab/1", 7, b"glucose")).await;
    speaker.expect(&[0x40, 2, 0, 7]).await;
    for (level, qos, wire) in &mut listeners {
        wire.expect(&publish(*level, "lab/1", u16::from(*qos > 0), b"glucose")).await;
        wire.expect_nothing_more().await;
    }
    other_tenant.expect_nothing_more().await;
    assert_eq!(world.metric("mqtt_publications_total"), 1);
}

/// Both packets are there before the one thread that reads them looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_subscribes_before_somebody_publishes_hears_it() {
    let world = World::obliging().await;
    let mut listener = Wire::login(&world, &Connect::new(V5, "1/app-l")).await;
    let mut speaker = Wire::login(&world, &Connect::new(V5, "1/app-s")).await;
    for round in 1..=20 {
        let topic = format!("lab/{round}");
        let (held, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (here, there) = (held.clone(), release.clone());
        let worker = tokio::spawn(async move { (here.wait(), there.wait()) });
        held.wait();
        listener.send(&subscribe(V5, 1, &[(&topic, 0)])).await;
        speaker.send(&publish(V5, &topic, 1, b"x")).await;
        release.wait();
        worker.await.unwrap();
        listener.expect(&[0x90, 4, 0, 1, 0, 0]).await;
        listener.expect(&publish(V5, &topic, 0, b"x")).await;
        speaker.expect(&[0x40, 2, 0, 1]).await;
    }
}

#[tokio::test]
async fn what_is_outside_a_programs_topics_is_refused() {
    let world = World::obliging().await;
    let mut all = listening(&world, V5, "app-all", "#", 0).await;
    let mut wire = Wire::login(&world, &Connect::new(V5, "1/app-a")).await;
    wire.send(&subscribe(V5, 3, &[("private/x", 0), ("devices/#", 0), ("$SYS", 0), ("private", 0)])).await;
    wire.expect(&[0x90, 7, 0, 3, 0, 0x80, 0x87, 0x87, 0x80]).await;
    for (id, topic) in (1..).zip(["private/x", "feed/alarms/high/1", "devices/d1/commands/a/1", "$SYS/x"]) {
        wire.send(&publish(V5, topic, id, b"x")).await;
        wire.expect(&[0x40, 3, 0, id as u8, 0x87]).await;
    }
    all.expect_nothing_more().await;
    let mut old = Wire::login(&world, &Connect::new(V4, "1/app-old")).await;
    old.send(&publish(V4, "private/x", 1, b"x")).await;
    old.expect_closed().await;
    // A device says nothing here, and hears nothing.
    let mut device = Wire::device(&world, V5, "d1").await;
    device.send(&subscribe(V5, 3, &[("lab/1", 0)])).await;
    device.expect(&[0x90, 4, 0, 3, 0, 0x87]).await;
    device.send(&publish(V5, "lab/1", 1, b"x")).await;
    device.expect(&[0x40, 3, 0, 1, 0x87]).await;
    all.expect_nothing_more().await;
}

#[tokio::test]
async fn a_wildcard_does_not_bring_what_is_denied() {
    let world = World::obliging().await;
    let mut all = listening(&world, V5, "app-all", "#", 0).await;
    let mut member = listening(&world, V5, "app-member", "$share/g/#", 0).await;
    let mut keeper = Wire::login(&world, &Connect::new(V5, "1/app-keeper")).await;
    for topic in ["private/x", "lab"] {
        keeper.send(&publish(V5, topic, 0, b"x")).await;
    }
    keeper.expect_nothing_more().await;
    all.expect(&publish(V5, "lab", 0, b"x")).await;
    member.expect(&publish(V5, "lab", 0, b"x")).await;
}

#[tokio::test]
async fn properties_arrive_as_they_were_sent() {
    let world = World::obliging().await;
    let mut listener = listening(&world, V5, "app-l", "lab/#", 0).await;
    let mut old = listening(&world, V4, "app-o", "lab/#", 0).await;
    let mut speaker = Wire::login(&world, &Connect::new(V5, "1/app-a")).await;
    let user = |name: &[u8], value: &[u8]| [&[0x26], &field(name)[..], &field(value)].concat();
    let request = [&[0x08], &field(b"lab/answers")[..], &[0x09], &field(b"17")].concat();
    let before = [user(b"a", b"1"), user(b"a", b"2")].concat();
    let said = |expiry: &[u8], alias: &[u8]| {
        let properties = [&before[..], expiry, &request, alias].concat();
        let body = [&field(b"lab/q")[..], &[u8::try_from(properties.len()).unwrap()], &properties, b"X"];
        frame(0x30, &body.concat())
    };
    speaker.send(&said(&[2, 0, 0, 0, 60], &[0x23, 0, 1])).await;
    let passed_on = [&before[..], &request, &[2, 0, 0, 0, 60]].concat();
    let body = [&field(b"lab/q")[..], &[u8::try_from(passed_on.len()).unwrap()], &passed_on, b"X"];
    listener.expect(&frame(0x30, &body.concat())).await;
    old.expect(&publish(V4, "lab/q", 0, b"X")).await;
}

#[tokio::test]
async fn nobody_hears_itself_who_does_not_want_to() {
    let world = World::obliging().await;
    let mut wire = listening(&world, V5, "app-a", "lab/#", 0b100).await;
    let mut other = listening(&world, V5, "app-other", "lab/#", 0b100).await;
    wire.send(&publish(V5, "lab/1", 0, b"mine")).await;
    other.expect(&publish(V5, "lab/1", 0, b"mine")).await;
    wire.expect_nothing_more().await;
    wire.send(&subscribe(V5, 2, &[("lab/+", 0)])).await;
    wire.expect(&[0x90, 4, 0, 2, 0, 0]).await;
    wire.send(&publish(V5, "lab/1", 0, b"again")).await;
    wire.expect(&publish(V5, "lab/1", 0, b"again")).await;
    wire.expect_nothing_more().await;
}

#[tokio::test]
async fn a_program_that_vanishes_says_its_will() {
    let world = World::obliging().await;
    let mut listener = listening(&world, V5, "app-l", "lab/#", 1).await;
    let will = Some(("lab/gone".to_owned(), b"bye".to_vec(), 0x08));
    let connect = Connect { will, ..Connect::new(V5, "1/app-a") };
    drop(Wire::login(&world, &connect).await);
    listener.expect(&publish(V5, "lab/gone", 1, b"bye")).await;
    let mut parting = Wire::login(&world, &connect).await;
    parting.send(&[0xE0, 0]).await;
    parting.expect_closed().await;
    listener.expect_nothing_more().await;
    let refused = Connect { will: Some(("private/x".to_owned(), Vec::new(), 0)), ..connect };
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&refused.frame()).await;
    assert_eq!(wire.packet().await[3], 0x87);
}

#[tokio::test]
async fn a_program_reads_what_the_broker_does_for_its_hospital_and_no_other() {
    let world = World::obliging().await;
    let mut other = Wire::login(&world, &Connect::new(V5, "2/app-other")).await;
    for id in 1..=3 {
        other.send(&publish(V5, "lab/x", id, b"x")).await;
        other.expect(&[0x40, 2, 0, id as u8]).await;
    }
    let mut wire = Wire::login(&world, &Connect::new(V4, "1/app-a")).await;
    wire.send(&publish(V4, "lab/x", 1, b"x")).await;
    wire.expect(&[0x40, 2, 0, 1]).await;
    wire.send(&subscribe(V4, 2, &[("$SYS/broker/messages/received", 0)])).await;
    wire.expect(&[0x90, 3, 0, 2, 0]).await;
    let mut figure = publish(V4, "$SYS/broker/messages/received", 0, b"1");
    figure[0] = 0x31; // like what is retained: it was there before
    wire.expect(&figure).await;
    wire.send(&subscribe(V4, 3, &[("$SYS/broker/clients/+", 0)])).await;
    wire.expect(&[0x90, 3, 0, 3, 0]).await;
    for (topic, value) in [("$SYS/broker/clients/connected", "1"), ("$SYS/broker/clients/kept", "0")] {
        let mut figure = publish(V4, topic, 0, value.as_bytes());
        figure[0] = 0x31;
        wire.expect(&figure).await;
    }
    // A program that only hears the feed, and a device, do not use topics at all.
    for user in ["1/app", "1/d1"] {
        let mut wire = Wire::login(&world, &Connect::new(V5, user)).await;
        wire.send(&subscribe(V5, 3, &[("$SYS/#", 0)])).await;
        wire.expect(&[0x90, 4, 0, 3, 0, 0x87]).await;
    }
}
