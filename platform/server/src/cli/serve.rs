//! `iomt serve`.

use super::{
    CliError,
    arguments::ServeArguments,
    output::{remark, say},
    runtime::block_on,
    signals::stopped,
};
use crate::{
    config::Config,
    logging,
    wiring::{Foundation, Platform},
};

pub(super) fn run(arguments: &ServeArguments) -> Result<(), CliError> {
    let config = arguments.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    block_on(Box::pin(serve(config)))
}

async fn serve(config: Config) -> Result<(), CliError> {
    let public_url = config.http.public_url.clone();
    let foundation = Foundation::lay(&config).await?;
    let platform = Platform::start(config, foundation).await?;
    let address = public_url.map_or_else(|| format!("http://{}/", platform.http), String::from);
    say(format_args!("Serving {address} (HTTP {}, MQTT {})", platform.http, platform.mqtt))?;
    if let Some(token) = &platform.setup_token {
        say(format_args!(
            "\nNobody can sign in yet. Make the first account here; the link works once, and until the server stops:\n\
             \n    {address}setup?token={token}\n"
        ))?;
    }
    stopped().await?;
    remark("Stopping ...");
    platform.shut_down().await;
    Ok(())
}
