//! How a segment's bytes become messages again. Nothing here trusts a length or a number that it reads.

use std::{collections::HashSet, ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use tenants::{CorrelationId, DeviceId, Sequence};
use twins::message::{Channel, DeviceRun, LogMessage};

use super::format::{ACKNOWLEDGE, COMPONENT, DESIRED, REPORTED, TELEMETRY, USER_PROPERTIES, VERSION};
use crate::{columns::timestamp, errors::StorageError};

/// lz4 cannot blow a block up further than this.
const LARGEST_EXPANSION: usize = 255;

/// Which devices a segment holds, and where.
#[derive(Debug)]
pub(crate) struct Directory {
    devices: Vec<DeviceId>,
    runs: Vec<(usize, Run)>,
    size: usize,
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    messages: u64,
    bytes: usize,
    start: i64,
}

/// One run of a directory, with its device.
pub(crate) struct RunEntry<'a> {
    pub(crate) device: &'a DeviceId,
    pub(crate) messages: u64,
    pub(crate) bytes: usize,
    /// `received_at` of its first message, in microseconds.
    pub(crate) start: i64,
}

impl Directory {
    /// Reads the directory of a segment that holds the positions `span`.
    pub(crate) fn decode(bytes: &[u8], span: RangeInclusive<i64>) -> Result<Self, StorageError> {
        let directory = Self::parse(bytes).ok_or_else(|| StorageError::corrupt("a segment's directory"))?;
        let positions = span.end().checked_sub(*span.start()).and_then(|more| more.checked_add(1));
        if positions.and_then(|count| u64::try_from(count).ok()) != Some(directory.count) {
            return Err(StorageError::corrupt("a segment's count"));
        }
        Ok(directory)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        if input.byte()? != VERSION {
            return None;
        }
        let size = input.length()?;
        let base = input.signed()?;
        // A device or a run takes a byte at least, so these bound what is reserved.
        let names = input.count()?;
        let mut devices = Vec::with_capacity(names);
        for _ in 0..names {
            devices.push(DeviceId::parse(input.text()?).ok()?);
        }
        let lines = input.count()?;
        let mut runs = Vec::with_capacity(lines);
        let (mut total, mut count) = (0_usize, 0_u64);
        for _ in 0..lines {
            let device = input.length()?;
            let run = Run {
                messages: input.number()?,
                bytes: input.length()?,
                start: base.checked_add(input.signed()?)?,
            };
            if device >= devices.len() {
                return None;
            }
            total = total.checked_add(run.bytes)?;
            count = count.checked_add(run.messages)?;
            runs.push((device, run));
        }
        (input.0.is_empty() && total == size).then_some(Self { devices, runs, size, count })
    }

    /// The runs in order of sequence.
    pub(crate) fn runs(&self) -> impl Iterator<Item = RunEntry<'_>> {
        self.runs.iter().filter_map(|(device, run)| {
            let device = self.devices.get(*device)?;
            Some(RunEntry { device, messages: run.messages, bytes: run.bytes, start: run.start })
        })
    }

    /// Whether it holds messages of any of the devices.
    pub(crate) fn has_any(&self, wanted: &HashSet<&DeviceId>) -> bool {
        self.devices.iter().any(|device| wanted.contains(device))
    }

    /// Bytes of all messages before compression.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}

/// The messages of a segment, decompressed.
pub(crate) struct Messages(Bytes);

impl Messages {
    /// Decompresses the `messages` column.
    pub(crate) fn decompress(directory: &Directory, column: &[u8]) -> Result<Self, StorageError> {
        let corrupt = || StorageError::corrupt("a segment's messages");
        let (version, block) = column.split_first().ok_or_else(corrupt)?;
        if *version != VERSION || directory.size > block.len().saturating_mul(LARGEST_EXPANSION) {
            return Err(corrupt());
        }
        let mut raw = vec![0; directory.size];
        let size = lz4_flex::block::decompress_into(block, &mut raw).map_err(|_| corrupt())?;
        if size != directory.size {
            return Err(corrupt());
        }
        Ok(Self(raw.into()))
    }

    /// All of them, as they stand side by side.
    pub(crate) fn bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// The runs of the devices that are wanted; `first` is the segment's first sequence. Messages that
    /// `keep` refuses are left out, and runs without any.
    pub(crate) fn runs(
        &self,
        directory: &Directory,
        first: Sequence,
        wanted: impl Fn(&DeviceId) -> bool,
        keep: impl Fn(&LogMessage) -> bool,
    ) -> Result<Vec<DeviceRun>, StorageError> {
        let corrupt = || StorageError::corrupt("a segment's messages");
        let mut runs = Vec::new();
        let (mut offset, mut sequence) = (0, first);
        for run in directory.runs() {
            if wanted(run.device) {
                let bytes = self.0.slice(offset..offset + run.bytes);
                let mut messages = self.run(&bytes, &run, sequence).ok_or_else(corrupt)?;
                messages.retain(|message| keep(message));
                if !messages.is_empty() {
                    runs.push(DeviceRun { device: run.device.clone(), messages });
                }
            }
            offset += run.bytes;
            sequence = sequence.plus(run.messages);
        }
        Ok(runs)
    }

    fn run(&self, bytes: &Bytes, run: &RunEntry<'_>, first: Sequence) -> Option<Vec<LogMessage>> {
        let mut input = Input(bytes);
        let mut at = run.start;
        let (mut component, mut properties) = (None, None);
        // The shortest message has eleven bytes.
        let expected = usize::try_from(run.messages).ok()?.min(bytes.len() / 11);
        let mut messages = Vec::with_capacity(expected);
        for offset in 0..run.messages {
            at = at.checked_add(input.signed()?)?;
            let received_at: Timestamp = timestamp(at).ok()?;
            let correlation = CorrelationId(u64::from_le_bytes(input.take(8)?.try_into().ok()?));
            let kind = input.byte()?;
            let channel = match kind & !USER_PROPERTIES {
                TELEMETRY => Channel::Telemetry { component: None },
                COMPONENT => Channel::Telemetry { component: Some(shared(&mut component, input.text()?)) },
                REPORTED => Channel::Reported,
                ACKNOWLEDGE => Channel::Acknowledge,
                DESIRED => Channel::Desired,
                _ => return None,
            };
            let user_properties = match kind & USER_PROPERTIES {
                0 => None,
                _ => Some(shared(&mut properties, input.text()?)),
            };
            let length = input.length()?;
            let payload = bytes.slice_ref(input.take(length)?);
            let sequence = first.plus(offset);
            messages.push(LogMessage {
                sequence,
                received_at,
                correlation,
                channel,
                user_properties,
                payload,
            });
        }
        input.0.is_empty().then_some(messages)
    }
}

/// A text that is mostly the same as in the message before: then both have one.
fn shared(before: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    let known = before.take().filter(|known| **known == *text);
    before.insert(known.unwrap_or_else(|| text.into())).clone()
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A number of things of at least a byte each, which must still be there.
    fn count(&mut self) -> Option<usize> {
        self.length().filter(|count| *count <= self.0.len())
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).ok()
    }
}
