//! How a segment's messages stand in its row.
//!
//! ```text
//! directory = version:u8  size  base  devices runs          size: bytes of the messages before compression
//!   devices = count (length utf8)*                          base: received_at of the first message
//!   runs    = count (device messages bytes start)*          start: its first received_at, relative to base
//! messages  = version:u8  lz4 block of: message*
//!   message = received_at correlation:u64le channel payload received_at: relative to the one before in its run
//!   channel = kind:u8 (length utf8)? (length utf8)?         the component, for kind 1; user properties, with bit 7 of kind
//!   payload = length byte*
//! ```
//! Numbers are LEB128; signed ones zigzag first; times are microseconds. A run's bytes stand on their own,
//! so a reader skips the runs of other devices, and segments are joined by putting runs side by side.

use std::collections::HashMap;

use bytes::Bytes;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use twins::message::{Channel, DeviceRun, LogMessage};

use super::Directory;
use crate::{columns::micros, errors::StorageError};

/// The form that this version writes, of both columns.
pub(super) const VERSION: u8 = 1;

pub(super) const TELEMETRY: u8 = 0;
pub(super) const COMPONENT: u8 = 1;
pub(super) const REPORTED: u8 = 2;
pub(super) const ACKNOWLEDGE: u8 = 3;
pub(super) const DESIRED: u8 = 4;

/// Set in a kind with which user properties come.
pub(super) const USER_PROPERTIES: u8 = 0x80;

/// A segment as it stands in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// The earliest `received_at`, in microseconds.
    pub(crate) received_from: i64,
    /// The latest.
    pub(crate) received_to: i64,
    pub(crate) directory: Vec<u8>,
    pub(crate) messages: Vec<u8>,
}

/// Memory that encoding uses again and again: the messages before compression, and lz4's table.
#[derive(Default)]
pub(crate) struct Scratch {
    raw: Vec<u8>,
    table: CompressTable,
}

/// A run's line in the directory.
struct RunLine {
    device: u64,
    messages: u64,
    bytes: u64,
    start: i64,
}

/// Encodes the messages of one segment.
pub(crate) fn encode(runs: &[DeviceRun], scratch: &mut Scratch) -> Result<Encoded, StorageError> {
    let raw = &mut scratch.raw;
    raw.clear();
    let mut lines = Vec::with_capacity(runs.len());
    let mut names = Names::default();
    let (mut from, mut to) = (i64::MAX, i64::MIN);
    for run in runs {
        let Some(first) = run.messages.first() else { continue };
        let begin = raw.len();
        let start = micros(first.received_at);
        let mut previous = start;
        for message in &run.messages {
            let at = micros(message.received_at);
            (from, to) = (from.min(at), to.max(at));
            write_message(raw, at.wrapping_sub(previous), message);
            previous = at;
        }
        lines.push(RunLine {
            device: names.index(run.device.as_str()),
            messages: run.messages.len() as u64,
            bytes: (raw.len() - begin) as u64,
            start,
        });
    }
    finish(&names.0, &lines, (from, to), raw, &mut scratch.table)
}

/// Joins consecutive segments into one: their runs, side by side.
pub(crate) fn join(
    parts: &[(&Directory, Bytes)],
    span: (i64, i64),
    scratch: &mut Scratch,
) -> Result<Encoded, StorageError> {
    let raw = &mut scratch.raw;
    raw.clear();
    let mut lines = Vec::new();
    let mut names = Names::default();
    for (directory, bytes) in parts {
        raw.extend_from_slice(bytes);
        for run in directory.runs() {
            lines.push(RunLine {
                device: names.index(run.device.as_str()),
                messages: run.messages,
                bytes: run.bytes as u64,
                start: run.start,
            });
        }
    }
    finish(&names.0, &lines, span, raw, &mut scratch.table)
}

/// The devices of a segment in order of appearance.
#[derive(Default)]
struct Names<'a>(Vec<&'a str>, HashMap<&'a str, u64>);

impl<'a> Names<'a> {
    fn index(&mut self, name: &'a str) -> u64 {
        let next = self.0.len() as u64;
        let index = *self.1.entry(name).or_insert(next);
        if index == next {
            self.0.push(name);
        }
        index
    }
}

fn finish(
    names: &[&str],
    lines: &[RunLine],
    (received_from, received_to): (i64, i64),
    raw: &[u8],
    table: &mut CompressTable,
) -> Result<Encoded, StorageError> {
    let base = lines.first().map_or(0, |line| line.start);
    let text: usize = names.iter().map(|name| name.len() + 2).sum();
    let mut directory = Vec::with_capacity(32 + text + lines.len() * 12);
    directory.push(VERSION);
    put(&mut directory, raw.len() as u64);
    put_signed(&mut directory, base);
    put(&mut directory, names.len() as u64);
    for name in names {
        put(&mut directory, name.len() as u64);
        directory.extend_from_slice(name.as_bytes());
    }
    put(&mut directory, lines.len() as u64);
    for line in lines {
        put(&mut directory, line.device);
        put(&mut directory, line.messages);
        put(&mut directory, line.bytes);
        put_signed(&mut directory, line.start.wrapping_sub(base));
    }
    let mut messages = vec![0; 1 + get_maximum_output_size(raw.len())];
    messages[0] = VERSION;
    let length = compress_into_with_table(raw, &mut messages[1..], table)
        .map_err(|_| StorageError::corrupt("a segment that cannot be compressed"))?;
    messages.truncate(1 + length);
    Ok(Encoded { received_from, received_to, directory, messages })
}

fn write_message(out: &mut Vec<u8>, since_previous: i64, message: &LogMessage) {
    put_signed(out, since_previous);
    out.extend_from_slice(&message.correlation.0.to_le_bytes());
    let (kind, component) = match &message.channel {
        Channel::Telemetry { component: None } => (TELEMETRY, None),
        Channel::Telemetry { component } => (COMPONENT, component.as_deref()),
        Channel::Reported => (REPORTED, None),
        Channel::Acknowledge => (ACKNOWLEDGE, None),
        Channel::Desired => (DESIRED, None),
    };
    let properties = message.user_properties.as_deref();
    out.push(if properties.is_some() { kind | USER_PROPERTIES } else { kind });
    let texts = [component, properties].into_iter().flatten().map(str::as_bytes);
    for field in texts.chain([&*message.payload]) {
        put(out, field.len() as u64);
        out.extend_from_slice(field);
    }
}

/// LEB128: seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Zigzag, so that small negative numbers are short too.
fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}
