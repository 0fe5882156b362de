//! What a hospital may use, and what it uses.

use async_graphql::{InputObject, SimpleObject};
use tenants::{
    messaging::Traffic,
    quotas::{self as domain, QuotaError, Seen, Stored},
};

use crate::errors::{ApiError, Result};

/// What a hospital may use at most.
#[derive(SimpleObject)]
pub(crate) struct Quotas {
    /// Registered devices.
    devices: u32,
    /// People with an account.
    users: u32,
    /// Messages of devices in a second. What comes faster waits: up to 30 s over MQTT, then the connection is closed
    /// (0x97); over HTTP it is answered 429.
    messages_per_second: u32,
    /// The same of any one device.
    device_messages_per_second: u32,
    /// Sum of the complexity of the requests to this API in a minute; what is more is RATE_LIMITED.
    query_cost_per_minute: u32,
    clients: ClientQuotas,
    /// Messages are deleted after so many days; null when they are kept for good.
    stored_days: Option<u32>,
}

/// What devices and programs may take up over MQTT. All but the first is of each one, and counts from its next connection on.
#[derive(SimpleObject)]
struct ClientQuotas {
    /// That are connected at once; others are refused (0x97).
    connections: u32,
    /// Largest packet that one sends, in bytes; a larger one ends its connection (0x95).
    packet_bytes: u32,
    /// Messages that one sends before the first is acknowledged; it is told, or not read any further.
    receive_maximum: u32,
    /// Messages of QoS 1 and 2 that one is sent before it acknowledges the first.
    in_flight: u32,
    /// Messages that wait for one while it is connected. Further ones of QoS 0 are dropped and counted; who takes none of the others for so
    /// long is sent away (0x97).
    queued_messages: u32,
    /// Filters that one subscribes to; further ones are refused (0x97).
    subscriptions: u32,
}

/// What is not said is as where nobody has said anything.
#[derive(Default, InputObject)]
struct ClientQuotasInput {
    /// 1 to 1,000,000,000; 50,000 where nothing is said. The installation may have room for fewer.
    connections: Option<u32>,
    /// 1,024 to 266,240, which counts where nothing is said.
    packet_bytes: Option<u32>,
    /// 1 to 65,535; 1,024 where nothing is said.
    receive_maximum: Option<u32>,
    /// 1 to 65,535; 64 where nothing is said.
    in_flight: Option<u32>,
    /// 1 to 100,000; 1,000 where nothing is said. However many, they take 4 MiB at most.
    queued_messages: Option<u32>,
    /// 1 to 1,000; 64 where nothing is said.
    subscriptions: Option<u32>,
}

#[derive(InputObject)]
pub(crate) struct QuotasInput {
    /// 1 to 1,000,000,000, as the next four.
    devices: u32,
    users: u32,
    messages_per_second: u32,
    /// Of any one device; 10,000 where nothing is said.
    device_messages_per_second: Option<u32>,
    query_cost_per_minute: u32,
    clients: Option<ClientQuotasInput>,
    /// 1 to 36,500: messages that are older are deleted within an hour, for good. Null keeps them.
    stored_days: Option<u32>,
}

/// What a hospital uses. Rates and what did not keep to them are as the server has seen them that answers, since it
/// started.
#[derive(SimpleObject)]
pub(crate) struct Usage {
    quotas: Quotas,
    /// Registered devices.
    devices: u64,
    /// People with an account.
    users: u64,
    /// Messages that are stored.
    messages: u64,
    /// What they take, compressed.
    bytes: u64,
    /// Messages that are stored of each of the last 30 days (UTC) that had any, oldest first.
    days: Vec<DayOfMessages>,
    /// Mean of the last ten seconds.
    messages_per_second: u64,
    /// Messages in the busiest second of the last minute.
    busiest_second: u64,
    /// Cost of the requests of the last minute.
    query_cost: u64,
    /// Messages that waited because the hospital, or their device, was at its rate.
    held_back: u64,
    /// Messages that were refused, to be sent again.
    refused_messages: u64,
    /// Requests to this API that were refused.
    refused_queries: u64,
    mqtt: MqttTraffic,
}

