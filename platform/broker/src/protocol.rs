//! The few words of MQTT that every part of the broker uses.

use serde::{Deserialize, Serialize};

use crate::gate::NotTaken;

/// Protocol version, from the CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Version {
    /// MQTT 3.1.1 (protocol level 4).
    V311,
    /// MQTT 5.
    V5,
}

impl Version {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::V311 => "3.1.1",
            Self::V5 => "5",
        }
    }
}

/// Quality of service of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Qos {
    /// QoS 0: sent once, dropped when the subscriber's queue is full.
    AtMostOnce,
    /// QoS 1: sent until the subscriber acknowledges it.
    AtLeastOnce,
    /// QoS 2: handed over in two steps, so that it arrives once.
    ExactlyOnce,
}

impl Qos {
    /// From its two bits.
    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

impl From<rumqttd::protocol::QoS> for Qos {
    fn from(qos: rumqttd::protocol::QoS) -> Self {
        match qos {
            rumqttd::protocol::QoS::AtMostOnce => Self::AtMostOnce,
            rumqttd::protocol::QoS::AtLeastOnce => Self::AtLeastOnce,
            rumqttd::protocol::QoS::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}

/// Control packet types (MQTT 5, table 2-1).
pub(crate) mod packet {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const PUBREC: u8 = 5;
    pub(crate) const PUBREL: u8 = 6;
    pub(crate) const PUBCOMP: u8 = 7;
    pub(crate) const SUBSCRIBE: u8 = 8;
    pub(crate) const UNSUBSCRIBE: u8 = 10;
    pub(crate) const PINGREQ: u8 = 12;
    pub(crate) const DISCONNECT: u8 = 14;
}

/// Topics of a v5 client that may have an alias; the CONNACK says so. As many at most have one on the way to a client.
pub(crate) const MAX_TOPIC_ALIASES: u16 = 16;

/// Why the broker ends a connection. A v5 client is told, a v3.1.1 client only sees the close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    Malformed,
    Protocol,
    NotAuthorized,
    TopicDenied,
    IngestFailed,
    ShuttingDown,
    KeepAlive,
    TakenOver,
    Suspended,
    Administrative,
    ReceiveMaximum,
    TopicAlias,
    TopicName,
    PacketTooLarge,
    SlowConsumer,
    OverQuota,
    TooFast,
    RetainNotSupported,
    TooManyRetained,
    CredentialOver,
}

impl From<NotTaken> for Reason {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Closed => Self::IngestFailed,
            NotTaken::OverQuota => Self::OverQuota,
            NotTaken::TooFast => Self::TooFast,
        }
    }
}

impl Reason {
    /// The reason code of the v5 DISCONNECT.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Malformed => 0x81,
            Self::Protocol => 0x82,
            Self::NotAuthorized | Self::TopicDenied | Self::CredentialOver => 0x87,
            Self::IngestFailed => 0x89, // "server busy": the client should come back and send again
            Self::ShuttingDown => 0x8B,
            Self::KeepAlive => 0x8D,
            Self::TakenOver => 0x8E,
            Self::TopicName => 0x90,
            Self::ReceiveMaximum => 0x93,
            Self::Suspended | Self::Administrative => 0x98,
            Self::TopicAlias => 0x94,
            Self::PacketTooLarge => 0x95,
            Self::SlowConsumer | Self::OverQuota | Self::TooFast | Self::TooManyRetained => 0x97,
            Self::RetainNotSupported => 0x9A,
        }
    }

    /// What a v5 client is told besides, for whoever looks for the mistake.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Malformed => "the packet is not as MQTT writes it",
            Self::Protocol => "the packet is out of order, or says what it may not",
            Self::TopicDenied => "it published to a topic outside its rights",
            Self::NotAuthorized => "this client may not be connected any more",
            Self::IngestFailed => "what was sent could not be stored; send it again",
            Self::ShuttingDown => "the server shuts down; come back in a moment",
            Self::KeepAlive => "nothing was heard for one and a half times the keep-alive",
            Self::TakenOver => "the same client has connected again",
            Self::Suspended => "the hospital is suspended",
            Self::Administrative => "somebody has ended this session; it may come back",
            Self::ReceiveMaximum => "more messages wait for their acknowledgement than the CONNACK allows",
            Self::TopicAlias => "the topic alias is 0, or more than the CONNACK allows",
            Self::TopicName => "the name of a topic has no wildcards",
            Self::PacketTooLarge => "the packet is larger than the CONNACK allows",
            Self::SlowConsumer => "messages are taken too slowly, and no more can wait",
            Self::OverQuota => "the hospital sends far more than it may; send again, more slowly",
            Self::TooFast => "this device sends far more than one may; send again, more slowly",
            Self::RetainNotSupported => "this client's messages cannot be retained",
            Self::CredentialOver => {
                "what the client presented counts no longer; it may come back with a new one"
            }
            Self::TooManyRetained => "the hospital has as many retained messages as it may",
        }
    }

    /// Its name in metrics and logs.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Protocol => "protocol_error",
            Self::NotAuthorized => "not_authorized",
            Self::TopicDenied => "topic_denied",
            Self::IngestFailed => "ingest_failed",
            Self::ShuttingDown => "shutting_down",
            Self::KeepAlive => "keep_alive",
            Self::TakenOver => "taken_over",
            Self::Suspended => "suspended",
            Self::Administrative => "administrative",
            Self::ReceiveMaximum => "receive_maximum",
            Self::TopicAlias => "topic_alias",
            Self::TopicName => "topic_name",
            Self::PacketTooLarge => "packet_too_large",
            Self::SlowConsumer => "slow_consumer",
            Self::OverQuota => "over_quota",
            Self::TooFast => "device_over_rate",
            Self::RetainNotSupported => "retain_not_supported",
            Self::TooManyRetained => "too_many_retained",
            Self::CredentialOver => "credential_over",
        }
    }
}
