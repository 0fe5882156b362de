//! Any bytes as a script of what clients do: whole packets, broken ones, silence, time that passes. The fuzz target plays what it
//! makes up, `corpus.rs` what was found worth keeping.
//!
//! What must hold however they behave: nothing panics, every byte that is sent is a packet that a server may send, identifiers
//! are used as the standard says, no tenant hears another, and whoever comes afterwards is served.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split},
    runtime::Builder,
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    World, tenant,
    wire::{Connect, V4, V5, field, frame, subscribe, unsubscribe},
};

/// Who may connect: two of a name that take each other's place, their namesake of another hospital, a device of each, devices made
/// for other platforms, and one that nobody knows yet.
const CLIENTS: [(&str, &str); 9] = [
    ("1/app-a", "same"),
    ("1/app-a", "same"),
    ("2/app-a", "same"),
    ("1/app", "feed"),
    ("1/d1", "device"),
    ("2/d1", "device"),
    ("1/tb-1", "board"),
    ("2/hub-1", "hub-1"),
    ("provision", "newcomer"),
];

const TOPICS: [&str; 26] = [
    "a",
    "a/b",
    "a/b/c",
    "a//b",
    "/",
    "private/x",
    "feed/x",
    "telemetry",
    "telemetry/c",
    "properties/reported",
    "commands/x/1",
    "devices/d1/telemetry",
    "$SYS/broker/uptime",
    "$share/g/a",
    "",
    "a/#",
    "+",
    "\u{0}",
    "\u{FEFF}a",
    "心/拍",
    "/provision/request",
    "v1/devices/me/attributes/request/1",
    "v1/devices/me/rpc/response/1",
    "devices/hub-1/messages/events/%24.sub=c&n=v",
    "$iothub/twin/GET/?$rid=1",
    "$iothub/twin/PATCH/properties/reported/?$rid=1",
];

const FILTERS: [&str; 23] = [
    "#",
    "+",
    "+/#",
    "a/#",
    "a/+",
    "a/b",
    "/#",
    "$share/g/#",
    "$share/g/a/+",
    "$share/h/a/b",
    "$share//a",
    "$SYS/#",
    "feed/#",
    "devices/#",
    "private/#",
    "commands/+/+",
    "properties/desired",
    "a/#/b",
    "a+",
    "",
    "/provision/response",
    "v1/devices/me/attributes/response/+",
    "$iothub/twin/res/#",
];

/// What the payloads of each hospital are made of. No single flipped bit makes one of the other, and no topic has them.
const MARKS: [u8; 2] = [0xA5, 0x5A];

/// Bytes of a script at most: what comes after is not played.
const LONGEST: usize = 4_096;

/// Plays a script to its end. Panics where something does not hold.
pub(crate) fn play(script: &[u8]) {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(Stage::perform(script));
}

struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bytes(&mut self, most: u8) -> Vec<u8> {
        let count = usize::from(self.byte() % most).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken.to_vec()
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::from(self.byte()) % all.len()]
    }
}

struct Stage {
    world: World,
    clients: HashMap<usize, Actor>,
}

impl Stage {
    async fn perform(script: &[u8]) {
        // Bounds that a short script reaches.
        let tight = |config: &mut broker::BrokerConfig| {
            config.clients.queued_messages = 8;
            config.clients.receive_maximum = 4;
            config.clients.subscriptions = 4;
            config.max_retained = 4;
            config.max_kept_sessions_of_one = 1;
        };
        let world = World::with(true, tight).await;
        let mut stage = Self { world, clients: HashMap::new() };
        let mut script = Script(&script[..script.len().min(LONGEST)]);
        while !script.0.is_empty() {
            stage.act(&mut script).await;
        }
        settle().await;
        stage.clients.values_mut().for_each(Actor::listen);
        stage.clients.clear();
        settle().await;
        stage.serves_whoever_comes().await;
        stage.world.broker.shutdown(Duration::from_secs(5)).await;
    }

