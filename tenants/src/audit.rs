//! What is written down about who did what.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    access::{Caller, Elevated},
    ids::{CorrelationId, IdError, TenantId},
};

/// Longest fact, in characters; a longer one is cut.
const MAX_FACT: usize = 512;
/// Most facts of one entry; further ones are left out.
const MAX_FACTS: usize = 16;
/// Longest description of a program, in characters.
const MAX_AGENT: usize = 120;

/// How an audited attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
}

impl Outcome {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            "success" => Ok(Self::Success),
            "denied" => Ok(Self::Denied),
            _ => Err(IdError::new("outcome", "success or denied", text)),
        }
    }
}

/// Through what somebody reached the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The platform itself: nobody reached it.
    #[default]
    System,
    /// The user interface.
    Ui,
    /// A program that speaks GraphQL.
    Graphql,
    /// A REST address.
    Rest,
    /// MQTT.
    Mqtt,
    /// The command line, beside the database.
    Cli,
}

impl Channel {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Ui => "ui",
            Self::Graphql => "graphql",
            Self::Rest => "rest",
            Self::Mqtt => "mqtt",
            Self::Cli => "cli",
        }
    }
}

/// Where somebody comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Origin {
    /// Through what.
    pub channel: Channel,
    /// Network address, empty when there is none.
    pub address: Arc<str>,
    /// What the program says it is, empty when it says nothing; at most 120 characters.
    pub agent: Arc<str>,
}

impl Origin {
    /// From somewhere in the network.
    pub fn new(channel: Channel, address: &str, agent: &str) -> Self {
        let agent: String = agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
        Self { channel, address: address.into(), agent: agent.into() }
    }
}

/// One line of a tenant's audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Whose trail.
    pub tenant: TenantId,
    /// When, by the platform's clock.
    pub at: Timestamp,
    /// Who: `user:<id>`, `operator:<id>`, `device:<id>`, `system`, or `anonymous` for a refused sign-in.
    pub actor: String,
    /// What they were called then; empty where there is no name.
    pub actor_name: String,
    /// What: `<object>.<verb>`, e.g. `alarm.acknowledge`, `device.connect`.
    pub action: String,
    /// On what: `<object>:<id>`.
    pub subject: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in words, without secrets and without patient data; empty when nobody said. What somebody gave as the reason
    /// of an emergency stands as they wrote it.
    pub detail: String,
    /// Where it came from.
    pub origin: Origin,
    /// The policy or role under which it was allowed, when that is known.
    pub policy: Option<String>,
    /// Further facts by name, without secrets and without patient data. Use [`AuditEntry::with`].
    pub facts: BTreeMap<String, String>,
    /// Leads to the traces.
    pub correlation: CorrelationId,
}

impl AuditEntry {
    /// Something that was done, without further words.
    pub fn new(
        tenant: TenantId,
        at: Timestamp,
        actor: impl Into<String>,
        action: impl Into<String>,
        subject: impl Into<String>,
    ) -> Self {
        Self {
            tenant,
            at,
            actor: actor.into(),
            actor_name: String::new(),
            action: action.into(),
            subject: subject.into(),
            outcome: Outcome::Success,
            detail: String::new(),
            origin: Origin::default(),
            policy: None,
            facts: BTreeMap::new(),
            correlation: CorrelationId::default(),
        }
    }

    /// Something that a caller did in their tenant.
    pub fn by(caller: &Caller, at: Timestamp, action: impl Into<String>, subject: impl Into<String>) -> Self {
        let entry = Self::new(caller.tenant, at, caller.actor(), action, subject);
        let Some(Elevated { id, name, granted_by, reason, .. }) = caller.elevated() else {
            return Self { actor_name: caller.name(), ..entry };
        };
        // Whoever reads the trail sees at a glance that this is nobody of theirs, and who let them in.
        let actor_name = format!("operator {name}, elevated by {granted_by} because: {reason}");
        Self { actor_name, ..entry.with("elevation", id) }
    }

    /// With a further fact, cut to 512 characters; of more than 16 the last ones are left out.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl std::fmt::Display) -> Self {
        if self.facts.len() < MAX_FACTS {
            self.facts.insert(name.to_owned(), fact.to_string().chars().take(MAX_FACT).collect());
        }
        self
    }
}

/// SHA-256 of an entry and, through the one before, of all earlier ones. Written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditHash(pub [u8; 32]);

impl std::fmt::Display for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for AuditHash {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::new("audit hash", "64 hexadecimal digits", text);
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut hash = [0; 32];
        for (n, byte) in hash.iter_mut().enumerate() {
            let digits = text.get(2 * n..2 * n + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(hash))
    }
}

/// The newest entry of a tenant's chain: whoever kept it elsewhere notices when the chain was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whose chain.
    pub tenant: TenantId,
    /// Its length.
    pub seq: u64,
    /// Hash of its last entry.
    pub hash: AuditHash,
}

/// What was found of a tenant's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// Whose chain.
    pub tenant: TenantId,
    /// Entries that are whole, from the first on.
    pub whole: u64,
    /// The newest entry when all are whole; `None` when there is none.
    pub head: Option<Head>,
    /// The first entry that is not as it was written.
    pub broken: Option<Break>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The place of the first bad entry.
    pub seq: u64,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this actor, e.g. `user:<id>`.
    pub actor: Option<String>,
    /// On this subject, e.g. `patient:<id>`.
    pub subject: Option<String>,
    /// With this action, e.g. `patient.read`; with a dot at the end all of that object: `patient.`.
    pub action: Option<String>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_bounded() {
        let mut entry =
            AuditEntry::new(TenantId::PLATFORM, Timestamp::UNIX_EPOCH, "system", "test.x", "test:1");
        for n in 0..40 {
            entry = entry.with(&format!("fact {n:02}"), "ü".repeat(2_000));
        }
        assert_eq!(entry.facts.len(), MAX_FACTS);
        assert!(entry.facts.values().all(|fact| fact.chars().count() == MAX_FACT));
        let agent = Origin::new(Channel::Ui, "::1", &format!("a\nb{}", "x".repeat(500))).agent;
        assert!(agent.starts_with("abx") && agent.len() == MAX_AGENT);
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = AuditHash(std::array::from_fn(|n| n as u8 * 7));
        assert_eq!(hash.to_string().parse::<AuditHash>().unwrap(), hash);
        for wrong in ["", "0", &"g".repeat(64), &"é".repeat(32)] {
            assert!(wrong.parse::<AuditHash>().is_err(), "{wrong}");
        }
    }
}
