//! `iomt device import`: all rows of the file, or none of them.

use std::{collections::HashSet, path::Path, sync::Arc};

use serde_json::{Value, json};
use tenants::{
    DeviceId, PatientId, Tenant, TenantId, UnitId, UserId,
    access::{Access, Action, Caller, FixedRules, Object, Principal, Role, Scope},
    audit::{AuditEntry, Channel, Origin},
    credentials::{BearerToken, SecretHash},
};
use twins::store::directory::{DeviceRecord, Devices, NewDevice, Patients};

use super::{
    rows::{Rejected, Row, Rows},
    tokens::{TokenFile, as_csv},
};
use crate::{
    cli::{
        ACTOR, CliError,
        arguments::DeviceImportArguments,
        hospital::hospital,
        output::{remark, say},
        runtime::block_on,
    },
    logging,
    wiring::Foundation,
};

/// Rows that are looked up with one query.
const BATCH: usize = 200;

pub(in crate::cli) fn run(arguments: &DeviceImportArguments) -> Result<(), CliError> {
    let path = &arguments.file;
    let text = std::fs::read(path).map_err(|source| CliError::File { path: path.clone(), source })?;
    let rows = Rows::read(&text)
        .map_err(|problem| CliError::Import { problem: format!("{}: {problem}", path.display()) })?;
    let config = arguments.config.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(async {
        let foundation = Foundation::lay(&config).await?;
        let done = import(&foundation, rows, arguments).await;
        foundation.database.close().await.map_err(CliError::Database)?;
        done
    })
}

async fn import(
    foundation: &Foundation,
    mut rows: Rows,
    arguments: &DeviceImportArguments,
) -> Result<(), CliError> {
    let tenant = hospital(foundation, &arguments.tenant).await?;
    if tenant.departure.is_some() {
        return Err(CliError::Departed { slug: tenant.slug });
    }
    compare(foundation, &tenant, &mut rows).await?;
    if !arguments.json {
        for Rejected { line, problem } in &rows.bad {
            remark(format_args!("{}:{line}: {problem}", arguments.file.display()));
        }
    }
    let refused = !rows.bad.is_empty() && !arguments.skip_bad;
    let made = if refused || arguments.dry_run {
        None
    } else {
        Some(make(foundation, &tenant, &rows.good, arguments.tokens_out.as_deref()).await?)
    };
    tell(&rows, made.as_deref(), arguments)?;
    if refused { Err(CliError::RowsRefused { refused: rows.bad.len() }) } else { Ok(()) }
}

/// Sifts out what collides with what the hospital has.
async fn compare(foundation: &Foundation, tenant: &Tenant, rows: &mut Rows) -> Result<(), CliError> {
    let store = &foundation.database;
    let (mut taken, mut patients) = (HashSet::new(), HashSet::new());
    let (devices, people) = (
        scope(foundation, tenant.id, Object::Device, Action::Write).await?,
        scope(foundation, tenant.id, Object::Patient, Action::Read).await?,
    );
    for part in rows.good.chunks(BATCH) {
        let ids: Vec<DeviceId> = part.iter().map(|row| row.device.id.clone()).collect();
        let found = Devices::by_ids(store, &devices, &ids).await.map_err(CliError::Store)?;
        taken.extend(found.into_iter().map(|device| device.id));
        let ids: Vec<PatientId> = part.iter().filter_map(|row| row.device.patient).collect();
        let found = Patients::by_ids(store, &people, &ids).await.map_err(CliError::Store)?;
        patients.extend(found.into_iter().map(|patient| patient.id));
    }
    rows.sift(|device| {
        if taken.contains(&device.id) {
            return Some(format!("id: {} is a device of this hospital already", device.id));
        }
        let unknown = device.patient.is_some_and(|patient| !patients.contains(&patient));
        unknown.then(|| "patient: this hospital has no patient of this id".to_owned())
    });
    Ok(())
}

/// Makes the devices; their tokens in the order of the rows.
async fn make(
    foundation: &Foundation,
    tenant: &Tenant,
    rows: &[Row],
    tokens_out: Option<&Path>,
) -> Result<Vec<String>, CliError> {
    let scope = scope(foundation, tenant.id, Object::Device, Action::Write).await?;
    let unit = UnitId::root(tenant.id);
    let token = |_| BearerToken::generate(tenant.id).map(|token| token.reveal().to_owned());
    let tokens = rows.iter().map(token).collect::<Result<Vec<_>, _>>();
    let tokens = tokens.map_err(|error| CliError::Import { problem: error.to_string() })?;
    let at = foundation.clock.now();
    let devices = rows.iter().zip(&tokens).map(|(row, token)| NewDevice {
        record: DeviceRecord { unit, ..row.device.clone() },
        token: SecretHash::of(token.as_bytes()),
        audit: AuditEntry {
            origin: Origin::new(Channel::Cli, "", ""),
            ..AuditEntry::new(tenant.id, at, ACTOR, "device.create", format!("device:{}", row.device.id))
        },
    });
    let devices: Vec<_> = devices.collect();
    let file = tokens_out.map(|path| {
        let text = as_csv(rows.iter().map(|row| &row.device.id).zip(tokens.iter().map(String::as_str)));
        TokenFile::write(path, &text).map_err(|source| CliError::Tokens { path: path.to_owned(), source })
    });
    let file = file.transpose()?;
    Devices::create_all(&foundation.database, &scope, &devices).await.map_err(CliError::Store)?;
    if let Some(file) = file {
        file.keep();
    }
    Ok(tokens)
}

/// Whoever may open the database may do what its administrator may.
async fn scope(
    foundation: &Foundation,
    tenant: TenantId,
    object: Object,
    action: Action,
) -> Result<Scope, CliError> {
    let id = UserId::from_uuid(*TenantId::PLATFORM.as_uuid());
    let rules = FixedRules::new([(id, Role::Admin.into())]);
    let access = Access::new(Arc::new(rules), foundation.clock.clone());
    let principal = Principal::User { id, name: "iomt".into(), email: "".into(), restricted_to: None };
    access.grant(&Caller { tenant, principal }, object, action).await.map_err(CliError::Access)
}

fn tell(rows: &Rows, made: Option<&[String]>, arguments: &DeviceImportArguments) -> Result<(), CliError> {
    let ids = || rows.good.iter().map(|row| &row.device.id);
    // What went to a file goes nowhere else.
    let shown = made.filter(|_| arguments.tokens_out.is_none());
    if arguments.json {
        let tokens = shown.map(|tokens| {
            let pairs = ids().zip(tokens).map(|(id, token)| json!({ "id": id, "token": token }));
            pairs.collect::<Vec<Value>>()
        });
        return say(json!({
            "imported": made.map_or(0, <[String]>::len), "good": rows.good.len(), "rejected": rows.bad,
            "dryRun": arguments.dry_run, "tokens": tokens,
            "tokensFile": made.and(arguments.tokens_out.as_deref()),
        }));
    }
    if let Some(tokens) = shown {
        say(as_csv(ids().zip(tokens.iter().map(String::as_str))).trim_end())?;
    }
    let (good, bad) = (rows.good.len(), rows.bad.len());
    match made {
        Some(_) => remark(format_args!("{good} devices imported, {bad} rows left out")),
        None => remark(format_args!("nothing was changed; {good} rows can be imported, {bad} cannot")),
    }
    Ok(())
}
