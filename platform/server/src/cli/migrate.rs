//! `iomt migrate`.

use storage::{Database, DatabaseOptions};

use super::{CliError, arguments::ConfigArguments, output::say, runtime::block_on};
use crate::logging;

pub(super) fn run(arguments: &ConfigArguments) -> Result<(), CliError> {
    let config = arguments.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(async {
        let options = DatabaseOptions::default();
        let database = Database::connect(&config.database.url, &options).await.map_err(CliError::Migrate)?;
        database.migrate().await.map_err(CliError::Migrate)?;
        database.check_row_level_security().await.map_err(CliError::Migrate)?;
        database.close().await.map_err(CliError::Migrate)?;
        say(format_args!("{} is up to date", config.database.shown_url()))
    })
}
