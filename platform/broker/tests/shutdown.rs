//! A broker that stops keeps its promises first.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::time::Duration;

use support::{
    World,
    wire::{Connect, V4, V5, Wire, publish},
};
use tokio::net::TcpStream;

#[tokio::test]
async fn what_was_read_is_acknowledged_before_the_goodbye() {
    let world = World::deliberate().await;
    let will = Some(("telemetry".into(), b"will".to_vec(), 0));
    let mut v5 = Wire::login(&world, &Connect { will, ..Connect::new(V5, "1/d1") }).await;
    let mut v4 = Wire::device(&world, V4, "d2").await;
    let mut idle = Wire::device(&world, V5, "d3").await;
    v5.send(&publish(V5, "telemetry", 1, b"{}")).await;
    let first = world.next_chunk().await;
    v4.send(&publish(V4, "telemetry", 2, b"{}")).await;
    let second = world.next_chunk().await;

    let address = world.broker.local_addr();
    let shutdown = tokio::spawn(world.broker.shutdown(Duration::from_secs(30)));
    idle.expect_disconnect(0x8B).await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    // Not read any more, and no reason to lose the PUBACK that is due.
    v5.send_unheard(&publish(V5, "telemetry", 3, b"{}")).await;
    assert!(!shutdown.is_finished());
    first.commit.send(()).unwrap();
    second.commit.send(()).unwrap();
    v5.expect(&[0x40, 2, 0, 1]).await;
    v5.expect_disconnect(0x8B).await;
    v4.expect(&[0x40, 2, 0, 2]).await;
    v4.expect_closed().await;
    shutdown.await.unwrap();
}

#[tokio::test]
async fn the_grace_is_not_exceeded_for_a_commit_that_never_comes() {
    let world = World::deliberate().await;
    let mut wire = Wire::device(&world, V5, "d1").await;
    wire.send(&publish(V5, "telemetry", 1, b"{}")).await;
    let never = world.next_chunk().await;
    let _half_open = TcpStream::connect(world.broker.local_addr()).await.unwrap();
    let shutdown = tokio::spawn(world.broker.shutdown(Duration::from_millis(50)));
    wire.expect_disconnect(0x8B).await;
    shutdown.await.unwrap();
    assert!(never.commit.send(()).is_err(), "nobody waits for it any more");
}
