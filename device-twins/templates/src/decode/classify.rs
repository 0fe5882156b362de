//! What the JSON library's errors mean.

use serde_json::error::Category;

use crate::{Defect, DefectReason};

/// The defect of a payload that the JSON library refused.
pub(super) fn syntax(error: &serde_json::Error, payload: &[u8]) -> Defect {
    let place = format!("line {}, column {}", error.line(), error.column());
    // The library tells these two apart by their text only.
    let text = error.to_string();
    if text.starts_with("number out of range") {
        return DefectReason::NotFinite.because(format!("a number too large at {place}"));
    }
    if text.starts_with("recursion limit exceeded") {
        return DefectReason::TooDeep.because(format!("nested too deep at {place}"));
    }
    if let Some(token) = not_a_number(payload, error.line(), error.column()) {
        return DefectReason::NotFinite.because(format!("{token} at {place}"));
    }
    let what = match error.classify() {
        Category::Eof => "the payload ends too early",
        _ => "not JSON",
    };
    DefectReason::NotJson.because(format!("{what} at {place}"))
}

/// The word at the mistake, if it is one that programs write for a number that is none: JSON has no such words.
fn not_a_number(payload: &[u8], line: usize, column: usize) -> Option<&'static str> {
    let line = payload.split(|byte| *byte == b'\n').nth(line.checked_sub(1)?)?;
    let is_word = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'+');
    let mistake = column.saturating_sub(1).min(line.len());
    let (before, after) = line.split_at_checked(mistake)?;
    let begin = before.iter().rposition(|byte| !is_word(byte)).map_or(0, |at| at + 1);
    let end = mistake + after.iter().position(|byte| !is_word(byte)).unwrap_or(after.len());
    let word = line.get(begin..end)?.trim_ascii();
    let word = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    ["NaN", "Infinity", "Inf"].into_iter().find(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}
