//! `iomt demo`.

use std::fmt::Write;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    CliError,
    arguments::DemoArguments,
    output::{remark, say},
    runtime::block_on,
    signals::stopped,
    simulate,
};
use crate::{
    config::{Config, Environment, Sources, key},
    demo::{Credentials, Demo, DemoOptions},
    logging,
};

pub(super) fn run(arguments: &DemoArguments) -> Result<(), CliError> {
    let environment = Environment::capture();
    let defaults = vec![(&key::LOG_FILTER, "warn".to_owned())];
    let config = Config::load(Sources { defaults, ..Sources::default() }, &environment)?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    let options = DemoOptions {
        data: arguments.data.clone(),
        http: arguments.http,
        mqtt: arguments.mqtt,
        mqtts: arguments.mqtts,
        metrics: config.metrics.addr.port(),
        reset: arguments.reset,
        patients: usize::from(arguments.patients),
        extra_devices: usize::try_from(arguments.extra_devices).unwrap_or(usize::MAX),
    };
    block_on(Box::pin(demo(arguments, options, environment)))
}

async fn demo(
    arguments: &DemoArguments,
    options: DemoOptions,
    environment: Environment,
) -> Result<(), CliError> {
    let demo = Demo::start(&options, &environment).await?;
    let simulation = CancellationToken::new();
    let mut patients = None;
    if !arguments.no_simulator {
        let devices = simulate::devices(&demo.credentials, None);
        let mut config = simulate::config(demo.platform.mqtt, devices, 1.0);
        // Whoever tries it should not wait five minutes to see a pressure change.
        config.cadence.cuff_s = 60;
        patients = Some(tokio::spawn(simulator::run(config, simulation.clone())));
    }
    for (wanted, got, what) in [
        (options.http, demo.platform.http.port(), "HTTP"),
        (options.mqtt, demo.platform.mqtt.port(), "MQTT"),
        (options.mqtts, demo.platform.mqtts.map_or(0, |address| address.port()), "MQTT over TLS"),
        (options.metrics, demo.platform.metrics.port(), "metrics"),
    ] {
        if wanted != 0 && wanted != got {
            remark(format_args!("Port {wanted} is taken, so {what} is on {got}."));
        }
    }
    if arguments.json {
        say(json!({
            "http": demo.credentials.http, "graphql": demo.credentials.graphql, "mqtt": demo.credentials.mqtt,
            "mqtts": demo.credentials.mqtts, "ca_pem": demo.credentials.ca_pem,
            "metrics": demo.credentials.metrics, "credentials": demo.file,
        }))?;
    } else {
        say(welcome(&demo, !arguments.no_simulator))?;
    }
    stopped().await?;
    remark("Stopping ...");
    simulation.cancel();
    if let Some(patients) = patients
        && let Err(error) = patients.await
    {
        tracing::warn!(%error, "the simulator did not end well");
    }
    demo.platform.shut_down().await;
    Ok(())
}

/// What to open and how to sign in.
fn welcome(demo: &Demo, simulated: bool) -> String {
    let Credentials { http, mqtt, mqtts, ca_pem, graphql, metrics, operator, tenants, .. } =
        &demo.credentials;
    let mut text = format!("\nThe demo hospital is open.\n\n  Open     {http}\n");
    let mut people: Vec<_> = tenants.iter().take(1).flat_map(|tenant| &tenant.users).collect();
    // Whoever looks at patients first.
    people.sort_by_key(|person| person.persona != "nurse");
    people.push(operator);
    let width = people.iter().map(|person| person.email.len()).max().unwrap_or_default();
    for (n, person) in people.iter().enumerate() {
        let label = if n == 0 { "Sign in" } else { "" };
        append(&mut text, format_args!("  {label:<8} {:<width$}  {}\n", person.email, person.password));
    }
    let (file, authority) = (demo.file.display(), ca_pem.display());
    append(
        &mut text,
        format_args!(
            "\n  GraphQL  {graphql}\n  MQTT     {mqtt}\n  and TLS  {mqtts} (authority: {authority})\n  Metrics  {metrics}\n  All passwords, tokens and devices: {file}\n"
        ),
    );
    if simulated {
        text.push_str("\nA patient gets worse about a minute from now, and an alarm arrives.");
    } else {
        text.push_str("\nNo readings are simulated: connect devices of your own.");
    }
    text.push_str(" Ctrl-C stops everything.\n\nNot a certified medical device.\n");
    text
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _never = text.write_fmt(more).is_err();
}
