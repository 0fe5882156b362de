//! What hospitals may use, as whichever process has set it, and how fast they go.

use std::{sync::Arc, time::Duration};

use tenants::{quotas::Meter, stores::Tenants};
use tokio::time::MissedTickBehavior;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tells the meter what hospitals may use, and when a second is over. While the database cannot be asked, what is known
/// goes on to count.
pub(crate) async fn follow(tenants: Arc<dyn Tenants>, meter: Arc<Meter>) {
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        meter.end_second();
        match tenants.all().await {
            Ok(all) => meter.know(&all),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "quotas cannot be read");
            }
        }
    }
}
