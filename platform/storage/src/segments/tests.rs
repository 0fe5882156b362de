//! Whatever is encoded comes back; whatever is read is refused without a panic.

use std::collections::HashSet;

use bytes::Bytes;
use proptest::prelude::*;
use tenants::{CorrelationId, DeviceId, Sequence};
use twins::message::{Channel, DeviceRun, LogMessage};

use super::{Directory, Encoded, Messages, Scratch, encode, join};
use crate::columns::timestamp;

fn any_channel() -> impl Strategy<Value = Channel> {
    prop_oneof![
        3 => Just(Channel::Telemetry { component: None }),
        2 => "[a-zäö]{1,4}".prop_map(|name| Channel::Telemetry { component: Some(name.into()) }),
        1 => Just(Channel::Reported),
        1 => Just(Channel::Acknowledge),
        1 => Just(Channel::Desired),
    ]
}

fn any_message() -> impl Strategy<Value = LogMessage> {
    // All times that a column can hold as a time, mostly neighbours.
    let time = prop_oneof![
        9 => 1_767_000_000_000_000_i64..1_767_000_001_000_000,
        1 => -377_705_023_201_000_000_i64..253_402_207_200_000_000,
    ];
    let payload = prop::collection::vec(any::<u8>(), 0..300);
    let properties = prop::option::weighted(0.2, "[a-c]{1,2}=[a-zäö]{0,4}");
    (time, any::<u64>(), any_channel(), properties, payload).prop_map(
        |(time, correlation, channel, properties, payload)| LogMessage {
            sequence: Sequence::ZERO,
            received_at: timestamp(time).unwrap(),
            correlation: CorrelationId(correlation),
            channel,
            user_properties: properties.map(Into::into),
            payload: Bytes::from(payload),
        },
    )
}

fn any_runs() -> impl Strategy<Value = Vec<DeviceRun>> {
    let run = ("[a-c]{1,2}", prop::collection::vec(any_message(), 1..6));
    let run = run.prop_map(|(id, messages)| DeviceRun { device: DeviceId::parse(&id).unwrap(), messages });
    prop::collection::vec(run, 1..8)
}

/// Numbers the messages, as a log does.
fn numbered(mut runs: Vec<DeviceRun>, first: u64) -> Vec<DeviceRun> {
    let messages = runs.iter_mut().flat_map(|run| &mut run.messages);
    for (sequence, message) in (first..).zip(messages) {
        message.sequence = Sequence(sequence);
    }
    runs
}

fn count(runs: &[DeviceRun]) -> i64 {
    runs.iter().map(|run| run.messages.len() as i64).sum()
}

fn directory(encoded: &Encoded, first: i64, runs: &[DeviceRun]) -> Directory {
    Directory::decode(&encoded.directory, first..=first + count(runs) - 1).unwrap()
}

fn decoded(encoded: &Encoded, first: i64, runs: &[DeviceRun]) -> Vec<DeviceRun> {
    let directory = directory(encoded, first, runs);
    let messages = Messages::decompress(&directory, &encoded.messages).unwrap();
    messages.runs(&directory, Sequence(first as u64), |_| true, |_| true).unwrap()
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back(runs in any_runs(), first in 1_u64..1_000_000) {
        let runs = numbered(runs, first);
        let mut scratch = Scratch::default();
        let encoded = encode(&runs, &mut scratch).unwrap();
        prop_assert_eq!(&decoded(&encoded, first as i64, &runs), &runs);
        prop_assert_eq!(&encode(&runs, &mut scratch).unwrap(), &encoded, "the scratch leaves traces");
        let times = runs.iter().flat_map(|run| &run.messages).map(|m| m.received_at.as_microsecond());
        prop_assert_eq!(encoded.received_from, times.clone().min().unwrap());
        prop_assert_eq!(encoded.received_to, times.max().unwrap());
    }

    #[test]
    fn one_device_is_read_without_the_others(runs in any_runs()) {
        let runs = numbered(runs, 1);
        let encoded = encode(&runs, &mut Scratch::default()).unwrap();
        let directory = directory(&encoded, 1, &runs);
        let messages = Messages::decompress(&directory, &encoded.messages).unwrap();
        for id in ["a", "b", "cc", "nobody"] {
            let id = DeviceId::parse(id).unwrap();
            let own: Vec<DeviceRun> = runs.iter().filter(|run| run.device == id).cloned().collect();
            prop_assert_eq!(directory.has_any(&HashSet::from([&id])), !own.is_empty());
            let found = messages.runs(&directory, Sequence(1), |device| *device == id, |_| true).unwrap();
            prop_assert_eq!(found, own);
        }
    }

    #[test]
    fn joined_segments_hold_the_same(first in any_runs(), second in any_runs()) {
        let first = numbered(first, 1);
        let middle = 1 + count(&first);
        let second = numbered(second, middle as u64);
        let mut scratch = Scratch::default();
        let mut parts = Vec::new();
        for (runs, begin) in [(&first, 1), (&second, middle)] {
            let encoded = encode(runs, &mut scratch).unwrap();
            let directory = directory(&encoded, begin, runs);
            let bytes = Messages::decompress(&directory, &encoded.messages).unwrap().bytes();
            parts.push((directory, bytes));
        }
        let parts: Vec<_> = parts.iter().map(|(directory, bytes)| (directory, bytes.clone())).collect();
        let joined = join(&parts, (0, 0), &mut scratch).unwrap();
        let all = [first, second].concat();
        prop_assert_eq!(decoded(&joined, 1, &all), all);
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_without_a_panic(
        runs in any_runs(),
        in_directory in any::<bool>(),
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let runs = numbered(runs, 1);
        let mut encoded = encode(&runs, &mut Scratch::default()).unwrap();
        let bytes = if in_directory { &mut encoded.directory } else { &mut encoded.messages };
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = with }
        read_all(&encoded.directory, &encoded.messages, count(&runs));
    }

    #[test]
    fn any_bytes_are_refused_or_read_without_a_panic(
        directory in prop::collection::vec(any::<u8>(), 0..80),
        messages in prop::collection::vec(any::<u8>(), 0..80),
        count in 0_i64..20,
    ) {
        let with_version = |bytes: &[u8]| [&[1], bytes].concat();
        read_all(&directory, &messages, count);
        read_all(&with_version(&directory), &with_version(&messages), count);
    }
}

fn read_all(directory: &[u8], messages: &[u8], count: i64) {
    if let Ok(directory) = Directory::decode(directory, 1..=count)
        && let Ok(messages) = Messages::decompress(&directory, messages)
    {
        drop(messages.runs(&directory, Sequence(1), |_| true, |_| true));
    }
}

#[test]
fn a_directory_of_another_version_or_count_is_refused() {
    let message = LogMessage {
        sequence: Sequence(1),
        received_at: timestamp(0).unwrap(),
        correlation: CorrelationId(1),
        channel: Channel::Reported,
        user_properties: None,
        payload: Bytes::from_static(b"{}"),
    };
    let runs = [DeviceRun { device: DeviceId::parse("a").unwrap(), messages: vec![message] }];
    let mut encoded = encode(&runs, &mut Scratch::default()).unwrap();
    assert!(Directory::decode(&encoded.directory, 1..=1).is_ok());
    assert!(Directory::decode(&encoded.directory, 1..=2).is_err());
    assert!(Directory::decode(&encoded.directory, i64::MIN..=i64::MAX).is_err());
    encoded.directory[0] = 2;
    assert!(Directory::decode(&encoded.directory, 1..=1).is_err());
}
