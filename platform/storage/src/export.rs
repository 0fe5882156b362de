//! Everything that is kept for a hospital, as lines of JSON, for the hospital to take along.
//!
//! Secrets are left out: a password's or a token's hash is of no use elsewhere. What identifies patients is opened.

use std::io;

use ::tenants::{StoreError, TenantId, keys::TenantKeys};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use futures_util::TryStreamExt;
use sea_orm::QueryResult;
use serde_json::{Map, Value, json};
use twins::{
    message::{Channel, DeviceRun, LogMessage},
    store::journal::Journal,
};
use uuid::Uuid;

use crate::{
    columns::{sequence, timestamp},
    database::Database,
    errors::StorageError,
    patients::identity::Identity,
    segments::read,
};

/// Messages that are read at a time.
const PAGE: usize = 20_000;

/// Takes what is exported.
pub trait ExportSink: Send {
    /// Adds a line to a file, which has a name without ending, e.g. `patients`.
    ///
    /// # Errors
    /// When it cannot be written; the export ends with it.
    fn line(&mut self, file: &'static str, line: &Value) -> io::Result<()>;
}

/// What an export came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Patients whose name, record number and date of birth no key opens; their lines say so.
    pub unreadable: u64,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// It cannot be written where it should go.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
}

/// How a column stands in the database, and so how it is written.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Id,
    Whole,
    Real,
    Truth,
    /// In microseconds; written as RFC 3339.
    Time,
    /// Bytes; written in hexadecimal.
    Hash,
    /// JSON as text.
    Json,
}

use Kind::{Hash, Id, Json, Real, Text, Time, Truth, Whole};

/// A table as it is exported, ordered by its first two columns.
struct Table {
    file: &'static str,
    /// Or a part of one.
    name: &'static str,
    columns: &'static [(&'static str, Kind)],
}

const TABLES: &[Table] = &[
    Table {
        file: "units",
        name: "org_units",
        columns: &[("id", Id), ("parent_id", Id), ("name", Text), ("kind", Text)],
    },
    Table { file: "people", name: "users", columns: &[("id", Id), ("email", Text), ("display_name", Text)] },
    Table { file: "roles", name: "roles", columns: &[("name", Text), ("title", Text), ("version", Whole)] },
    Table {
        file: "policies",
        name: "policies",
        columns: &[
            ("role", Text),
            ("position", Whole),
            ("object", Text),
            ("action", Text),
            ("row_policy", Text),
            ("masked", Text),
        ],
    },
    Table {
        file: "role-grants",
        name: "role_grants",
        columns: &[("user_id", Id), ("role", Text), ("unit_id", Id), ("until", Time)],
    },
    Table {
        file: "service-clients",
        name: "service_clients",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("role", Text),
            ("unit_id", Id),
            ("created_at", Time),
            ("last_used_at", Time),
            ("expires_at", Time),
            ("disabled_at", Time),
        ],
    },
    Table { file: "care-teams", name: "care_team", columns: &[("patient_id", Id), ("user_id", Id)] },
    Table {
        file: "identity-providers",
        name: "identity_providers",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("issuer", Text),
            ("client_id", Text),
            ("scopes", Text),
            ("group_claim", Text),
            ("default_role", Text),
            ("enabled", Truth),
        ],
    },
    Table {
        file: "devices",
        name: "devices",
        columns: &[("id", Text), ("name", Text), ("template", Text), ("kind", Text), ("unit_id", Id)],
    },
    Table {
        file: "placements",
        name: "placements",
        columns: &[("device_id", Text), ("since", Time), ("until", Time), ("unit_id", Id)],
    },
    Table {
        file: "assignments",
        name: "assignments",
        columns: &[("device_id", Text), ("since", Time), ("until", Time), ("patient_id", Id)],
    },
    Table {
        file: "rules",
        name: "rules",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("path", Text),
            ("raise_comparison", Text),
            ("raise_value", Real),
            ("hold_micros", Whole),
            ("clear_comparison", Text),
            ("clear_value", Real),
            ("clear_hold_micros", Whole),
            ("unit", Text),
            ("priority", Text),
            ("enabled", Truth),
            ("version", Whole),
        ],
    },
    Table {
        file: "alarms",
        name: "alarms",
        columns: &[
            ("id", Id),
            ("rule_id", Id),
            ("title", Text),
            ("device_id", Text),
            ("patient_id", Id),
            ("unit_id", Id),
            ("priority", Text),
            ("state", Text),
            ("path", Text),
            ("value", Real),
            ("unit", Text),
            ("raised_at", Time),
            ("acknowledged_by", Id),
            ("acknowledged_by_name", Text),
            ("acknowledged_at", Time),
            ("acknowledged_note", Text),
            ("cleared_at", Time),
        ],
    },
    Table {
        file: "opened-records",
        name: "openings",
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("patient_id", Id),
            ("reason", Text),
            ("opened_at", Time),
            ("until", Time),
            ("reviewed_by", Id),
            ("reviewed_at", Time),
            ("review_note", Text),
        ],
    },
    Table {
        file: "elevations",
        name: "elevations",
        columns: &[
            ("id", Id),
            ("operator_id", Id),
            ("operator_name", Text),
            ("role", Text),
            ("reason", Text),
            ("hours", Whole),
            ("asked_at", Time),
            ("granted", Truth),
            ("answered_by", Id),
            ("answered_by_name", Text),
            ("answered_at", Time),
            ("until", Time),
            ("ended_at", Time),
        ],
    },
    Table {
        file: "mqtt-sessions",
        name: "mailboxes",
        columns: &[("id", Id), ("owner", Text), ("client_id", Text), ("left_at", Time), ("standing", Hash)],
    },
    Table {
        file: "device-connections",
        name: "device_connections",
        columns: &[("device_id", Text), ("events", Text)],
    },
    Table {
        file: "device-authorities",
        name: "device_authorities",
        columns: &[
            ("id", Id),
            ("subject", Text),
            ("certificate", Hash),
            ("not_before", Time),
            ("not_after", Time),
            ("added_at", Time),
            ("proven_at", Time),
            ("list", Hash),
            ("list_entries", Whole),
            ("list_issued_at", Time),
            ("list_next_at", Time),
        ],
    },
    Table {
        file: "device-certificates",
        name: "(SELECT tenant_id, device_id, certificates FROM device_tokens WHERE certificates IS NOT NULL) AS own",
        columns: &[("device_id", Text), ("certificates", Json)],
    },
    Table { file: "enrolment-keys", name: "enrolment_keys", columns: &[("id", Id), ("made_at", Time)] },
    Table { file: "retained-messages", name: "retained", columns: &[("topic", Text), ("message", Hash)] },
    Table {
        file: "set-aside-messages",
        name: "set_aside",
        columns: &[
            ("device_id", Text),
            ("position", Whole),
            ("received_at", Time),
            ("reason", Text),
            ("detail", Text),
            ("excerpt", Text),
        ],
    },
    Table {
        file: "audit-trail",
        name: "audit_trail",
        columns: &[
            ("seq", Whole),
            ("id", Id),
            ("at", Time),
            ("actor", Text),
            ("actor_name", Text),
            ("action", Text),
            ("subject", Text),
            ("outcome", Text),
            ("detail", Text),
            ("channel", Text),
            ("address", Text),
            ("agent", Text),
            ("policy", Text),
            ("facts", Json),
            ("correlation", Whole),
            ("previous", Hash),
            ("hash", Hash),
        ],
    },
];