    async fn act(&mut self, script: &mut Script<'_>) {
        let action = script.byte();
        match action % 16 {
            0 => self.connect(script).await,
            1 => settle().await,
            2 => {
                let passes = Duration::from_secs(script.byte().into());
                self.world.clock.advance(passes);
                sleep(passes).await;
            }
            3 => {
                let number = usize::from(script.byte() % 2);
                let (topic, qos) = (script.one_of(&TOPICS), qos(script.byte()));
                let payload = Bytes::copy_from_slice(&[MARKS[number]]);
                self.world.broker.handle().publish(tenant(number as u128 + 1), topic, payload, qos);
            }
            4 => {
                self.clients.remove(&(usize::from(script.byte()) % CLIENTS.len()));
            }
            _ => {
                let at = usize::from(script.byte()) % CLIENTS.len();
                if let Some(actor) = self.clients.get_mut(&at) {
                    actor.listen();
                    actor.act(action % 16, script).await;
                } else {
                    self.connect(script).await;
                }
            }
        }
    }

    async fn connect(&mut self, script: &mut Script<'_>) {
        let at = usize::from(script.byte()) % CLIENTS.len();
        let (user, client_id) = CLIENTS[at];
        let (shape, more) = (script.byte(), script.byte());
        let level = if shape & 1 == 0 { V4 } else { V5 };
        let mut connect = Connect { client_id: client_id.into(), ..Connect::new(level, user) };
        connect.clean = shape & 2 != 0;
        connect.keep_alive = u16::from(shape >> 6);
        if shape & 4 != 0 {
            let topic = script.one_of(&TOPICS).to_owned();
            connect.will = Some((topic, vec![marks(at)[0]], (more & 0b11) << 3 | (more & 0b100) << 3));
        }
        let mut most = usize::MAX;
        if level == V5 {
            if shape & 8 != 0 {
                connect.properties.extend([0x11, 0, 0, 0, more]); // session expiry
            }
            if shape & 16 != 0 {
                most = usize::from(more % 4);
                connect.properties.extend([0x21, 0, more % 4]); // receive maximum
            }
            if shape & 32 != 0 {
                connect.properties.extend([0x22, 0, more % 4]); // topic alias maximum
            }
            if more & 128 != 0 {
                connect.properties.extend([0x27, 0, 0, 0, 64 + more % 64]); // maximum packet size
            }
        }
        let actor = Actor::enter(&self.world, at, &connect, most).await;
        self.clients.insert(at, actor);
    }

    /// The broker is none the worse for it.
    async fn serves_whoever_comes(&self) {
        let connect = Connect { client_id: "afterwards".into(), ..Connect::new(V4, "1/app-z") };
        let mut actor = Actor::enter(&self.world, 0, &connect, usize::MAX).await;
        actor.send(&subscribe(V4, 1, &[("afterwards", 1)])).await;
        actor.send(&frame(0x32, &[&field(b"afterwards")[..], &[0, 2], b"1"].concat())).await;
        let heard = async {
            while !actor.said_to.contains("afterwards") {
                settle().await;
                actor.listen();
            }
        };
        assert!(timeout(Duration::from_secs(60), heard).await.is_ok(), "a later client is not served");
        drop(actor);
        settle().await;
        for line in
            ["mqtt_connections ", "mqtt_tenant_sessions{tenant=\"00000000-0000-0000-0000-000000000001\"} "]
        {
            assert_eq!(self.world.metric(line), 0, "{line}");
        }
    }
}

fn qos(byte: u8) -> broker::Qos {
    match byte % 3 {
        0 => broker::Qos::AtMostOnce,
        1 => broker::Qos::AtLeastOnce,
        _ => broker::Qos::ExactlyOnce,
    }
}

/// Lets everybody do what they can: the clock stands still until nobody can do any more.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

/// A client and what it has heard.
struct Actor {
    level: u8,
    /// What its hospital's payloads are made of, and the other's.
    marks: [u8; 2],
    to_server: mpsc::UnboundedSender<Vec<u8>>,
    from_server: mpsc::UnboundedReceiver<Vec<u8>>,
    unread: Vec<u8>,
    packets: usize,
    is_over: bool,
    /// Its Receive Maximum.
    most: usize,
    /// Identifiers of messages that it has not acknowledged to the end.
    open: HashSet<[u8; 2]>,
    /// Identifiers that it acknowledged before it heard of them: what the server had under way for its session is done then.
    early: HashSet<[u8; 2]>,
    /// Of the last message that it heard.
    last_id: [u8; 2],
    said_to: HashSet<String>,
}

