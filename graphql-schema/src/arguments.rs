//! What arguments must be, and what a client is told when they are not.

use std::str::FromStr;

use async_graphql::ID;
use care::Acknowledgement;
use jiff::{SignedDuration, Timestamp};
use tenants::{IdError, Sequence};
use twins::store::directory::{MAX_PAGE, PageRequest};

use crate::errors::{ApiError, Result};

/// Rows of a page when `first` is null.
pub(crate) const DEFAULT_PAGE: i32 = 50;
/// Longest text that is searched for or used as a cursor, in characters; the longest name has 128.
const MAX_SEARCH: usize = 200;
/// How far back a trend starts when `since` is null.
const DEFAULT_TREND: SignedDuration = SignedDuration::from_mins(30);
/// The longest trend. A trend is read from messages, one by one: a day of one reading a second is 86,400.
pub(crate) const MAX_TREND: SignedDuration = SignedDuration::from_hours(24);
/// Points of a trend when `maxPoints` is null: about what a chart has pixels for.
pub(crate) const DEFAULT_POINTS: i32 = 600;
const POINTS: std::ops::RangeInclusive<i32> = 10..=5_000;

/// Reads an id.
pub(crate) fn id<T: FromStr<Err = IdError>>(id: &ID) -> Result<T> {
    Ok(id.parse::<T>()?)
}

/// What something is called: something, without control characters.
pub(crate) fn name(field: &str, text: &str, most: usize) -> Result<String> {
    let name = text.trim();
    let fits = (1..=most).contains(&name.chars().count()) && !name.contains(char::is_control);
    let problem = || ApiError::bad_input(format!("{field}: expected 1 to {most} characters"));
    if fits { Ok(name.to_owned()) } else { Err(problem()) }
}

/// How many rows: 1 to 200.
pub(crate) fn count(name: &str, given: Option<i32>, default: i32) -> Result<u32> {
    let wanted = given.unwrap_or(default);
    u32::try_from(wanted)
        .ok()
        .filter(|rows| (1..=MAX_PAGE).contains(rows))
        .ok_or_else(|| ApiError::bad_input(format!("{name}: expected 1 to {MAX_PAGE}, got {wanted}")))
}

/// Which part of a list.
pub(crate) fn page(first: Option<i32>, after: Option<String>, search: Option<String>) -> Result<PageRequest> {
    for (name, text) in [("after", &after), ("search", &search)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH) {
            return Err(ApiError::bad_input(format!("{name}: expected at most {MAX_SEARCH} characters")));
        }
    }
    let search = search.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(PageRequest { first: count("first", first, DEFAULT_PAGE)?, after, search, count: false })
}

/// A place in the log.
pub(crate) fn sequence(name: &str, text: &str) -> Result<Sequence> {
    let problem = || ApiError::bad_input(format!("{name}: expected the sequence of a message"));
    text.parse().map(Sequence).map_err(|_| problem())
}

/// A note as it is kept: without spaces around it, none when nothing is left.
pub(crate) fn note(note: Option<String>) -> Result<Option<String>> {
    let Some(note) = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty()) else {
        return Ok(None);
    };
    let length = note.chars().count();
    if length > Acknowledgement::MAX_NOTE {
        let most = Acknowledgement::MAX_NOTE;
        return Err(ApiError::bad_input(format!("note: expected at most {most} characters, got {length}")));
    }
    if note.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err(ApiError::bad_input("note: control characters are not kept; remove them"));
    }
    Ok(Some(note))
}

/// Which stretch of time: `since..until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// From, included.
    pub(crate) since: Timestamp,
    /// To, excluded.
    pub(crate) until: Timestamp,
}

/// The period of a trend: the last 30 minutes unless said otherwise, at most 24 hours.
pub(crate) fn period(since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Result<Period> {
    // A reading that was taken this very microsecond belongs in.
    let until = until.unwrap_or_else(|| now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now));
    let since = since.unwrap_or_else(|| until.min(now).checked_sub(DEFAULT_TREND).unwrap_or(until));
    if since >= until {
        return Err(ApiError::bad_input(format!("since: {since} must be before until, {until}")));
    }
    // The second above must not make a whole day too long.
    if until.min(now).duration_since(since) > MAX_TREND {
        let hours = MAX_TREND.as_hours();
        return Err(ApiError::bad_input(format!("since: expected at most {hours} hours before until")));
    }
    Ok(Period { since, until })
}

/// How many points a trend may have.
pub(crate) fn points(given: Option<i32>) -> Result<usize> {
    let wanted = given.unwrap_or(DEFAULT_POINTS);
    let (least, most) = (POINTS.start(), POINTS.end());
    usize::try_from(wanted)
        .ok()
        .filter(|_| POINTS.contains(&wanted))
        .ok_or_else(|| ApiError::bad_input(format!("maxPoints: expected {least} to {most}, got {wanted}")))
}

#[cfg(test)]
mod tests {
    use tenants::{ErrorKind, PatientId};

    use super::*;

    fn refused<T>(result: Result<T>) -> bool {
        result.is_err_and(|error| error.kind() == ErrorKind::BadInput)
    }

    #[test]
    fn a_page_has_1_to_200_rows() {
        assert_eq!(page(None, None, None).map(|page| page.first).ok(), Some(50));
        for first in [1, 200] {
            assert!(page(Some(first), None, None).is_ok(), "{first}");
        }
        for first in [i32::MIN, -1, 0, 201, i32::MAX] {
            assert!(refused(page(Some(first), None, None)), "{first}");
        }
        assert!(refused(page(None, None, Some("x".repeat(201)))));
        assert!(refused(page(None, Some("x".repeat(201)), None)));
        assert_eq!(page(None, None, Some("  ".into())).ok().and_then(|page| page.search), None);
    }

    #[test]
    fn a_note_has_at_most_500_characters() {
        assert_eq!(note(None).ok(), Some(None));
        assert_eq!(note(Some(" \n".into())).ok(), Some(None));
        assert_eq!(note(Some(" seen\n".into())).ok(), Some(Some("seen".into())));
        assert!(note(Some("ü".repeat(500))).is_ok());
        assert!(refused(note(Some("ü".repeat(501)))));
        assert!(refused(note(Some("a\0b".into()))));
    }

    #[test]
    fn a_trend_covers_at_most_a_day() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let hours = |hours| SignedDuration::from_hours(hours);
        let default = period(None, None, now).ok().unwrap();
        assert_eq!(default.since, now - SignedDuration::from_mins(30));
        assert!(default.until > now);
        assert!(period(Some(now - hours(24)), None, now).is_ok());
        assert!(refused(period(Some(now - hours(25)), None, now)));
        assert!(period(Some(now - hours(49)), Some(now - hours(25)), now).is_ok());
        assert!(refused(period(Some(now), Some(now), now)));
        assert!(refused(period(Some(now + hours(2)), None, now)));
        assert!(period(None, Some(now + hours(2)), now).is_ok(), "an end that is still to come");
    }

    #[test]
    fn a_trend_has_10_to_5000_points() {
        assert_eq!(points(None).ok(), Some(600));
        for good in [10, 5_000] {
            assert!(points(Some(good)).is_ok());
        }
        for bad in [i32::MIN, 0, 9, 5_001] {
            assert!(refused(points(Some(bad))));
        }
    }

    #[test]
    fn an_id_of_the_wrong_form_is_bad_input() {
        assert!(refused(id::<PatientId>(&ID("patient-7".into()))));
        assert!(id::<PatientId>(&ID("00000000-0000-0000-0000-000000000007".into())).is_ok());
    }
}
