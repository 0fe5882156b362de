//! A small MQTT client of our own making: enough to publish hard and to keep account of what was acknowledged.
mod frames;
mod lasting;
mod publisher;

pub use frames::{Login, Packet, PublishFrame, Version, connect, next_packet, ping, publish, subscribe};
pub use lasting::{Listener, Speaker};
pub use publisher::{Account, Publisher, Refused};