impl Actor {
    async fn enter(world: &World, at: usize, connect: &Connect, most: usize) -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        world.broker.entrance().enter(theirs, "localhost", ([127, 0, 0, 1], 1).into());
        let (to_server, to_server_out) = mpsc::unbounded_channel();
        let (from_server_in, from_server) = mpsc::unbounded_channel();
        tokio::spawn(carry(ours, to_server_out, from_server_in));
        let mut actor = Self {
            level: connect.level,
            marks: marks(at),
            to_server,
            from_server,
            unread: Vec::new(),
            packets: 0,
            is_over: false,
            most,
            open: HashSet::new(),
            early: HashSet::new(),
            last_id: [0, 1],
            said_to: HashSet::new(),
        };
        actor.send(&connect.frame()).await;
        actor
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.to_server.send(bytes.to_vec()).ok();
    }

    async fn act(&mut self, action: u8, script: &mut Script<'_>) {
        let mut bytes = self.packet(action, script);
        // Now and then something is wrong with it.
        let flaw = script.byte();
        if flaw & 0b111 == 0b111 && !bytes.is_empty() {
            let at = usize::from(script.byte()) % bytes.len();
            bytes[at] ^= 1 << (flaw >> 5);
        }
        if matches!(action, 14 | 15) {
            // Bytes of any kind are no proof that somebody else has said them.
            bytes.iter_mut().filter(|byte| **byte == self.marks[1]).for_each(|byte| *byte = 0);
        }
        let cut = bytes.len() / 2;
        if flaw & 0b1000 != 0 {
            self.send(&bytes[..cut]).await;
            settle().await;
            bytes.drain(..cut);
        }
        self.send(&bytes).await;
    }

    fn packet(&mut self, action: u8, script: &mut Script<'_>) -> Vec<u8> {
        match action {
            5 | 6 => self.publish(script),
            7 | 8 => subscribe(self.level, id(script), &[(script.one_of(&FILTERS), script.byte())]),
            9 => unsubscribe(self.level, id(script), script.one_of(&FILTERS)),
            10 | 11 => self.acknowledge(script),
            12 => [0xC0, 0].repeat(usize::from(script.byte() % 4)),
            13 => match script.byte() {
                0..=127 => vec![0xE0, 0],
                reason if self.level == V5 => vec![0xE0, 7, reason & 4, 5, 0x11, 0, 0, 0, reason],
                _ => vec![0xE0, 0],
            },
            14 => script.bytes(64),
            _ => frame(script.byte(), &script.bytes(64)),
        }
    }

    fn publish(&self, script: &mut Script<'_>) -> Vec<u8> {
        let (flags, topic) = (script.byte() & 0x0F, script.one_of(&TOPICS));
        let mut body = field(topic.as_bytes());
        if flags & 0b0110 != 0 {
            body.extend(id(script).to_be_bytes());
        }
        if self.level == V5 {
            let chosen = script.byte();
            let mut properties = Vec::new();
            if chosen & 1 != 0 {
                properties.extend([0x23, 0, chosen >> 4]); // topic alias
            }
            if chosen & 2 != 0 {
                properties.extend([0x02, 0, 0, 0, chosen >> 4]); // message expiry
            }
            if chosen & 4 != 0 {
                properties.extend([0x26, 0, 1, b'n', 0, 1, b'v', 0x08, 0, 1, b'r']);
            }
            body.push(u8::try_from(properties.len()).unwrap());
            body.extend(properties);
        }
        body.resize(body.len() + 1 + usize::from(script.byte()), self.marks[0]);
        frame(0x30 | flags, &body)
    }

    /// The last message that it heard, or any other.
    fn acknowledge(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        let shape = script.byte();
        let id = if shape & 1 == 0 { self.last_id } else { id(script).to_be_bytes() };
        let first = [0x40, 0x50, 0x62, 0x70][usize::from(shape >> 1 & 0b11)];
        let refuses = shape & 0b1000 != 0 && self.level == V5;
        if (matches!(first, 0x40 | 0x70) || (first == 0x50 && refuses)) && !self.open.remove(&id) {
            self.early.insert(id);
        }
        let reason: &[u8] = if refuses { &[0x97] } else { &[] };
        frame(first, &[&id[..], reason].concat())
    }

    /// Takes in what the server has said.
    fn listen(&mut self) {
        while let Ok(bytes) = self.from_server.try_recv() {
            self.unread.extend(bytes);
        }
        while let Some((header, length)) = whole(&self.unread) {
            let packet: Vec<u8> = self.unread.drain(..header + length).collect();
            self.check(packet[0], &packet[header..]);
        }
    }

    fn check(&mut self, first: u8, body: &[u8]) {
        assert!(!self.is_over, "{first:#04x} after the farewell");
        assert_eq!(self.packets == 0, first == 0x20, "CONNACK comes first, and once");
        self.packets += 1;
        match first {
            0x20 => self.is_over = body[1] != 0,
            0x30..=0x3F => self.hear(first, body),
            0x40 | 0x50 | 0x62 | 0x70 => assert!(body.len() >= 2 && body[..2] != [0, 0]),
            0x90 | 0xB0 => assert!(body.len() >= 2),
            0xD0 => assert!(body.is_empty()),
            0xE0 => {
                assert_eq!(self.level, V5, "a server says no DISCONNECT in 3.1.1");
                self.is_over = true;
            }
            other => panic!("{other:#04x} is nothing that a server says"),
        }
    }

    fn hear(&mut self, first: u8, body: &[u8]) {
        let (qos, again) = (first >> 1 & 0b11, first & 0b1000 != 0);
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let topic = std::str::from_utf8(&body[2..2 + length]).unwrap();
        let mut at = 2 + length;
        assert!(qos < 3 && !(qos == 0 && again), "{first:#04x}");
        if qos > 0 {
            let id = [body[at], body[at + 1]];
            at += 2;
            assert!(id != [0, 0], "an identifier is not 0");
            if !self.early.remove(&id) {
                assert!(self.open.insert(id), "identifier {id:?} is in use");
                assert!(self.open.len() <= self.most, "more than {} under way", self.most);
            }
            self.last_id = id;
        }
        if self.level == V5 {
            let (header, length) = whole(&[&[0], &body[at..]].concat()).expect("properties");
            at += header - 1 + length;
        }
        assert!(!body[at..].contains(&self.marks[1]), "another hospital is heard on {topic}");
        self.said_to.insert(topic.to_owned());
    }
}

