//! `iomt tenant offboard`.

use serde_json::json;
use tenants::{keys::Shredded, offboarding::Farewell};

use super::{
    CliError,
    arguments::TenantOffboardArguments,
    hospital::{hospital, initiator},
    output::say,
    runtime::block_on,
};
use crate::{logging, wiring::Foundation};

pub(super) fn run(arguments: &TenantOffboardArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(async {
        let foundation = Foundation::lay(&config).await?;
        let tenant = hospital(&foundation, &arguments.slug).await?;
        let offboarding = foundation.offboarding();
        let farewell = Farewell {
            confirmation: arguments.confirm.clone(),
            reason: arguments.reason.clone(),
            without_export: arguments.without_export,
        };
        offboarding.begin(tenant.id, &farewell, &initiator()).await?;
        let erased = offboarding.finish(tenant.id).await?;
        foundation.database.close().await.map_err(CliError::Migrate)?;
        let backups = erased.keys == Shredded::WithBackups;
        if arguments.json {
            let (id, slug) = (tenant.id.to_string(), tenant.slug.as_str());
            return say(json!({ "id": id, "slug": slug, "erased": true, "backupsUnreadable": backups }));
        }
        let reach = if backups {
            "Its keys are destroyed: who its patients were cannot be read in older copies of the database either."
        } else {
            "Older copies of the database stay readable to whoever has the master key: delete them, too."
        };
        say(format!("{} has left. Everything but its audit trail is deleted.\n{reach}", tenant.name))
    })
}
