//! What identifies a patient, sealed, and how it is found nevertheless.
//!
//! Name, record number and date of birth stand in one sealed text. A search looks for the beginnings of words: beside the
//! text stand the blind indexes of all of them, so that the database can compare without being able to read. Who has the
//! database sees how many patients share a beginning, not which.

use std::collections::BTreeSet;

use ::tenants::{
    TenantId,
    keys::{SealError, SealedFor, TenantKeys},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use twins::store::directory::PatientRecord;
use uuid::Uuid;

use crate::{
    columns::{folded, storable},
    errors::StorageError,
    sealed::IDENTITY,
};

/// Characters of a word's shortest beginning that is found, unless the word is shorter.
const SHORTEST: usize = 2;
/// And of its longest; what follows is not compared.
const LONGEST: usize = 16;
/// What indexes of record numbers as a whole are made for.
const MRN: &str = "patient.mrn";

/// A text whose words' beginnings can be looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Searched {
    Name,
    Mrn,
}

impl Searched {
    const fn purpose(self) -> &'static str {
        match self {
            Self::Name => "patient.name words",
            Self::Mrn => "patient.mrn words",
        }
    }
}

/// What identifies a patient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) name: Option<String>,
    pub(crate) mrn: Option<String>,
    pub(crate) birth_date: Option<Date>,
}

/// The columns in which it stands.
pub(crate) struct Columns {
    pub(crate) identity: Vec<u8>,
    pub(crate) mrn_index: Option<String>,
    pub(crate) name_search: String,
    pub(crate) mrn_search: String,
}

impl Identity {
    pub(crate) fn of(patient: &PatientRecord) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(storable);
        Self { name: text(&patient.name), mrn: text(&patient.mrn), birth_date: patient.birth_date }
    }

    /// Sealed and indexed. Where there are no keys it is neither, and can be read in the database.
    pub(crate) fn columns(
        &self,
        keys: &dyn TenantKeys,
        tenant: TenantId,
        patient: Uuid,
    ) -> Result<Columns, StorageError> {
        let plain = serde_json::to_vec(self).map_err(|_| StorageError::corrupt("a patient's identity"))?;
        let row = patient.to_string();
        let identity = match keys.seal(sealed_for(tenant, &row), &plain) {
            Err(SealError::NoKey) => plain,
            sealed => sealed?,
        };
        Ok(Columns {
            identity,
            mrn_index: self.mrn.as_deref().map(|mrn| mrn_index(keys, mrn)),
            name_search: beginnings(keys, Searched::Name, self.name.as_deref()),
            mrn_search: beginnings(keys, Searched::Mrn, self.mrn.as_deref()),
        })
    }

    /// As it stands in the column.
    pub(crate) fn open(
        keys: &dyn TenantKeys,
        tenant: TenantId,
        patient: Uuid,
        stored: Option<&[u8]>,
    ) -> Result<Self, StorageError> {
        let Some(stored) = stored else { return Ok(Self::default()) };
        let row = patient.to_string();
        let opened = if stored.starts_with(b"{") {
            stored.to_vec()
        } else {
            keys.open(sealed_for(tenant, &row), stored)?
        };
        serde_json::from_slice(&opened).map_err(|_| StorageError::corrupt("a patient's identity"))
    }
}

fn sealed_for(tenant: TenantId, row: &str) -> SealedFor<'_> {
    SealedFor { tenant, purpose: IDENTITY, row }
}

/// By which a patient with this record number is found, and of which there is one only.
pub(crate) fn mrn_index(keys: &dyn TenantKeys, mrn: &str) -> String {
    hex(&keys.index(MRN, &storable(mrn)).0)
}

/// The indexes of what begins like each of the searched words; all of them must be found.
pub(crate) fn sought(keys: &dyn TenantKeys, what: Searched, text: &str) -> Vec<String> {
    let words = folded(text);
    let words = words.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| index(keys, what, &word.chars().take(LONGEST).collect::<String>())).collect()
}

/// The indexes of all beginnings of words, in no order that tells anything.
fn beginnings(keys: &dyn TenantKeys, what: Searched, text: Option<&str>) -> String {
    let text = storable(&folded(text.unwrap_or_default()));
    let mut found = BTreeSet::new();
    for word in text.split_whitespace() {
        for start in starts(word) {
            let rest: Vec<char> = word[start..].chars().take(LONGEST).collect();
            for end in SHORTEST.min(rest.len())..=rest.len() {
                found.insert(index(keys, what, &rest[..end].iter().collect::<String>()));
            }
        }
    }
    found.into_iter().collect::<Vec<_>>().join(" ")
}

/// Where a word can be said to begin: `smith-jones` at `smith` and at `jones`.
fn starts(word: &str) -> impl Iterator<Item = usize> {
    let mut inside = false;
    word.char_indices().filter_map(move |(at, c)| {
        let begins = c.is_alphanumeric() && !inside;
        inside = c.is_alphanumeric();
        begins.then_some(at)
    })
}

/// 64 bits: two beginnings that meet by chance only make a search find one patient too many.
fn index(keys: &dyn TenantKeys, what: Searched, beginning: &str) -> String {
    hex(&keys.index(what.purpose(), beginning).0[..8])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text does not fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use ::tenants::keys::NoKeys;
    use proptest::prelude::*;

    use super::*;

    fn finds(text: &str, wanted: &str) -> bool {
        let kept = beginnings(&NoKeys, Searched::Name, Some(text));
        let sought = sought(&NoKeys, Searched::Name, wanted);
        !sought.is_empty() && sought.iter().all(|index| kept.contains(index.as_str()))
    }

    #[test]
    fn a_search_finds_beginnings_of_words_whatever_their_case_and_order() {
        for (text, wanted, found) in [
            ("Ágnes Doe", "ágn", true),
            ("Ágnes Doe", "DOE ágnes", true),
            ("Ágnes Doe", "do, á", false),
            ("Ágnes Doe", "gnes", false),
            ("Smith-Jones", "jon", true),
            ("Smith-Jones", "smith-j", true),
            ("O'Brien", "brien", true),
            ("O'Brien", "o'b", true),
            ("MRN-77", "77", true),
            ("MRN-77", "mrn-7", true),
            ("MRN-77", "mrn-8", false),
            ("1", "1", true),
            ("12", "1", false),
            ("Wolfeschlegelsteinhausenberger", "wolfeschlegelsteinhausen", true),
            ("Doe", "", false),
            ("Doe", "-", false),
        ] {
            assert_eq!(finds(text, wanted), found, "{wanted:?} in {text:?}");
        }
    }

    #[test]
    fn names_and_record_numbers_have_different_indexes() {
        let name = beginnings(&NoKeys, Searched::Name, Some("12"));
        assert_ne!(name, beginnings(&NoKeys, Searched::Mrn, Some("12")));
    }

    proptest! {
        #[test]
        fn every_text_is_found_by_each_of_its_words(text in "\\PC{0,40}") {
            for word in text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)) {
                prop_assert!(finds(&text, word) || word.trim_matches(|c: char| !c.is_alphanumeric()).chars().count() < SHORTEST);
            }
        }

        #[test]
        fn what_was_kept_is_read_again(name in ".{0,20}", mrn in proptest::option::of(".{0,12}")) {
            let identity = Identity { name: Some(storable(&name)), mrn, birth_date: None };
            let tenant = TenantId::PLATFORM;
            let id = Uuid::nil();
            let columns = identity.columns(&NoKeys, tenant, id).unwrap();
            prop_assert_eq!(Identity::open(&NoKeys, tenant, id, Some(&columns.identity)).unwrap(), identity);
        }
    }
}
