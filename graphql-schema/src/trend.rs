//! A patient's past: points of one vital sign, read from the log and thinned for a chart.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use readings::{Reading, Unit, VitalSign};
use templates::RawMessage;
use tenants::{DeviceId, ErrorKind, access::Scope};
use twins::{
    device::Decoder,
    message::{Channel, DeviceRun},
    store::directory::DeviceRecord,
};

use crate::{
    Services,
    arguments::Period,
    errors::{ApiError, Result},
};

/// How much of a period is in memory at once.
const SLICE: SignedDuration = SignedDuration::from_hours(1);
/// Messages of one slice that are read at most, about 14 a second. One more and the trend would have a
/// gap that nobody sees; it is refused instead.
const SLICE_MESSAGES: usize = 50_000;
/// How long after its measurement a reading is still found: devices that lose the network send later what
/// they measured meanwhile.
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// One value at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// When it was measured.
    pub(crate) at: Timestamp,
    /// In the sign's canonical unit.
    pub(crate) value: f64,
}

/// The points of a sign that the devices measured in a period, oldest first. None for consciousness, which
/// has no number; 1 and 0 for a flag.
pub(crate) async fn read(
    services: &Services,
    scope: &Scope,
    devices: &[Arc<DeviceRecord>],
    sign: VitalSign,
    period: Period,
) -> Result<Vec<Point>> {
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<DeviceId> = devices.iter().map(|device| device.id.clone()).collect();
    let decoding = Arc::new(Decoding { decoders: decoders(services, devices)?, sign, period });
    let mut points = Vec::new();
    for slice in slices(period, services.clock.now()) {
        let runs =
            services.history.messages(scope, &ids, slice.since, slice.until, SLICE_MESSAGES + 1).await?;
        if runs.iter().map(|run| run.messages.len()).sum::<usize>() > SLICE_MESSAGES {
            let message = format!(
                "trend: more than {SLICE_MESSAGES} messages between {} and {}; ask for a shorter period",
                slice.since, slice.until
            );
            return Err(ApiError::new(ErrorKind::TooLarge, message));
        }
        // Decoding is arithmetic on up to some megabytes: not on a thread that serves sockets.
        let decoding = Arc::clone(&decoding);
        let decoded = tokio::task::spawn_blocking(move || decoding.points(&runs));
        points.extend(decoded.await.map_err(ApiError::internal)?);
    }
    points.sort_by(|a, b| a.at.cmp(&b.at).then(a.value.total_cmp(&b.value)));
    // A message that was sent again is in the log twice.
    points.dedup();
    Ok(points)
}

fn decoders(
    services: &Services,
    devices: &[Arc<DeviceRecord>],
) -> Result<HashMap<DeviceId, Arc<dyn Decoder>>> {
    let decoder = |device: &Arc<DeviceRecord>| {
        let found = (services.decoders)(&device.template);
        // Leaving the device out would show a gap as if nothing had been measured.
        let found = found.ok_or_else(|| {
            ApiError::internal(format!("device {} has the unknown template {}", device.id, device.template))
        })?;
        Ok((device.id.clone(), found))
    };
    devices.iter().map(decoder).collect()
}

/// When messages of a period were received, in parts.
fn slices(period: Period, now: Timestamp) -> Vec<Period> {
    let end = period.until.checked_add(LATE).unwrap_or(period.until);
    let end = end.min(now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now));
    let mut slices = Vec::new();
    let mut since = period.since;
    while since < end {
        let until = since.checked_add(SLICE).unwrap_or(end).min(end);
        slices.push(Period { since, until });
        since = until;
    }
    slices
}

struct Decoding {
    decoders: HashMap<DeviceId, Arc<dyn Decoder>>,
    sign: VitalSign,
    period: Period,
}

impl Decoding {
    fn points(&self, runs: &[DeviceRun]) -> Vec<Point> {
        let mut points = Vec::new();
        let mut readings = Vec::new();
        for run in runs {
            let Some(decoder) = self.decoders.get(&run.device) else { continue };
            for message in &run.messages {
                let Channel::Telemetry { component } = &message.channel else { continue };
                let raw = RawMessage {
                    component: component.as_deref(),
                    payload: &message.payload,
                    received_at: message.received_at,
                };
                readings.clear();
                // What cannot be understood was set aside when it came; the device's page shows it.
                if decoder.decode(raw, &mut readings).is_ok() {
                    points.extend(readings.iter().filter_map(|reading| self.point(reading)));
                }
            }
        }
        points
    }

    fn point(&self, reading: &Reading) -> Option<Point> {
        let Period { since, until } = self.period;
        if reading.sign != Some(self.sign) || !(since..until).contains(&reading.measured_at) {
            return None;
        }
        let value = reading.value.as_comparable()?;
        let value = canonical(value, reading.unit.as_ref(), self.sign.unit().as_ref())?;
        Some(Point { at: reading.measured_at, value })
    }
}

/// The value in the sign's unit; none where it cannot be told.
fn canonical(value: f64, unit: Option<&Unit>, wanted: Option<&Unit>) -> Option<f64> {
    match (unit, wanted) {
        (Some(unit), Some(wanted)) if unit != wanted => {
            Some(unit.converter_to(wanted).ok()?.apply(value)).filter(|value| value.is_finite())
        }
        (None, Some(_)) => None,
        _ => Some(value),
    }
}

/// At most `most` (4 or more) of the points, oldest first: the first, the last, and of each of equally long
/// stretches of time between them the lowest and the highest, so that no peak is lost to a chart.
pub(crate) fn thin(points: &[Point], most: usize) -> Vec<Point> {
    let [first, between @ .., last] = points else { return points.to_vec() };
    if points.len() <= most {
        return points.to_vec();
    }
    let stretches = (most.saturating_sub(2) / 2).max(1);
    let span = micros(first.at, last.at).saturating_add(1);
    let stretch_of = |point: &Point| micros(first.at, point.at).saturating_mul(stretches as u128) / span;

    let mut kept = Vec::with_capacity(most);
    kept.push(*first);
    for stretch in between.chunk_by(|a, b| stretch_of(a) == stretch_of(b)) {
        let by_value = |a: &(usize, &Point), b: &(usize, &Point)| a.1.value.total_cmp(&b.1.value);
        let lowest = stretch.iter().enumerate().min_by(by_value);
        let highest = stretch.iter().enumerate().max_by(by_value);
        let (Some(lowest), Some(highest)) = (lowest, highest) else { continue };
        kept.push(*(if lowest.0 < highest.0 { lowest.1 } else { highest.1 }));
        if lowest.1.value < highest.1.value {
            kept.push(*(if lowest.0 < highest.0 { highest.1 } else { lowest.1 }));
        }
    }
    kept.push(*last);
    kept
}

fn micros(from: Timestamp, to: Timestamp) -> u128 {
    to.duration_since(from).as_micros().unsigned_abs()
}

#[cfg(test)]
mod tests;
