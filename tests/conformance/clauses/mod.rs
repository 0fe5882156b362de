//! The demands, each beside the test that our server meets it, in the order of the standards' chapters.
//!
//! A clause names its numbers in both standards and the words of the table; the function under it is the test. What a test
//! needs comes from `Scene`: clients and topics that no other test uses.
mod acknowledgements;
mod beyond;
mod connack;
mod connect;
mod delivery;
mod disconnect;
mod format;
mod login;
mod properties;
mod publish;
mod retained;
mod sessions;
mod subscribe;
mod topics;
mod transport;
mod unsubscribe;
mod wills;

use crate::clause::{Clause, Run};

/// Every demand of the two standards.
pub(crate) const ALL: &[&[Clause]] = &[
    format::CLAUSES,
    connect::CLAUSES,
    wills::CLAUSES,
    login::CLAUSES,
    connack::CLAUSES,
    publish::CLAUSES,
    retained::CLAUSES,
    properties::CLAUSES,
    acknowledgements::CLAUSES,
    subscribe::CLAUSES,
    unsubscribe::CLAUSES,
    disconnect::CLAUSES,
    sessions::CLAUSES,
    delivery::CLAUSES,
    topics::CLAUSES,
    transport::CLAUSES,
];

/// What the standards leave open and users count on.
pub(crate) const BEYOND: &[(&str, Run)] = beyond::TESTS;