/// The rest of a patient's line; `identity` is opened.
const PATIENTS: Table = Table {
    file: "patients",
    name: "patients",
    columns: &[
        ("id", Id),
        ("unit_id", Id),
        ("ward", Text),
        ("bed", Text),
        ("restricted", Truth),
        ("spo2_scale", Whole),
    ],
};

impl Database {
    /// Hands everything of a hospital to `sink`, one kind of thing after the other and never more in memory than a page.
    /// What comes in meanwhile may be in it or not: for all of it the hospital has to be suspended.
    ///
    /// # Errors
    /// [`ExportError`]; what was handed over by then is not all.
    pub async fn export(&self, tenant: TenantId, sink: &mut dyn ExportSink) -> Result<Exported, ExportError> {
        for table in TABLES {
            self.export_table(tenant, table, sink).await?;
        }
        let unreadable = self.export_patients(tenant, sink).await?;
        self.export_log(tenant, sink).await?;
        Ok(Exported { unreadable })
    }

    async fn export_table(
        &self,
        tenant: TenantId,
        table: &Table,
        sink: &mut dyn ExportSink,
    ) -> Result<(), ExportError> {
        let tx = self.begin_read(tenant).await?;
        let mut rows = tx.stream_sql(table.sql(""), [(*tenant.as_uuid()).into()]).await?;
        while let Some(row) = rows.try_next().await? {
            sink.line(table.file, &Value::Object(table.line(&row)?))?;
        }
        Ok(())
    }

