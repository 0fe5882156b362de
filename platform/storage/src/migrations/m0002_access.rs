//! Who holds which role where: the tree of units, grants, a hospital's own roles, care teams; and the unit that
//! each device, patient and alarm belongs to. What was there before belongs to the hospital as a whole, whose
//! unit has the tenant's own id.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_access"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let backend = connection.get_database_backend();
        let postgres = backend == DbBackend::Postgres;
        if postgres {
            // The rows of every tenant are touched here, by the owner, whom row security binds otherwise.
            for table in CHANGED {
                connection
                    .execute_unprepared(&format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
                    .await?;
            }
        }
        for sql in [UNITS, ROLES, PLACES, FILL] {
            connection.execute_unprepared(&dialect::render(sql, backend)).await?;
        }
        if postgres {
            for table in CHANGED {
                connection
                    .execute_unprepared(&format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
                    .await?;
            }
            for table in TABLES {
                connection.execute_unprepared(&dialect::row_security(table.name)).await?;
                connection.execute_unprepared(&dialect::grant(table)).await?;
            }
            let version = Table { name: "tenants", rights: "UPDATE (access_version)" };
            connection.execute_unprepared(&dialect::grant(&version)).await?;
        }
        Ok(())
    }
}

/// `org_unit_closure` holds each unit with everything above it and itself, so that "within" is one look-up.
const UNITS: &str = "
ALTER TABLE tenants ADD COLUMN access_version {int} NOT NULL DEFAULT 0;
CREATE TABLE org_units (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    parent_id {uuid},
    name {text} NOT NULL,
    name_search {text} NOT NULL,
    kind {text} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, parent_id, name_search),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES org_units (tenant_id, id)
){strict};
CREATE TABLE org_unit_closure (
    tenant_id {uuid} NOT NULL,
    ancestor_id {uuid} NOT NULL,
    unit_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, ancestor_id, unit_id),
    FOREIGN KEY (tenant_id, ancestor_id) REFERENCES org_units (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};
CREATE INDEX org_unit_closure_of_unit ON org_unit_closure (tenant_id, unit_id);";

/// Roles that are built in have no row in `roles`; grants name both kinds alike.
const ROLES: &str = "
CREATE TABLE roles (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    name {text} NOT NULL,
    title {text} NOT NULL,
    version {int} NOT NULL,
    PRIMARY KEY (tenant_id, name)
){strict};
CREATE TABLE policies (
    tenant_id {uuid} NOT NULL,
    role {text} NOT NULL,
    position {int} NOT NULL,
    object {text} NOT NULL,
    action {text} NOT NULL,
    row_policy {text} NOT NULL,
    masked {text} NOT NULL,
    PRIMARY KEY (tenant_id, role, position),
    FOREIGN KEY (tenant_id, role) REFERENCES roles (tenant_id, name)
){strict};
CREATE TABLE role_grants (
    tenant_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    role {text} NOT NULL,
    unit_id {uuid} NOT NULL,
    until {int},
    PRIMARY KEY (tenant_id, user_id, role, unit_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};
CREATE TABLE care_team (
    tenant_id {uuid} NOT NULL,
    patient_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, patient_id, user_id),
    FOREIGN KEY (tenant_id, patient_id) REFERENCES patients (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};
CREATE INDEX care_team_of_user ON care_team (tenant_id, user_id);";

/// `placements` keeps where a device was, so that what it said there stays there when it moves on.
const PLACES: &str = "
CREATE TABLE placements (
    tenant_id {uuid} NOT NULL,
    device_id {text} NOT NULL,
    since {int} NOT NULL,
    until {int},
    unit_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, device_id, since),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};
CREATE UNIQUE INDEX placements_now ON placements (tenant_id, device_id) WHERE until IS NULL;
ALTER TABLE devices ADD COLUMN unit_id {uuid};
ALTER TABLE devices ADD COLUMN kind {text} NOT NULL DEFAULT '';
ALTER TABLE patients ADD COLUMN unit_id {uuid};
ALTER TABLE patients ADD COLUMN birth_date {text};
ALTER TABLE patients ADD COLUMN restricted {bool} NOT NULL DEFAULT {false};
ALTER TABLE alarms ADD COLUMN unit_id {uuid};
CREATE INDEX devices_by_unit ON devices (tenant_id, unit_id, id);
CREATE INDEX patients_by_unit ON patients (tenant_id, unit_id);
CREATE INDEX patients_restricted ON patients (tenant_id, id) WHERE restricted;
CREATE INDEX alarms_by_unit ON alarms (tenant_id, unit_id);";

/// Role and unit of what was there before. A device's kind is the name of its template.
const FILL: &str = "
INSERT INTO org_units (tenant_id, id, parent_id, name, name_search, kind)
    SELECT id, id, NULL, name, lower(name), 'hospital' FROM tenants;
INSERT INTO org_unit_closure (tenant_id, ancestor_id, unit_id) SELECT id, id, id FROM tenants;
INSERT INTO role_grants (tenant_id, user_id, role, unit_id) SELECT tenant_id, id, role, tenant_id FROM users;
ALTER TABLE users DROP COLUMN role;
UPDATE devices SET unit_id = tenant_id, kind = {template_name};
UPDATE patients SET unit_id = tenant_id;
UPDATE alarms SET unit_id = tenant_id;
INSERT INTO placements (tenant_id, device_id, since, unit_id) SELECT tenant_id, id, 0, tenant_id FROM devices;";

const CHANGED: [&str; 4] = ["users", "devices", "patients", "alarms"];

const TABLES: &[Table] = &[
    Table { name: "org_units", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "org_unit_closure", rights: "SELECT, INSERT, DELETE" },
    Table { name: "roles", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "policies", rights: "SELECT, INSERT, DELETE" },
    Table { name: "role_grants", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "care_team", rights: "SELECT, INSERT, DELETE" },
    Table { name: "placements", rights: "SELECT, INSERT, UPDATE" },
];
