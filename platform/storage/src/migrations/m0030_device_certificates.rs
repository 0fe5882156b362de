//! Devices have certificates of their own.

use super::step::Step;

pub(super) const MIGRATION: Step =
    Step { name: "m0030_device_certificates", sql: CERTIFICATES, creates: &[], grants: &[] };

/// As JSON, beside the other thing that a device shows; null for nearly all.
const CERTIFICATES: &str = "ALTER TABLE device_tokens ADD COLUMN certificates {text};";
