//! `iomt tenant create`.

use std::sync::Arc;

use serde_json::json;
use tenants::{
    locality::Locality,
    onboarding::{NewHospital, Onboarded, Onboarding},
};

use super::{
    CliError, arguments::TenantCreateArguments, hospital::initiator, output::say, runtime::block_on,
};
use crate::{config::Config, logging, wiring::Foundation};

pub(super) fn run(arguments: &TenantCreateArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(create(&config, arguments))
}

async fn create(config: &Config, arguments: &TenantCreateArguments) -> Result<(), CliError> {
    let foundation = Foundation::lay(config).await?;
    let store = Arc::new(foundation.database.clone());
    let onboarding = Onboarding::new(store.clone(), store, foundation.clock.clone());
    let new = NewHospital {
        slug: arguments.slug.clone(),
        name: arguments.name.clone(),
        locality: Locality::new(&arguments.region, &arguments.locale, &arguments.time_zone)?,
        admin_email: arguments.admin_email.clone(),
    };
    let aboard = onboarding.take_aboard(&new, &initiator()).await?;
    foundation.database.close().await.map_err(CliError::Migrate)?;
    let link = aboard.invitation.as_ref().map(|secret| link(config, secret.reveal()));
    if arguments.json {
        say(as_json(&aboard, link.as_deref()))
    } else {
        say(in_words(&aboard, link.as_deref()))
    }
}

/// Where the administrator makes their account.
fn link(config: &Config, secret: &str) -> String {
    let configured = config.http.public_url.as_ref().map(ToString::to_string);
    let base = configured.unwrap_or_else(|| format!("http://{}/", config.http.addr));
    format!("{base}invite?token={secret}")
}

fn as_json(aboard: &Onboarded, link: Option<&str>) -> serde_json::Value {
    let Onboarded { tenant, is_new, .. } = aboard;
    json!({
        "id": tenant.id.to_string(),
        "slug": tenant.slug.as_str(),
        "name": tenant.name,
        "created": is_new,
        "invitation": link,
    })
}

fn in_words(aboard: &Onboarded, link: Option<&str>) -> String {
    let Onboarded { tenant, is_new, .. } = aboard;
    let done = if *is_new { "is aboard" } else { "was aboard already" };
    let next = match link {
        Some(link) => format!(
            "Give its administrator this link; it works once, for {} days, and takes the place of any earlier one:\n\n    {link}\n",
            tenants::account::Invitation::DAYS
        ),
        None => "Its administrator has an account already.".to_owned(),
    };
    format!("{} ({}) {done}.\n{next}", tenant.name, tenant.slug)
}