/// What passes over MQTT, and what is held for clients that are away.
#[derive(SimpleObject)]
pub(crate) struct MqttTraffic {
    /// Clients that are connected, devices and programs.
    sessions: u64,
    /// Sessions that are kept, whether their clients are connected or away.
    kept_sessions: u64,
    /// Messages that are held for sessions that are kept.
    kept_messages: u64,
    /// Of all sessions.
    subscriptions: u64,
    retained_messages: u64,
    /// Messages taken from clients.
    received: u64,
    /// Messages sent to clients.
    sent: u64,
    /// Messages that went no further, by reason; reasons that did not occur are left out.
    drops: Vec<MqttDrops>,
}

/// Messages that went no further.
#[derive(SimpleObject)]
pub(crate) struct MqttDrops {
    /// As the metric `mqtt_drops` has it, e.g. `queue_full`.
    reason: &'static str,
    messages: u64,
}

impl From<Traffic> for MqttTraffic {
    fn from(traffic: Traffic) -> Self {
        let Traffic {
            sessions,
            kept_sessions,
            kept_messages,
            subscriptions,
            retained,
            received,
            sent,
            drops,
        } = traffic;
        let drops = drops.into_iter().map(|(reason, messages)| MqttDrops { reason, messages }).collect();
        let retained_messages = retained;
        Self {
            sessions,
            kept_sessions,
            kept_messages,
            subscriptions,
            retained_messages,
            received,
            sent,
            drops,
        }
    }
}

/// How many messages of a day are stored.
#[derive(SimpleObject)]
pub(crate) struct DayOfMessages {
    /// In UTC, e.g. 2026-01-02.
    date: String,
    messages: u64,
}

impl From<QuotaError> for ApiError {
    fn from(error: QuotaError) -> Self {
        Self::bad_input(error.to_string())
    }
}

impl QuotasInput {
    pub(crate) fn checked(self) -> Result<domain::Quotas> {
        let quotas = domain::Quotas {
            devices: self.devices,
            users: self.users,
            messages_per_second: self.messages_per_second,
            device_messages_per_second: self
                .device_messages_per_second
                .unwrap_or(domain::Quotas::default().device_messages_per_second),
            query_cost_per_minute: self.query_cost_per_minute,
            clients: self.clients.unwrap_or_default().into(),
            stored_days: self.stored_days,
        };
        Ok(quotas.checked()?)
    }
}

impl From<ClientQuotasInput> for domain::ClientQuotas {
    fn from(input: ClientQuotasInput) -> Self {
        let usual = Self::default();
        Self {
            connections: input.connections.unwrap_or(usual.connections),
            packet_bytes: input.packet_bytes.unwrap_or(usual.packet_bytes),
            receive_maximum: input.receive_maximum.unwrap_or(usual.receive_maximum),
            in_flight: input.in_flight.unwrap_or(usual.in_flight),
            queued_messages: input.queued_messages.unwrap_or(usual.queued_messages),
            subscriptions: input.subscriptions.unwrap_or(usual.subscriptions),
        }
    }
}

impl From<domain::ClientQuotas> for ClientQuotas {
    fn from(quotas: domain::ClientQuotas) -> Self {
        let domain::ClientQuotas {
            connections,
            packet_bytes,
            receive_maximum,
            in_flight,
            queued_messages,
            subscriptions,
        } = quotas;
        Self { connections, packet_bytes, receive_maximum, in_flight, queued_messages, subscriptions }
    }
}

impl From<domain::Quotas> for Quotas {
    fn from(quotas: domain::Quotas) -> Self {
        Self {
            devices: quotas.devices,
            users: quotas.users,
            messages_per_second: quotas.messages_per_second,
            device_messages_per_second: quotas.device_messages_per_second,
            query_cost_per_minute: quotas.query_cost_per_minute,
            clients: quotas.clients.into(),
            stored_days: quotas.stored_days,
        }
    }
}

impl Usage {
    pub(crate) fn new(quotas: domain::Quotas, stored: Stored, seen: Seen, traffic: Traffic) -> Self {
        let day =
            |(date, messages): (jiff::civil::Date, u64)| DayOfMessages { date: date.to_string(), messages };
        Self {
            quotas: quotas.into(),
            devices: stored.devices,
            users: stored.users,
            messages: stored.messages,
            bytes: stored.bytes,
            days: stored.days.into_iter().map(day).collect(),
            messages_per_second: seen.messages_per_second,
            busiest_second: seen.busiest_second,
            query_cost: seen.query_cost,
            held_back: seen.held_back,
            refused_messages: seen.refused_messages,
            refused_queries: seen.refused_queries,
            mqtt: traffic.into(),
        }
    }
}
