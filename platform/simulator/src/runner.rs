//! Sends patients over MQTT 3.1.1, one task and one connection per device.
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS,
    Request,
};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::course::Course;
use crate::patient::{Cadence, Patient};
use crate::variation::Seeded;

/// Where the devices' wall time comes from.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What to simulate.
pub struct SimulatorConfig {
    /// The server's MQTT listener.
    pub mqtt: SocketAddr,
    /// One connection each.
    pub devices: Vec<SimulatedDevice>,
    /// Simulated seconds per second; 1 for the pace of life. Above 1 the devices' time runs ahead of the server's.
    pub speed: f64,
    /// How often pressure, temperature and the nurse's observations are taken.
    pub cadence: Cadence,
    /// Read for the time of the start and for the passing of seconds.
    pub now: WallClock,
}

/// One device and the patient it is on.
#[derive(Debug, Clone)]
pub struct SimulatedDevice {
    /// `<tenant-slug>/<device-id>`.
    pub user_name: String,
    /// The device token.
    pub password: String,
    /// Also the MQTT client id.
    pub device_id: String,
    /// Decides everything about the patient.
    pub seed: u64,
    /// What happens to the patient.
    pub course: Course,
}

const TOPIC: &str = "telemetry";
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A monitor's memory for times without a connection: about a minute of messages. When it is full the monitor measures
/// nothing new until the oldest have left, so that what arrives is in order.
const OUTBOX_CAPACITY: usize = 128;
/// More than the outbox holds, so that sending everything again never meets an identifier still in use.
const IN_FLIGHT: u16 = 256;
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(15);
const GOODBYE: Duration = Duration::from_secs(1);

/// Runs all devices until the token is cancelled, and returns when the last has said goodbye. A server that is away, or
/// refuses, is tried again with growing pauses.
pub async fn run(config: SimulatorConfig, shutdown: CancellationToken) {
    let mut devices = JoinSet::new();
    for device in config.devices {
        let monitor = Monitor {
            mqtt: config.mqtt,
            speed: if config.speed > 0.0 { config.speed } else { 1.0 },
            cadence: config.cadence,
            now: config.now.clone(),
            device,
        };
        devices.spawn(monitor.run(shutdown.clone()));
    }
    while let Some(ended) = devices.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a simulated device stopped");
        }
    }
}

struct Monitor {
    mqtt: SocketAddr,
    speed: f64,
    cadence: Cadence,
    now: WallClock,
    device: SimulatedDevice,
}

impl Monitor {
    async fn run(self, shutdown: CancellationToken) {
        let mut options =
            MqttOptions::new(self.device.device_id.as_str(), self.mqtt.ip().to_string(), self.mqtt.port());
        options.set_credentials(self.device.user_name.as_str(), self.device.password.as_str());
        options.set_keep_alive(KEEP_ALIVE);
        options.set_inflight(IN_FLIGHT);
        options.set_max_packet_size(64 * 1024, 64 * 1024);
        let (client, mut connection) = AsyncClient::new(options, OUTBOX_CAPACITY);
        connection.network_options.set_tcp_nodelay(true);
        // Both run until they are dropped: polling the connection anew for each message could lose what it has half read.
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.measure(&client) => {}
            () = self.keep_connected(&mut connection) => {}
        }
        say_goodbye(&client, &mut connection).await;
    }

    /// Measures every simulated second and hands the messages to the connection, waiting while its outbox is full.
    async fn measure(&self, client: &AsyncClient) {
        let mut seeded = Seeded::new(self.device.seed);
        // Devices do not all speak in the same instant.
        sleep(Duration::from_secs_f64(seeded.between(0.0, 1.0) / self.speed)).await;
        let started = (self.now)();
        let mut patient = Patient::new(self.device.seed, self.device.course, self.cadence);
        let mut ticks = interval(Duration::from_secs_f64(1.0 / self.speed));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut next_second = 0;
        loop {
            ticks.tick().await;
            let elapsed_s = (self.now)().duration_since(started).as_secs_f64() * self.speed;
            // Never backwards, whatever happens to the wall clock.
            let second = next_second.max(elapsed_s.round() as u64);
            next_second = second + 1;
            for message in patient.messages(started, second) {
                if client.publish(TOPIC, QoS::AtLeastOnce, false, message.payload).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn keep_connected(&self, connection: &mut EventLoop) {
        let mut back_off = FIRST_BACK_OFF;
        let mut seeded = Seeded::new(!self.device.seed);
        let mut unacknowledged = VecDeque::new();
        loop {
            match connection.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    back_off = FIRST_BACK_OFF;
                    connection.pending = std::mem::take(&mut unacknowledged);
                    tracing::debug!(device = self.device.device_id, "simulated device connected");
                }
                Ok(_) => {}
                Err(error) => {
                    self.report(&error);
                    // The client forgets these when the server does not know the session any more.
                    let lost = connection.pending.drain(..);
                    unacknowledged.extend(lost.filter(|request| matches!(request, Request::Publish(_))));
                    unacknowledged.truncate(usize::from(IN_FLIGHT));
                    // Spread, so that a restarted server is not met by all devices at once.
                    sleep(back_off.mul_f64(seeded.between(0.75, 1.25))).await;
                    back_off = (back_off * 2).min(LONGEST_BACK_OFF);
                }
            }
        }
    }

    fn report(&self, error: &ConnectionError) {
        let device = self.device.device_id.as_str();
        match error {
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => {
                tracing::warn!(
                    device,
                    "the server refused the simulated device; check its user name and token"
                );
            }
            error => tracing::debug!(device, %error, "simulated device lost its connection"),
        }
    }
}

/// Sends what is still in the outbox and a DISCONNECT, as far as the server takes it in time.
async fn say_goodbye(client: &AsyncClient, connection: &mut EventLoop) {
    if connection.network.is_none() || client.try_disconnect().is_err() {
        return;
    }
    let disconnected = async {
        while let Ok(event) = connection.poll().await {
            if event == Event::Outgoing(Outgoing::Disconnect) {
                return;
            }
        }
    };
    if timeout(GOODBYE, disconnected).await.is_err() {
        tracing::debug!("a simulated device left without a goodbye");
    }
}

#[cfg(test)]
mod tests;