/// What a client's hospital's payloads are made of, and the other's.
fn marks(at: usize) -> [u8; 2] {
    let [one, other] = MARKS;
    if CLIENTS[at].0.starts_with('1') { [one, other] } else { [other, one] }
}

/// An identifier, seldom 0.
fn id(script: &mut Script<'_>) -> u16 {
    u16::from(script.byte() % 8)
}

/// Length of the header and of what follows, once the packet is whole.
fn whole(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (at, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return (bytes.len() >= at + 2 + length).then_some((at + 2, length));
        }
    }
    assert!(bytes.len() < 5, "a length of more than four bytes");
    None
}

/// Carries bytes both ways until either side is gone.
async fn carry(
    pipe: DuplexStream,
    mut to_server: mpsc::UnboundedReceiver<Vec<u8>>,
    from_server: mpsc::UnboundedSender<Vec<u8>>,
) {
    let (mut reading, mut writing) = split(pipe);
    let write = async {
        while let Some(bytes) = to_server.recv().await {
            if writing.write_all(&bytes).await.is_err() {
                // It may have said why.
                std::future::pending::<()>().await;
            }
        }
    };
    let read = async {
        let mut buffer = vec![0; 4_096];
        while let Ok(count @ 1..) = reading.read(&mut buffer).await {
            if from_server.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
}
