//! `iomt tenant suspend` and `iomt tenant resume`.

use jiff::Timestamp;
use serde_json::json;
use tenants::{Tenant, TenantSlug, audit::AuditEntry, stores::Tenants};

use super::{
    CliError,
    arguments::{TenantResumeArguments, TenantSuspendArguments},
    hospital::{hospital, initiator},
    output::say,
    runtime::block_on,
};
use crate::{config::Config, logging, wiring::Foundation};

pub(super) fn suspend(arguments: &TenantSuspendArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    run(&config, &arguments.slug, Some(&arguments.reason), arguments.json)
}

pub(super) fn resume(arguments: &TenantResumeArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    run(&config, &arguments.slug, None, arguments.json)
}

/// `reason`: why it is suspended; it is served again without one.
fn run(config: &Config, slug: &TenantSlug, reason: Option<&str>, json: bool) -> Result<(), CliError> {
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(async {
        let foundation = Foundation::lay(config).await?;
        let (tenant, changed) = set(&foundation, slug, reason).await?;
        foundation.database.close().await.map_err(CliError::Migrate)?;
        let suspended = reason.is_some();
        if json {
            let id = tenant.id.to_string();
            return say(
                json!({ "id": id, "slug": slug.as_str(), "suspended": suspended, "changed": changed }),
            );
        }
        let state = if suspended { "suspended" } else { "served" };
        let done = if changed { format!("is {state} from now on") } else { format!("was {state} already") };
        say(format!("{} ({slug}) {done}.", tenant.name))
    })
}

async fn set(
    foundation: &Foundation,
    slug: &TenantSlug,
    reason: Option<&str>,
) -> Result<(Tenant, bool), CliError> {
    let tenant = hospital(foundation, slug).await?;
    let now: Timestamp = foundation.clock.now();
    let action = if reason.is_some() { "tenant.suspend" } else { "tenant.resume" };
    let entry = initiator().entry(tenant.id, now, action, format!("tenant:{}", tenant.id));
    let entry = AuditEntry { detail: reason.unwrap_or_default().to_owned(), ..entry };
    let changed = foundation.database.suspend(tenant.id, reason.map(|_| now), &entry).await;
    Ok((tenant, changed.map_err(CliError::Store)?))
}
