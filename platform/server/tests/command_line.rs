//! The program as it is called from a shell.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so and fails; there is nobody to hand the error to"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::MetadataExt,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};

fn iomt(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iomt"));
    command.args(arguments);
    for name in ["IOMT_DATABASE_URL", "IOMT_HTTP_ADDR", "IOMT_METRICS_ADDR", "IOMT_LOG"] {
        command.env_remove(name);
    }
    command
}

fn text(output: &Output) -> (String, String, Option<i32>) {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (lossy(&output.stdout), lossy(&output.stderr), output.status.code())
}

#[test]
fn what_applies_is_shown_without_secrets() {
    let url = "postgres://iomt:hunter2@db/iomt";
    for arguments in [&["config", "check"][..], &["config", "check", "--json"]] {
        let output = iomt(arguments).env("IOMT_DATABASE_URL", url).output().unwrap();
        let (stdout, stderr, code) = text(&output);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(
            stdout.contains("postgres://iomt:***@db/iomt")
                && !format!("{stdout}{stderr}").contains("hunter2")
        );
        assert!(stdout.contains("from IOMT_DATABASE_URL"), "{stdout}");
    }
}

#[test]
fn a_mistake_is_named_with_what_to_do() {
    let output = iomt(&["serve"]).env("IOMT_HTTP_ADDR", "8080").output().unwrap();
    let (stdout, stderr, code) = text(&output);
    assert_eq!((stdout.as_str(), code), ("", Some(2)));
    for part in ["http.addr", "IOMT_HTTP_ADDR", "127.0.0.1:8080", "iomt config check"] {
        assert!(stderr.contains(part), "{part} is missing in {stderr}");
    }
    let output = iomt(&["simulate", "--credentials", "/does/not/exist"]).output().unwrap();
    let (_, stderr, code) = text(&output);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/does/not/exist") && stderr.contains("iomt demo"), "{stderr}");
    assert_eq!(iomt(&["demo", "--patients", "0"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn what_is_printed_for_programs() {
    for (arguments, expected) in [
        (&["schema"][..], "type Query {"),
        (&["openapi"], "\"/api/v1/telemetry\""),
        (&["completions", "bash"], "complete -F _iomt"),
        (&["doctor", "--json"], "\"verdict\""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (stdout, stderr, code) = text(&iomt(arguments).current_dir(folder.path()).output().unwrap());
        assert!(code == Some(0) && stdout.contains(expected), "{arguments:?}: {code:?} {stdout} {stderr}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{arguments:?} leaves nothing behind");
    }
}

/// Ended with the test, however that ends.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            self.0.wait().expect("a killed child can be awaited");
        }
    }
}

#[test]
fn the_first_start_prints_a_link_and_a_signal_ends_it_well() {
    let folder = tempfile::tempdir().unwrap();
    let any = "127.0.0.1:0";
    let mut command = iomt(&["serve", "--http-addr", any, "--mqtt-addr", any, "--metrics-addr", any]);
    let started = command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut serving = Serving(started.unwrap());
    let lines = BufReader::new(serving.0.stdout.take().unwrap()).lines();
    let link =
        lines.map(Result::unwrap).find(|line| line.contains("/setup?token=")).expect("a link is printed");
    let (address, token) = link.trim().strip_prefix("http://").unwrap().split_once("/setup?token=").unwrap();

    let ask = |token: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /auth/setup?token={token} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(ask(token), "HTTP/1.1 204 No Content");
    assert_eq!(ask("guessed"), "HTTP/1.1 404 Not Found");

    let process = serving.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    assert!(serving.0.wait().unwrap().success());
}

#[test]
fn a_file_of_devices_is_imported_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        text(&iomt(&arguments).current_dir(folder.path()).output().unwrap())
    };
    let monitor = "dtmi:iomt:PatientMonitor;1";
    std::fs::write(
        folder.path().join("devices.csv"),
        format!("id,template,name\nm-1,{monitor},One\nm-2,{monitor},\nm-3,{monitor},Three\n"),
    )
    .unwrap();
    let (_, stderr, code) = run("device import --tenant st-mary devices.csv");
    assert!(code == Some(1) && stderr.contains("iomt tenant create"), "{code:?} {stderr}");
    assert_eq!(run("tenant create --slug st-mary --name Mary --admin-email ada@st-mary.example").2, Some(0));

    let (stdout, stderr, code) = run("device import --tenant st-mary devices.csv");
    assert_eq!((stdout.as_str(), code), ("", Some(1)), "{stderr}");
    for part in ["devices.csv:3: name: must have", "nothing was changed", "--skip-bad"] {
        assert!(stderr.contains(part), "{part} is missing in {stderr}");
    }
    let (_, stderr, code) = run("device import --tenant st-mary devices.csv --dry-run --skip-bad");
    assert!(code == Some(0) && stderr.contains("2 rows can be imported, 1 cannot"), "{code:?} {stderr}");

    let (stdout, stderr, code) =
        run("device import --tenant st-mary devices.csv --skip-bad --tokens-out t.csv");
    assert_eq!((stdout.as_str(), code), ("", Some(0)), "{stderr}");
    let tokens = folder.path().join("t.csv");
    let (written, mode) = (std::fs::read_to_string(&tokens).unwrap(), tokens.metadata().unwrap().mode());
    assert_eq!(mode & 0o777, 0o600);
    let lines: Vec<_> = written.lines().map(|line| line.split_once(',').unwrap()).collect();
    assert_eq!([lines[0], (lines[1].0, ""), (lines[2].0, "")], [("id", "token"), ("m-1", ""), ("m-3", "")]);
    assert!(!stderr.contains(lines[1].1));

    // They are there now, and the file is not written over.
    let (stdout, _, code) = run("device import --tenant st-mary devices.csv --json");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (code, report["imported"].as_u64(), report["rejected"].as_array().unwrap().len()),
        (Some(1), Some(0), 3)
    );
    assert!(report["rejected"][0]["problem"].as_str().unwrap().contains("already"), "{report}");
    std::fs::write(folder.path().join("more.csv"), format!("id,template,name\nm-9,{monitor},Nine\n"))
        .unwrap();
    let (_, stderr, code) = run("device import --tenant st-mary more.csv --tokens-out t.csv");
    assert!(code == Some(1) && stderr.contains("no device was made"), "{code:?} {stderr}");
    let (stdout, _, code) = run("device import --tenant st-mary more.csv");
    assert!(code == Some(0) && stdout.starts_with("id,token\nm-9,"), "{code:?} {stdout}");
}

