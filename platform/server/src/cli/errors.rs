//! Why a command failed, and what to do about it.

use std::{io, path::PathBuf, process::ExitCode};

use tenants::{
    StoreError, TenantSlug, access::AccessError, keys::SealError, locality::LocalityError,
    offboarding::OffboardingError, onboarding::OnboardingError, quotas::QuotaError,
};

use crate::{config::ConfigError, demo::DemoError, wiring::StartError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    #[error("the server did not start")]
    Start(#[from] StartError),
    #[error("the demo did not start")]
    Demo(#[from] DemoError),
    #[error("the database could not be brought up to date")]
    Migrate(#[source] storage::StorageError),
    #[error("the database cannot be used")]
    Database(#[source] storage::StorageError),
    #[error("{} cannot be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the database failed")]
    Store(#[source] StoreError),
    #[error("the access policy cannot be used")]
    Access(#[source] AccessError),
    #[error("there is no hospital {slug}")]
    NoTenant { slug: TenantSlug },
    #[error("the hospital {slug} has left; nothing is kept for it but its audit trail")]
    Departed { slug: TenantSlug },
    #[error("the hospital was not let go")]
    Offboarding(#[from] OffboardingError),
    #[error("nothing is exported to {}, or not all", path.display())]
    Export { path: PathBuf, source: io::Error },
    #[error("neither IOMT_MASTER_KEY nor IOMT_VAULT_ADDR is set, so there are no data keys")]
    NoKeys,
    #[error("the data key was not made")]
    Keys(#[source] SealError),
    #[error("{problem}")]
    Import { problem: String },
    #[error("{refused} rows cannot be imported, so none was")]
    RowsRefused { refused: usize },
    #[error("{broken} of {of} audit trails are not as they were written")]
    AuditBroken { broken: usize, of: usize },
    #[error("there is no database at {}", path.display())]
    NoDatabase { path: PathBuf },
    #[error("the anchors cannot be written to {}", path.display())]
    Anchors { path: PathBuf, source: io::Error },
    #[error("the tokens cannot be written to {}, so no device was made", path.display())]
    Tokens { path: PathBuf, source: io::Error },
    #[error("{} cannot be read", path.display())]
    Credentials { path: PathBuf, source: io::Error },
    #[error("{problem}")]
    NothingToSimulate { problem: String },
    #[error("{failed} of {of} templates are not valid")]
    Templates { failed: usize, of: usize },
    #[error("{} cannot be looked through", path.display())]
    Template { path: PathBuf, source: io::Error },
    #[error("there is no JSON file to check")]
    NoTemplates,
    #[error(transparent)]
    Locality(#[from] LocalityError),
    #[error(transparent)]
    Quota(#[from] QuotaError),
    #[error("the hospital is not aboard")]
    Onboarding(#[from] OnboardingError),
    #[error("logging cannot be started")]
    Logging(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the process cannot be set up")]
    Runtime(#[source] io::Error),
    #[error("{failed} of the checks failed")]
    Unhealthy { failed: usize },
    #[error("the output cannot be written")]
    Output(#[source] io::Error),
}

impl CliError {
    /// The next step, where there is one to name.
    pub(super) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Config(_) => "see what applies with `iomt config check`",
            Self::Start(StartError::Storage(_)) | Self::Demo(DemoError::Start(StartError::Storage(_))) => {
                "look at the database with `iomt doctor`"
            }
            Self::Migrate(_) => {
                "check the address with `iomt config check`, and the role's rights on the database"
            }
            Self::Credentials { .. } => {
                "start the demo first (`iomt demo`); it writes credentials.json into its folder"
            }
            Self::NoTemplates => "name a file, or a directory with files that end in .json",
            Self::NoTenant { .. } => "make it with `iomt tenant create`",
            Self::Export { .. } => "name a folder that does not exist yet, on a disk with room",
            Self::RowsRefused { .. } => "correct the file, or leave them out with --skip-bad",
            Self::AuditBroken { .. } => {
                "keep the database as it is, compare it with a backup, and find out who could write to it"
            }
            Self::NoDatabase { .. } => "see which one is meant with `iomt config check`",
            _ => return None,
        })
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Demo(DemoError::Config(_)) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
