//! Mosquitto: its client, because it is not ours; and its broker, because ours is measured against it.
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::environment::{find, tool_or_skip};
use crate::eventually;
use crate::mqtt::Login;
use crate::postgres::free_port;
use crate::time::BOUND;

/// `mosquitto_pub`.
pub struct Publisher {
    program: PathBuf,
    server: SocketAddr,
    login: Login,
    /// Of the server's certificate; without it there is no TLS.
    authority: Option<PathBuf>,
}

impl Publisher {
    /// `None` where it is not installed; the caller's test is then skipped, or fails in CI.
    pub fn new(server: SocketAddr, login: Login) -> Option<Publisher> {
        let program = tool_or_skip("mosquitto_pub", "journeys with an MQTT client that is not ours")?;
        Some(Publisher { program, server, login, authority: None })
    }

    /// Speaks TLS, and trusts nobody but this authority.
    pub fn trusting(self, authority: &Path) -> Publisher {
        Publisher { authority: Some(authority.to_owned()), ..self }
    }

    /// Sends one message for each line, QoS 1, and returns when all were acknowledged.
    pub async fn lines(&self, topic: &str, lines: &[String]) -> Result<(), String> {
        self.run(topic, "-l", (lines.join("\n") + "\n").into_bytes()).await
    }

    /// Sends one message of any bytes, QoS 1, and returns when it was acknowledged.
    pub async fn message(&self, topic: &str, payload: &[u8]) -> Result<(), String> {
        self.run(topic, "-s", payload.to_vec()).await
    }

    async fn run(&self, topic: &str, mode: &str, input: Vec<u8>) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(["-h", &self.server.ip().to_string(), "-p", &self.server.port().to_string()]);
        command.args(["-i", &self.login.client_id, "-u", &self.login.user_name, "-P", &self.login.password]);
        command.args(["-q", "1", "-t", topic, mode]);
        if let Some(authority) = &self.authority {
            command.arg("--cafile").arg(authority);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut stdin = child.stdin.take().ok_or("mosquitto_pub has no standard input")?;
        let written = stdin.write_all(&input).await;
        drop(stdin);
        let ended = tokio::time::timeout(BOUND, child.wait_with_output()).await;
        let output =
            ended.map_err(|_| "mosquitto_pub was never acknowledged")?.map_err(|error| error.to_string())?;
        if output.status.success() {
            return written.map_err(|error| error.to_string());
        }
        Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// A Mosquitto broker that stores nothing, on a free port of loopback, until it is dropped.
pub struct Broker {
    child: Child,
    address: SocketAddr,
    version: String,
    _folder: TempDir,
}

impl Broker {
    /// Lets everybody in. `None` where it is not installed.
    pub async fn start() -> Option<Broker> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::run(folder, "allow_anonymous true").await
    }

    /// Lets those in who have a password. `None` where it is not installed.
    pub async fn asking(logins: &[Login]) -> Option<Broker> {
        let program = find("mosquitto_passwd")?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let passwords = folder.path().join("passwords");
        let lines: String = logins.iter().map(|of| format!("{}:{}\n", of.user_name, of.password)).collect();
        fs::write(&passwords, lines).expect("the folder can be written");
        let hashed = Command::new(program).arg("-U").arg(&passwords).status().await.expect("it runs");
        assert!(hashed.success(), "the passwords are hashed: {hashed}");
        // As whoever began it, who can read the folder.
        let asks = format!("user root\nallow_anonymous false\npassword_file {}", passwords.display());
        Self::run(folder, &asks).await
    }

    async fn run(folder: TempDir, whom: &str) -> Option<Broker> {
        let program = find("mosquitto")?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let configuration = folder.path().join("mosquitto.conf");
        // The queue's limit is for subscribers, of which there are none; the default in-flight limits stay.
        let lines = format!(
            "listener {} 127.0.0.1\n{whom}\npersistence false\nmax_queued_messages 0\n\
             set_tcp_nodelay true\nlog_dest none\n",
            address.port()
        );
        fs::write(&configuration, lines).expect("the folder can be written");
        let mut command = Command::new(&program);
        command.arg("-c").arg(&configuration).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().expect("mosquitto runs");
        eventually("mosquitto listens", BOUND, async || {
            TcpStream::connect(address).await.map(drop).map_err(|error| error.to_string())
        })
        .await;
        Some(Broker { child, address, version: version(&program).await, _folder: folder })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn process(&self) -> u32 {
        self.child.id().expect("mosquitto still runs")
    }
}

async fn version(program: &Path) -> String {
    let output = Command::new(program).arg("-h").output().await.expect("mosquitto runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(2).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::skip;
    use crate::mqtt::{Packet, Publisher as Ours, Version};

    #[tokio::test]
    async fn our_client_speaks_with_an_independent_broker() {
        let Some(broker) = Broker::start().await else {
            return skip("mosquitto is missing, needed to test our client");
        };
        for version in [Version::V311, Version::V5] {
            let login =
                Login { client_id: format!("{version:?}"), user_name: "any".into(), password: "any".into() };
            let mut publisher = Ours::connect(broker.address(), &login, version, 20).await.unwrap();
            for number in 0..500 {
                publisher.publish("telemetry", b"{}", number).await.unwrap();
            }
            publisher.settle().await.unwrap();
            assert_eq!(publisher.account().acknowledged, (0..500).collect::<Vec<u64>>());
            assert!(publisher.ping().await);
            assert_eq!(publisher.subscribe("telemetry").await, Some(1));
            publisher.publish("telemetry", b"heard", 500).await.unwrap();
            let mut heard = false;
            while !heard {
                let packet = publisher.packet().await.unwrap();
                heard = matches!(packet, Packet::Publish { payload, .. } if payload == b"heard");
            }
        }
    }

    #[tokio::test]
    async fn its_client_is_acknowledged_for_every_line() {
        let Some(broker) = Broker::start().await else {
            return skip("mosquitto is missing, needed to test its client");
        };
        let login = Login { client_id: "pub".into(), user_name: "any".into(), password: "any".into() };
        let Some(publisher) = Publisher::new(broker.address(), login.clone()) else { return };
        let listening = Login { client_id: "sub".into(), ..login };
        let mut listener = Ours::connect(broker.address(), &listening, Version::V311, 1).await.unwrap();
        assert_eq!(listener.subscribe("t").await, Some(1));
        let lines: Vec<String> = (0..15).map(|number| format!("{{\"seq\":{number}}}")).collect();
        publisher.lines("t", &lines).await.unwrap();
        publisher.message("t", b"two\nlines").await.unwrap();
        for expected in lines.iter().map(String::as_str).chain(["two\nlines"]) {
            let Packet::Publish { payload, .. } = listener.packet().await.unwrap() else {
                panic!("not a message")
            };
            assert_eq!(String::from_utf8(payload).unwrap(), expected);
        }
    }
}
