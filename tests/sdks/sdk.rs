//! Programs that are written with the client of another platform: they run in an environment of Python that
//! `cargo verify --only device-sdks` sets up.

use std::{path::PathBuf, process::Stdio};

use serde_json::Value;
use tests::{environment, time};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// Where the environments are, one for each client.
const FOLDER: &str = "IOMT_SDKS";

/// A program of this folder that runs.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    /// Events that nobody has asked for yet.
    events: Vec<Value>,
}

impl Program {
    /// Starts `clients/<name>.py` in the environment of a client. `None` says aloud that there is no environment for it.
    pub(crate) fn start(client: &str, name: &'static str, arguments: &[&str]) -> Option<Program> {
        let python =
            environment::variable(FOLDER).map(|folder| PathBuf::from(folder).join(client).join("bin/python"));
        let Some(python) = python.filter(|python| python.is_file()) else {
            environment::skip(&format!(
                "no environment for the client of {client}; see tests/sdks/README.md"
            ));
            return None;
        };
        let script =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sdks/clients").join(format!("{name}.py"));
        let mut child = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python can be started");
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Program { name, child, said, events: Vec::new() })
    }

    /// The next event of a kind, in the order of their kind.
    pub(crate) async fn event(&mut self, kind: &str) -> Value {
        loop {
            if let Some(at) = self.events.iter().position(|event| event["event"] == kind) {
                return self.events.remove(at);
            }
            let line = timeout(time::BOUND, self.said.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{}: no {kind} in time", self.name)).unwrap();
            let line = line.unwrap_or_else(|| panic!("{} ended before its {kind}", self.name));
            // Clients write their logs where they like.
            let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
            assert_ne!(event["event"], "failed", "{event}");
            self.events.push(event);
        }
    }

    /// Tells it that this is all, and waits for its end.
    pub(crate) async fn finish(mut self) {
        drop(self.child.stdin.take());
        let ended = timeout(time::BOUND, self.child.wait()).await.expect("it ends in time").unwrap();
        assert!(ended.success(), "{}: {ended}", self.name);
    }
}
