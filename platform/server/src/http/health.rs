//! Whether the process lives, and whether it can take work.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use futures_util::future::BoxFuture;
use serde_json::json;
use tenants::clock::Stopwatch;
use tokio::sync::Mutex;

use super::{problem::Problem, site::Site};

/// Asks whether the database takes writes; says why not in words without secrets.
pub(crate) type Probe = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How long an answer of the database is used again: anybody may ask whether the server is ready.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the probes look at.
pub(crate) struct Health {
    log: twins::Health,
    database: Probe,
    last: Mutex<Option<(Stopwatch, Result<(), String>)>>,
    shutting_down: AtomicBool,
}

impl Health {
    /// Looks at the log's writer, and asks the database: the writer learns of a lost database only when there
    /// is something to write.
    pub(crate) fn new(log: twins::Health, database: Probe) -> Self {
        Self { log, database, last: Mutex::default(), shutting_down: AtomicBool::new(false) }
    }

    /// From now on not ready: whoever balances the load sends it elsewhere.
    pub(crate) fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    /// What keeps the server from taking work; empty when nothing does.
    async fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.shutting_down.load(Ordering::Relaxed) {
            reasons.push("the server is shutting down".to_owned());
        }
        reasons.extend(self.log.check().err());
        reasons.extend(self.ask_database().await.err());
        reasons
    }

    async fn ask_database(&self) -> Result<(), String> {
        let mut last = self.last.lock().await;
        if let Some((asked, answer)) = &*last
            && asked.elapsed() < TRUSTED_FOR
        {
            return answer.clone();
        }
        let answer = tokio::time::timeout(PATIENCE, (self.database)()).await;
        let answer = answer.unwrap_or_else(|_| Err("the database does not answer".to_owned()));
        *last = Some((Stopwatch::start(), answer.clone()));
        answer
    }
}

/// The process answers, so it lives.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// Whether work can be sent here.
pub(super) async fn ready(site: Data<Site>) -> Result<HttpResponse, Problem> {
    let health = site.parts.health.clone();
    let reasons = site.run(async move { health.reasons().await }).await?;
    Ok(if reasons.is_empty() {
        HttpResponse::Ok().json(json!({ "status": "ready" }))
    } else {
        HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE)
            .json(json!({ "status": "not ready", "reasons": reasons }))
    })
}
