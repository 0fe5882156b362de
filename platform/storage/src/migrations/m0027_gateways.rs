//! Devices that speak through another one.

use super::step::Step;

pub(super) const MIGRATION: Step = Step { name: "m0027_gateways", sql: GATEWAYS, creates: &[], grants: &[] };

const GATEWAYS: &str = "
ALTER TABLE devices ADD COLUMN gateway_id {text};
CREATE INDEX devices_gateway ON devices (tenant_id, gateway_id);";
