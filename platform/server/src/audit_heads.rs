//! Says hourly how far each audit trail has come, so that whoever keeps the log elsewhere has proof of it.

use std::time::Duration;

use storage::Database;
use tokio::time::sleep;

const INTERVAL: Duration = Duration::from_secs(3_600);

/// Says it for ever, the first time at once.
pub(crate) async fn run(database: Database) {
    loop {
        match database.audit_heads().await {
            Ok(heads) => {
                for head in heads {
                    tracing::info!(tenant = %head.tenant, seq = head.seq, hash = %head.hash, "end of an audit trail");
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the ends of the audit trails cannot be read");
            }
        }
        sleep(INTERVAL).await;
    }
}
