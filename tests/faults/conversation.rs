//! `kill -9` while programs speak to each other at QoS 1 and 2: what was said arrives, in its order, at QoS 2 once.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tests::mqtt::{Listener, Login, Speaker};
use tests::{Options, Postgres, Server, environment, eventually, time};
use tokio::time::{sleep, timeout};

const SPEAKERS: usize = 3;
const LISTENERS: usize = 2;
/// Messages that a speaker has unacknowledged.
const WINDOW: usize = 20;
/// How long the last messages may take.
const LAST_WORDS: Duration = Duration::from_secs(120);

/// `IOMT_KILLS` names another number of kills.
#[tokio::test]
async fn nothing_said_is_lost_in_two_hundred_kills_on_sqlite() {
    let kills = environment::variable("IOMT_KILLS").and_then(|number| number.parse().ok());
    survives(kills.unwrap_or(200), None).await;
}

#[tokio::test]
async fn nothing_said_is_lost_in_three_kills_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        survives(3, Some(postgres.database("iomt").await)).await;
    }
}

async fn survives(kills: u64, database: Option<String>) {
    let mut server = Server::start(Options::new(2).on(database)).await;
    let login = |name: String| Login {
        client_id: name,
        user_name: format!("{}/app", server.first_tenant().slug),
        password: server.first_tenant().user("integrator").token.clone(),
    };
    let mut speakers: Vec<_> =
        (0..SPEAKERS).map(|number| Speaker::new(login(format!("speaker-{number}")), WINDOW)).collect();
    let mut listeners: Vec<_> =
        (0..LISTENERS).map(|number| Listener::new(login(format!("listener-{number}")), "said/#")).collect();
    for listener in &mut listeners {
        listener.subscribe(server.mqtt()).await.expect("subscribed");
    }
    let began = time::instant();
    // Another moment each time, and another one each run: the seed is told.
    let mut moment = Moments::new();
    for round in 0..kills {
        let mqtt = server.mqtt();
        let speaking: Vec<_> = speakers
            .drain(..)
            .map(|mut speaker| {
                tokio::spawn(async move {
                    speaker.speak_until_it_breaks(mqtt).await.expect_err("the server is killed");
                    speaker
                })
            })
            .collect();
        // One of the listeners is away every other round.
        let away = (round % 2 == 1).then(|| listeners.pop()).flatten();
        let listening: Vec<_> = listeners
            .drain(..)
            .map(|mut listener| {
                tokio::spawn(async move {
                    listener.listen(mqtt, |_| false).await.expect_err("the server is killed");
                    listener
                })
            })
            .collect();
        sleep(moment.next()).await;
        server.kill().await;
        for task in speaking {
            speakers.push(task.await.expect("a speaker that goes by the standard"));
        }
        for task in listening {
            listeners.push(task.await.expect("a listener that goes by the standard"));
        }
        listeners.extend(away);
        server.restart().await;
    }
    let mqtt = server.mqtt();
    for speaker in &mut speakers {
        timeout(LAST_WORDS, speaker.finish(mqtt))
            .await
            .expect("in time")
            .expect("everything is acknowledged");
    }
    let said: BTreeMap<String, u64> = speakers
        .iter()
        .flat_map(|speaker| speaker.said.iter().map(|(qos, last)| (speaker.topic(*qos), *last)))
        .collect();
    for listener in &mut listeners {
        let all = |heard: &BTreeMap<String, Vec<u64>>| {
            said.iter().all(|(topic, last)| heard.get(topic).is_some_and(|numbers| numbers.contains(last)))
        };
        timeout(LAST_WORDS, listener.listen(mqtt, all)).await.expect("in time").expect("everything is heard");
        for (topic, last) in &said {
            is_whole(topic, &listener.heard[topic], *last);
        }
    }
    let acknowledged: u64 = speakers.iter().map(|speaker| speaker.acknowledged).sum();
    let total: u64 = said.values().sum();
    eprintln!(
        "{kills} kills in {:.0?} (seed {}): {acknowledged} of {total} said were acknowledged, all were heard in order \
         by {LISTENERS}, those of QoS 2 once",
        began.elapsed(),
        moment.seed
    );
    assert_eq!(acknowledged, total);
    assert!(total > kills, "hardly anything was said");
    eventually("no session waits for anything", time::BOUND, async || {
        let dropped = server.metric("mqtt_drops_total", "backlog").await;
        if dropped == 0.0 { Ok(()) } else { Err(format!("{dropped} were dropped")) }
    })
    .await;
}

/// Every number from 1 to the last was heard, for the first time in its order; at QoS 2 once.
fn is_whole(topic: &str, heard: &[u64], last: u64) {
    let mut seen = BTreeSet::new();
    let first_times: Vec<u64> = heard.iter().copied().filter(|number| seen.insert(*number)).collect();
    let expected: Vec<u64> = (1..=last).collect();
    let wrong = first_times.iter().zip(&expected).position(|(heard, said)| heard != said);
    assert_eq!(wrong, None, "{topic}: {:?}", wrong.map(|at| &first_times[at.saturating_sub(3)..]));
    assert_eq!(first_times.len(), expected.len(), "{topic}");
    if topic.ends_with("/2") {
        assert_eq!(heard.len(), first_times.len(), "{topic}: something came twice");
    }
}

/// Moments of death, from 20 to 520 ms, by a linear congruential generator.
struct Moments {
    seed: u64,
    state: u64,
}

impl Moments {
    fn new() -> Moments {
        let told = environment::variable("IOMT_SEED").and_then(|seed| seed.parse().ok());
        let seed = told.unwrap_or_else(|| u64::from(std::process::id()));
        Moments { seed, state: seed }
    }

    fn next(&mut self) -> Duration {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(20 + (self.state >> 33) % 500)
    }
}
