//! The command line. What was asked for goes to standard output, everything else to standard error.

mod arguments;
mod audit;
mod config_check;
mod demo;
mod device;
mod doctor;
mod errors;
mod hospital;
mod keys_rotate;
mod migrate;
mod output;
mod runtime;
mod serve;
mod signals;
mod simulate;
mod template_check;
mod tenant_create;
mod tenant_export;
mod tenant_offboard;
mod tenant_quotas;
mod tenant_suspend;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::{
    arguments::{
        Arguments, AuditCommand, Command, ConfigCommand, DeviceCommand, KeysCommand, TemplateCommand,
        TenantCommand,
    },
    errors::CliError,
};

/// Who acts, for the audit trail: whoever may open the database.
const ACTOR: &str = "system:command-line";

/// Runs what the command line asks for. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
pub(crate) fn run() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Tenant(TenantCommand::Create(arguments)) => tenant_create::run(&arguments),
        Command::Tenant(TenantCommand::Suspend(arguments)) => tenant_suspend::suspend(&arguments),
        Command::Tenant(TenantCommand::Resume(arguments)) => tenant_suspend::resume(&arguments),
        Command::Tenant(TenantCommand::Quotas(arguments)) => tenant_quotas::run(&arguments),
        Command::Tenant(TenantCommand::Export(arguments)) => tenant_export::run(&arguments),
        Command::Tenant(TenantCommand::Offboard(arguments)) => tenant_offboard::run(&arguments),
        Command::Keys(KeysCommand::Rotate(arguments)) => keys_rotate::run(&arguments),
        Command::Template(TemplateCommand::Check(arguments)) => template_check::run(&arguments),
        Command::Device(DeviceCommand::Import(arguments)) => device::import(&arguments),
        Command::Audit(AuditCommand::Verify(arguments)) => audit::verify(&arguments),
        Command::Schema => output::say(graphql_schema::sdl().trim_end()),
        Command::Openapi => output::say(crate::http::OPENAPI.trim_end()),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Config(ConfigCommand::Check(arguments)) => config_check::run(&arguments),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "iomt", &mut std::io::stdout());
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            error.exit_code()
        }
    }
}
