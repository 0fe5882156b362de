//! The lines on stdout.
use std::time::Duration;

use serde_json::{Value, json};

use crate::options::Options;

/// Prints one figure. `more` adds fields that say under which conditions it holds.
pub(crate) fn print(subject: &str, figure: &str, value: f64, unit: &str, more: Value) {
    let rounded = if value >= 100.0 { value.round() } else { (value * 1_000.0).round() / 1_000.0 };
    let mut line =
        json!({ "bench": "ingest", "subject": subject, "figure": figure, "value": rounded, "unit": unit });
    if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
    println!("{line}");
}

pub(crate) fn conditions(options: &Options, commit_ms: f64) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let more = json!({
        "cores": cores, "publishers": options.publishers, "window": options.window, "messages": options.messages,
        "payload_bytes": crate::payload::BYTES, "qos": 1, "rounds": options.rounds,
        "database": if options.on_postgres { "PostgreSQL" } else { "SQLite" },
    });
    print("machine", "durable_write_p50", commit_ms, "ms", more);
}

/// Prints the 50th and 99th percentile.
pub(crate) fn percentiles(subject: &str, figure: &str, latencies: &mut [Duration], more: &Value) {
    latencies.sort_unstable();
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let index = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        let Some(latency) = latencies.get(index) else { return };
        let mut more = more.clone();
        more["samples"] = json!(latencies.len());
        print(subject, &format!("{figure}_{name}"), latency.as_secs_f64() * 1_000.0, "ms", more);
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
