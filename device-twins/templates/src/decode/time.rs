//! When a device says that it measured.

use jiff::{SignedDuration, Timestamp};
use tenants::clock::whole_microseconds;

use super::node::Node;
use crate::{Defect, DefectReason};

/// 2000-01-01T00:00:00Z in seconds: before it no device of this platform measured anything, but clocks that
/// were never set show 1970, and seconds that were meant as milliseconds land in January 1970.
const EARLIEST_SECOND: i64 = 946_684_800;
/// How far a device's clock may run ahead of the server's; a wrong time zone stays within.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The time of a message from its `ts`: RFC 3339, or milliseconds since 1970.
pub(super) fn measured_at(ts: &Node<'_>, received_at: Timestamp) -> Result<Timestamp, Defect> {
    let at = match ts {
        // No time now, as for any other value: then that of receipt.
        Node::Null => return Ok(received_at),
        Node::Number(milliseconds) => from_milliseconds(*milliseconds),
        Node::Text(text) => match text.parse::<Timestamp>() {
            Ok(at) => Some(whole_microseconds(at)),
            Err(_) if looks_like_a_date(text) => None,
            Err(_) => return Err(wrong_type()),
        },
        _ => return Err(wrong_type()),
    };
    let latest = received_at.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    at.filter(|at| at.as_second() >= EARLIEST_SECOND && *at <= latest).ok_or_else(|| {
        DefectReason::TimeOutOfRange
            .because("ts: before the year 2000, more than 24 h after receipt, or no such date")
    })
}

fn wrong_type() -> Defect {
    DefectReason::WrongType
        .because("ts: expected an RFC 3339 time with its offset, or milliseconds since 1970")
}

/// To the microsecond, which is what the log keeps.
#[allow(clippy::cast_possible_truncation, reason = "a cast that saturates; what is out of range is refused")]
fn from_milliseconds(milliseconds: f64) -> Option<Timestamp> {
    Timestamp::from_microsecond((milliseconds * 1000.0).round() as i64).ok()
}

/// Whether a text that is no time was meant as one that is out of range: `30000-01-01T00:00:00Z`, month 13.
/// Without an offset it is no time at all, in whatever range.
fn looks_like_a_date(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let year = digits.bytes().take_while(u8::is_ascii_digit).count();
    let time = digits.split_once(['T', 't', ' ']).map_or("", |(_, time)| time);
    year >= 4
        && digits.get(year..).is_some_and(|rest| rest.starts_with('-'))
        && time.contains(['Z', 'z', '+', '-'])
}
