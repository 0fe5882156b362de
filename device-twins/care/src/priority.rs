//! How urgent an alarm is.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The priority of an alarm after IEC 60601-1-8 (edition 2006 with amendments 1:2012 and 2:2020), clause 6.1.2.
///
/// There, in Table 1, it follows from what may come of not answering, and how soon:
///
/// | potential result of not responding | immediate | prompt | delayed |
/// |---|---|---|---|
/// | death or irreversible injury | high | high | medium |
/// | reversible injury | high | medium | low |
/// | minor injury or discomfort | medium | low | low, or no alarm |
///
/// Ordered so that sorting puts the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Immediate response by the operator is required.
    High,
    /// Prompt response by the operator is required.
    Medium,
    /// The operator must be aware of it.
    Low,
}

/// A text that names no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a priority: expected high, medium or low")]
pub struct UnknownPriority {
    /// What was given, cut to 64 characters.
    text: String,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// What programs call it: `high`, `medium`, `low`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Priority {
    type Err = UnknownPriority;
    fn from_str(key: &str) -> Result<Self, UnknownPriority> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.key() == key)
            .ok_or_else(|| UnknownPriority { text: key.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_sorts_first_and_keys_come_back() {
        let mut mixed = [Priority::Low, Priority::High, Priority::Medium];
        mixed.sort();
        assert_eq!(mixed, Priority::ALL);
        for priority in Priority::ALL {
            assert_eq!(priority.key().parse(), Ok(priority));
            assert_eq!(serde_json::to_string(&priority).unwrap(), format!("{:?}", priority.key()));
        }
        assert!("urgent".parse::<Priority>().is_err());
    }
}
