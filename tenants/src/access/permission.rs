//! The vocabulary of rights: roles, objects, actions.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::ids::IdError;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// As written in policies and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(IdError::new(stringify!($name), concat!("one of", $(" ", $word),+), text)),
                }
            }
        }
    };
}
words!(
    /// The roles that are there from the start; a hospital can make further ones.
    Role {
        /// Runs the platform; sees hospitals, never their patients.
        Operator = "operator",
        /// Runs one hospital's fleet, users and rules.
        Admin = "admin",
        /// Treats patients; also edits rules.
        Clinician = "clinician",
        /// Cares for patients.
        Nurse = "nurse",
        /// Keeps devices working; sees no patient's data.
        Technician = "technician",
        /// Studies data without knowing whose it is.
        Researcher = "researcher",
        /// A program of the hospital.
        Integrator = "integrator",
        /// Reads who did what; sees no patient's data.
        Auditor = "auditor",
    }
);
words!(
    /// What is acted on.
    Object {
        /// A hospital on the platform.
        Tenant = "tenant",
        /// The hospital's own settings, quotas and usage.
        Settings = "settings",
        /// A department or ward.
        OrgUnit = "org_unit",
        /// Someone who signs in.
        User = "user",
        /// A role and the policies that make it up.
        Role = "role",
        /// An API token or service client of whomever.
        Token = "token",
        /// Where a hospital's people sign in outside the platform.
        IdentityProvider = "identity_provider",
        /// The audit trail.
        Audit = "audit",
        /// An operator of the platform who is let in for a while.
        Elevation = "elevation",
        /// A device and its twin.
        Device = "device",
        /// A patient and their twin.
        Patient = "patient",
        /// An alarm.
        Alarm = "alarm",
        /// A rule.
        Rule = "rule",
        /// What the hospital's programs say to each other over MQTT.
        Topic = "topic",
    }
);
words!(
    /// What is done.
    Action {
        /// See it.
        Read = "read",
        /// Create, change or delete it.
        Write = "write",
        /// Take note of an alarm.
        Acknowledge = "acknowledge",
        /// Open it in an emergency, outside one's own rows.
        BreakGlass = "break_glass",
        /// Say what was found when it was looked at.
        Review = "review",
        /// Have a device do something.
        Command = "command",
        /// Send it to the platform, as a device does with readings and a program with messages.
        Publish = "publish",
    }
);

impl Object {
    /// What can be done with it.
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::Audit => &[Action::Read, Action::Review],
            Self::Alarm => &[Action::Read, Action::Acknowledge],
            Self::Patient => &[Action::Read, Action::Write, Action::BreakGlass],
            Self::Topic => &[Action::Read, Action::Publish],
            Self::Device => &[Action::Read, Action::Write, Action::Command, Action::Publish],
            _ => &[Action::Read, Action::Write],
        }
    }

    /// Whether somebody whose role is held in one unit only may read it although it belongs to no unit:
    /// what everybody works with, and what tells nothing about patients or colleagues.
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::Rule | Self::OrgUnit)
    }
}

/// An action on an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permission {
    /// On what.
    pub object: Object,
    /// What.
    pub action: Action,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.object, self.action)
    }
}
