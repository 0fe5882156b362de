//! `iomt audit verify`: whether the audit trails are as they were written.

mod anchors;

use serde_json::json;
use storage::{Database, DatabaseOptions};
use tenants::{Tenant, TenantId, TenantSlug, audit::ChainReport, stores::Tenants};

use self::anchors::Anchors;
use super::{CliError, arguments::AuditVerifyArguments, output::say, runtime::block_on};
use crate::config::DatabaseConfig;

/// What the platform's own trail is called.
const PLATFORM: &str = "platform";

pub(super) fn verify(arguments: &AuditVerifyArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    block_on(async {
        let database = open(&config.database).await?;
        let done = walk(&database, arguments.tenant.as_ref(), arguments).await;
        database.close().await.map_err(CliError::Database)?;
        done
    })
}

/// Looking must not make a database, and must not change one.
async fn open(config: &DatabaseConfig) -> Result<Database, CliError> {
    if let Some(path) = config.sqlite_file()
        && !path.exists()
    {
        return Err(CliError::NoDatabase { path: path.to_owned() });
    }
    let options = DatabaseOptions { max_connections: 2, ..DatabaseOptions::default() };
    Database::connect(&config.url, &options).await.map_err(CliError::Database)
}

async fn walk(
    database: &Database,
    only: Option<&TenantSlug>,
    arguments: &AuditVerifyArguments,
) -> Result<(), CliError> {
    let path = arguments.anchor.as_deref();
    let mut anchors = path.map(Anchors::read).transpose()?.unwrap_or_default();
    let chains = chains(database, only, &anchors).await?;
    let mut found = Vec::with_capacity(chains.len());
    for (name, tenant) in chains {
        let anchor = anchors.head(tenant);
        let report = database.verify_audit(tenant, anchor.as_ref()).await.map_err(CliError::Store)?;
        found.push((name, report));
    }
    let broken = found.iter().filter(|(_, report)| report.broken.is_some()).count();
    // Only what is whole is signed off; a broken chain keeps the anchor that showed it.
    if let Some(path) = path
        && broken == 0
    {
        anchors.keep(found.iter().filter_map(|(_, report)| report.head));
        anchors.write(path)?;
    }
    if arguments.json {
        say(json!({ "chains": found.iter().map(as_json).collect::<Vec<_>>() }))?;
    } else {
        for chain in &found {
            say(as_text(chain))?;
        }
    }
    if broken == 0 { Ok(()) } else { Err(CliError::AuditBroken { broken, of: found.len() }) }
}

/// Which chains, by name: the platform's, the hospitals', and those that only the anchors know.
async fn chains(
    database: &Database,
    only: Option<&TenantSlug>,
    anchors: &Anchors,
) -> Result<Vec<(String, TenantId)>, CliError> {
    if let Some(slug) = only {
        let found: Option<Tenant> = database.by_slug(slug).await.map_err(CliError::Store)?;
        let tenant = found.ok_or_else(|| CliError::NoTenant { slug: slug.clone() })?;
        return Ok(vec![(slug.to_string(), tenant.id)]);
    }
    let mut chains = vec![(PLATFORM.to_owned(), TenantId::PLATFORM)];
    let hospitals = database.all().await.map_err(CliError::Store)?;
    chains.extend(hospitals.into_iter().map(|tenant| (tenant.slug.to_string(), tenant.id)));
    for tenant in anchors.tenants() {
        if chains.iter().all(|(_, known)| *known != tenant) {
            chains.push((tenant.to_string(), tenant));
        }
    }
    Ok(chains)
}

fn as_json((name, report): &(String, ChainReport)) -> serde_json::Value {
    json!({
        "chain": name, "tenant": report.tenant, "whole": report.whole, "ok": report.broken.is_none(),
        "head": report.head.map(|head| json!({ "seq": head.seq, "hash": head.hash.to_string() })),
        "broken": report.broken.as_ref().map(|broken| json!({ "seq": broken.seq, "problem": broken.problem })),
    })
}

fn as_text((name, report): &(String, ChainReport)) -> String {
    match (&report.broken, report.head) {
        (Some(broken), _) => {
            format!(
                "{name}: BROKEN: entry {} {}; {} before it are whole",
                broken.seq, broken.problem, report.whole
            )
        }
        (None, Some(head)) => format!("{name}: whole, {} entries, the last is {}", head.seq, head.hash),
        (None, None) => format!("{name}: no entries"),
    }
}
