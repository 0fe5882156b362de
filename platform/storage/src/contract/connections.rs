//! What became of devices' connections.

use ::tenants::{DeviceId, access::Object};
use twins::{
    connections::{ConnectionEvent, ConnectionLog, Happened, KEPT},
    presence::Carrier,
};

use super::world::{World, at, device};

fn event(number: usize) -> ConnectionEvent {
    ConnectionEvent {
        at: at(i64::try_from(number).unwrap()),
        what: if number.is_multiple_of(2) { Happened::Connected } else { Happened::Ended },
        why: format!("\u{e9} number {number}"),
        client_id: "c".into(),
        address: "192.0.2.1".parse().unwrap(),
        carrier: Some(Carrier::Tls).filter(|_| number > 0),
        version: "5".into(),
    }
}

async fn of(world: &World, id: &DeviceId) -> Vec<ConnectionEvent> {
    let scope = world.read(world.a, Object::Device).await;
    world.database.events(&scope, id).await.unwrap()
}

pub(super) async fn the_newest_events_of_each_device_are_kept(world: World) {
    for id in ["monitor", "pump"] {
        world.add_device(world.a, id, id, None).await;
    }
    let (monitor, pump) = (device("monitor"), device("pump"));
    assert_eq!(of(&world, &monitor).await, []);
    let both = [(monitor.clone(), event(0)), (pump.clone(), event(7)), (monitor.clone(), event(1))];
    world.database.add_events(world.a, &both).await.unwrap();
    assert_eq!(of(&world, &monitor).await, [event(1), event(0)], "newest first");
    assert_eq!(of(&world, &pump).await, [event(7)]);
    for from in (2..KEPT + 10).step_by(30) {
        let more: Vec<_> = (from..from + 30).map(|number| (monitor.clone(), event(number))).collect();
        world.database.add_events(world.a, &more).await.unwrap();
    }
    let found = of(&world, &monitor).await;
    assert_eq!((found.len(), &found[0]), (KEPT, &event(121)));
    assert_eq!(found.last(), Some(&event(122 - KEPT)));
}

pub(super) async fn who_may_not_see_a_device_does_not_see_its_events(world: World) {
    world.add_device(world.a, "monitor", "Monitor", None).await;
    world.add_device(world.b, "monitor", "Monitor", None).await;
    let monitor = device("monitor");
    world.database.add_events(world.b, &[(monitor.clone(), event(1))]).await.unwrap();
    assert_eq!(of(&world, &monitor).await, [], "a namesake elsewhere");
    // What is noted of a device that is none is shown to nobody.
    let nobody = device("nobody");
    world.database.add_events(world.a, &[(nobody.clone(), event(1))]).await.unwrap();
    assert_eq!(of(&world, &nobody).await, []);
}