#[test]
fn a_hospital_has_no_more_than_its_quotas() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        text(&iomt(&arguments).current_dir(folder.path()).output().unwrap())
    };
    assert_eq!(run("tenant create --slug st-mary --name Mary --admin-email ada@st-mary.example").2, Some(0));
    let (_, stderr, code) = run("tenant quotas --slug st-mary --devices 0");
    assert!(code == Some(2) && stderr.contains("--devices"), "{code:?} {stderr}");
    let (_, stderr, code) = run("tenant quotas --slug st-mary --stored-days never");
    assert!(code == Some(2) && stderr.contains("or forever"), "{code:?} {stderr}");
    let (stdout, _, code) = run("tenant quotas --slug st-mary --devices 2 --stored-days 90");
    assert_eq!(code, Some(0));
    assert!(stdout.contains("0 of 2") && stdout.contains("kept 90 days"), "{stdout}");
    let write = |name: &str, rows: &str| {
        std::fs::write(folder.path().join(name), format!("id,template,name\n{rows}")).unwrap();
    };
    let monitor = "dtmi:iomt:PatientMonitor;1";
    write("two.csv", &format!("m-1,{monitor},One\nm-2,{monitor},Two\n"));
    write("third.csv", &format!("m-3,{monitor},Three\n"));
    assert_eq!(run("device import --tenant st-mary two.csv").2, Some(0));
    let (_, stderr, code) = run("device import --tenant st-mary third.csv");
    assert!(
        code == Some(1) && stderr.contains("has 2 devices and may have 2: 1 more are too many"),
        "{stderr}"
    );
    let (stdout, _, _) = run("tenant quotas --slug st-mary --stored-days forever --devices 3 --json");
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&shown["quotas"]["devices"], &shown["quotas"]["storedDays"]), (&json!(3), &Value::Null));
    assert_eq!((&shown["devices"], &shown["users"]), (&json!(2), &json!(0)));
    assert_eq!(run("device import --tenant st-mary third.csv").2, Some(0));
}

#[test]
fn a_trail_that_was_changed_is_named_by_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        text(&iomt(&arguments).current_dir(folder.path()).output().unwrap())
    };
    let (_, stderr, code) = run("audit verify");
    assert!(code == Some(1) && stderr.contains("no database"), "{code:?} {stderr}");
    assert!(!folder.path().join("iomt.db").exists());

    assert_eq!(run("tenant create --slug st-mary --name Mary --admin-email a@b.example").2, Some(0));
    let (stdout, stderr, code) = run("audit verify --anchor anchors.json");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        stdout.contains("platform: no entries") && stdout.contains("st-mary: whole, 2 entries"),
        "{stdout}"
    );
    let kept = std::fs::read_to_string(folder.path().join("anchors.json")).unwrap();

    // The chain is cut back to nothing, head and all, which only the anchor knows.
    let sqlite = |sql: &str| {
        let database = folder.path().join("iomt.db");
        Command::new("sqlite3").arg(database).arg(sql).status()
    };
    if sqlite("DELETE FROM audit_heads WHERE tenant_id <> zeroblob(16)").is_err() {
        eprintln!("SKIPPED: sqlite3 is not installed");
        return;
    }
    assert!(run("audit verify --tenant st-mary").0.contains("BROKEN: entry 1 was added without the head"));
    sqlite("DELETE FROM audit_trail WHERE tenant_id <> zeroblob(16)").unwrap();
    assert_eq!(run("audit verify").2, Some(0), "it looks as if nothing had ever been there");
    let (stdout, stderr, code) = run("audit verify --anchor anchors.json --json");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &report["chains"][1]["broken"]["seq"]), (Some(1), &json!(1)), "{stderr}");
    assert!(stderr.contains("1 of 2 audit trails"), "{stderr}");
    assert_eq!(std::fs::read_to_string(folder.path().join("anchors.json")).unwrap(), kept);
    std::fs::write(folder.path().join("anchors.json"), "{}").unwrap();
    assert_eq!(run("audit verify --anchor anchors.json").2, Some(1), "no anchors are not all is well");
}