    async fn export_patients(&self, tenant: TenantId, sink: &mut dyn ExportSink) -> Result<u64, ExportError> {
        let keys = self.keys_of(tenant).await?;
        let tx = self.begin_read(tenant).await?;
        let mut rows = tx.stream_sql(PATIENTS.sql(", identity"), [(*tenant.as_uuid()).into()]).await?;
        let mut unreadable = 0;
        while let Some(row) = rows.try_next().await? {
            let mut line = PATIENTS.line(&row)?;
            match identity(&row, &*keys, tenant)? {
                Some(Identity { name, mrn, birth_date }) => {
                    line.extend(object(json!({ "name": name, "mrn": mrn, "birthDate": birth_date })));
                }
                None => {
                    unreadable += 1;
                    line.insert("unreadable".to_owned(), Value::Bool(true));
                }
            }
            sink.line(PATIENTS.file, &Value::Object(line))?;
        }
        Ok(unreadable)
    }

    async fn export_log(&self, tenant: TenantId, sink: &mut dyn ExportSink) -> Result<(), ExportError> {
        let end = read::end(&self.begin_read(tenant).await?).await?;
        let (end, mut after) = (sequence(end)?, sequence(0)?);
        while after < end {
            let (runs, next) = Journal::read(self, tenant, None, after, end, PAGE).await?;
            for DeviceRun { device, messages } in runs {
                for message in messages {
                    let mut line = object(json!({
                        "sequence": message.sequence.0,
                        "deviceId": device.as_str(),
                        "receivedAt": message.received_at.to_string(),
                        "correlation": message.correlation.to_string(),
                    }));
                    line.extend(channel(&message.channel));
                    line.extend(user_properties(&message));
                    line.extend(payload(&message.payload));
                    sink.line("messages", &Value::Object(line))?;
                }
            }
            after = next;
        }
        Ok(())
    }
}

/// What identifies the patient of a row; `None` when no key opens it.
fn identity(
    row: &QueryResult,
    keys: &dyn TenantKeys,
    tenant: TenantId,
) -> Result<Option<Identity>, StorageError> {
    let id: Uuid = row.try_get_by("id")?;
    let stored: Option<Vec<u8>> = row.try_get_by("identity")?;
    match Identity::open(keys, tenant, id, stored.as_deref()) {
        Ok(identity) => Ok(Some(identity)),
        Err(StorageError::Keys(_) | StorageError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn channel(channel: &Channel) -> Map<String, Value> {
    object(match channel {
        Channel::Telemetry { component: None } => json!({ "channel": "telemetry" }),
        Channel::Telemetry { component: Some(component) } => {
            json!({ "channel": "telemetry", "component": &**component })
        }
        Channel::Reported => json!({ "channel": "reported" }),
        Channel::Acknowledge => json!({ "channel": "acknowledge" }),
        Channel::Desired => json!({ "channel": "desired" }),
    })
}

/// Where there are any, in their order: a name may come more than once.
fn user_properties(message: &LogMessage) -> Map<String, Value> {
    let pairs: Vec<_> = message.user_properties().map(|(name, value)| [name, value]).collect();
    if pairs.is_empty() { Map::new() } else { object(json!({ "userProperties": pairs })) }
}

/// As JSON where it is that, else in base64.
fn payload(bytes: &[u8]) -> Map<String, Value> {
    object(match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => json!({ "payload": value }),
        Err(_) => json!({ "payloadBase64": BASE64.encode(bytes) }),
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Table {
    fn sql(&self, more: &str) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let Self { name, .. } = self;
        format!("SELECT {}{more} FROM {name} WHERE tenant_id = $1 ORDER BY 1, 2", columns.join(", "))
    }

    fn line(&self, row: &QueryResult) -> Result<Map<String, Value>, StorageError> {
        self.columns.iter().map(|(name, kind)| Ok((camel_case(name), kind.value(row, name)?))).collect()
    }
}

impl Kind {
    fn value(self, row: &QueryResult, column: &str) -> Result<Value, StorageError> {
        Ok(match self {
            Self::Text => json!(row.try_get_by::<Option<String>, _>(column)?),
            Self::Id => json!(row.try_get_by::<Option<Uuid>, _>(column)?),
            Self::Whole => json!(row.try_get_by::<Option<i64>, _>(column)?),
            Self::Real => json!(row.try_get_by::<Option<f64>, _>(column)?),
            Self::Truth => json!(row.try_get_by::<Option<bool>, _>(column)?),
            Self::Time => {
                let micros: Option<i64> = row.try_get_by(column)?;
                json!(micros.map(timestamp).transpose()?.map(|at| at.to_string()))
            }
            Self::Hash => {
                let bytes: Option<Vec<u8>> = row.try_get_by(column)?;
                let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                json!(bytes.map(hex))
            }
            Self::Json => {
                let text: String = row.try_get_by(column)?;
                serde_json::from_str(&text).map_err(|_| StorageError::corrupt("an entry's facts"))?
            }
        })
    }
}

/// `parent_id` as `parentId`.
fn camel_case(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        format!("{name}{}{rest}", initial.to_uppercase())
    })
}
