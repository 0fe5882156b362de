//! `iomt keys rotate`.

use serde_json::json;
use tenants::{
    TenantId,
    audit::{AuditEntry, Channel, Origin},
    keys::KeyManagement,
    stores::Tenants,
};

use super::{ACTOR, CliError, arguments::KeysRotateArguments, output::say, runtime::block_on};
use crate::{logging, wiring::Foundation};

pub(super) fn run(arguments: &KeysRotateArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(async {
        let foundation = Foundation::lay(&config).await?;
        let keys = foundation.keys.as_ref().ok_or(CliError::NoKeys)?;
        for (tenant, slug) in chosen(&foundation, arguments).await? {
            let now = foundation.clock.now();
            let entry = AuditEntry {
                origin: Origin::new(Channel::Cli, "", ""),
                ..AuditEntry::new(tenant, now, ACTOR, "data_key.rotate", format!("tenant:{tenant}"))
            };
            let version = keys.rotate(tenant, &entry).await.map_err(CliError::Keys)?;
            if arguments.json {
                say(json!({ "slug": slug, "version": version }))?;
            } else {
                say(format!("{slug} has data key {version}; it seals from two minutes on."))?;
            }
        }
        foundation.database.close().await.map_err(CliError::Migrate)
    })
}

async fn chosen(
    foundation: &Foundation,
    arguments: &KeysRotateArguments,
) -> Result<Vec<(TenantId, String)>, CliError> {
    if let Some(slug) = &arguments.slug {
        let found = foundation.database.by_slug(slug).await.map_err(CliError::Store)?;
        let tenant = found.ok_or_else(|| CliError::NoTenant { slug: slug.clone() })?;
        return Ok(vec![(tenant.id, slug.to_string())]);
    }
    let hospitals = foundation.database.all().await.map_err(CliError::Store)?;
    let aboard = hospitals.into_iter().filter(|tenant| tenant.departure.is_none());
    let hospitals = aboard.map(|tenant| (tenant.id, tenant.slug.to_string()));
    Ok(std::iter::once((TenantId::PLATFORM, "platform".to_owned())).chain(hospitals).collect())
}
