//! What the MQTT standards demand of a server, number by number, asked of the real one with its real durability.
//!
//! MQTT 3.1.1 (OASIS standard, 2014) and MQTT 5.0 (OASIS standard, 2019) mark their demands `[MQTT-x.y.z-n]`. Each that a
//! server can break has a test under its number; `README.md` lists them all. Start reading at `clauses/mod.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so and fails; there is nobody to hand the error to"
)]

mod clause;
mod clauses;
mod client;
mod packet;
mod scene;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use tests::mqtt::Version;
use tests::{Server, environment};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::clause::{Run, Shown, VERSIONS, in_order, name_of, table};
use crate::clauses::{ALL, BEYOND};
use crate::scene::Scene;

/// What a test may take, with all others beside it.
const BOUND: Duration = Duration::from_secs(60);

/// What the tests of a process share. The server is started by the first that needs it, and ends with this.
struct Stage {
    server: OnceCell<Arc<Server>>,
    runtime: Runtime,
}

fn main() {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let stage = Arc::new(Stage { server: OnceCell::new(), runtime });
    let mut trials = vec![Trial::test("the_table_of_the_readme_is_true", || {
        the_readme_is_true();
        Ok(())
    })];
    for version in VERSIONS {
        for (number, clause) in in_order(ALL, version) {
            if let Shown::By(run) = clause.shown {
                let name = format!("MQTT-{number} of {}: {}", name_of(version), clause.demands);
                trials.push(trial(&stage, name, run, version));
            }
        }
        for (name, run) in BEYOND {
            trials.push(trial(&stage, format!("{name} ({})", name_of(version)), *run, version));
        }
    }
    let mut arguments = Arguments::from_args();
    // They wait for the server most of the time.
    arguments.test_threads.get_or_insert(16);
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(stage); // nothing is dropped when a process exits: the server would outlive it
    conclusion.exit();
}

fn trial(stage: &Arc<Stage>, name: String, run: Run, version: Version) -> Trial {
    let stage = Arc::clone(stage);
    Trial::test(name, move || {
        stage.runtime.block_on(async {
            let server = stage.server.get_or_init(async || Arc::new(Scene::start().await)).await;
            let scene = Scene::new(Arc::clone(server), version);
            timeout(BOUND, run(scene)).await.expect("the test comes to its end");
        });
        Ok(())
    })
}

/// `UPDATE_TABLE=1` writes it.
fn the_readme_is_true() {
    const BEGINS: &str = "<!-- the table begins -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (words, written) = readme.split_once(BEGINS).expect("the mark in front of the table");
    let table = table(ALL);
    if environment::variable("UPDATE_TABLE").is_some() {
        fs::write(&path, format!("{words}{BEGINS}{table}")).unwrap();
    } else {
        assert!(written == table, "the table is out of date: run this test with UPDATE_TABLE=1");
    }
}
