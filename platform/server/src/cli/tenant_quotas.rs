//! `iomt tenant quotas`.

use serde_json::json;
use tenants::{
    audit::AuditEntry,
    quotas::{ClientQuotas, Quotas, Stored},
    stores::QuotaRecords,
};

use super::{
    CliError,
    arguments::{ClientQuotasArguments, KeptDays, TenantQuotasArguments},
    hospital::{hospital, initiator},
    output::say,
    runtime::block_on,
};
use crate::{logging, wiring::Foundation};

/// Shows what a hospital may use and has; sets what is said.
pub(super) fn run(arguments: &TenantQuotasArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(async {
        let foundation = Foundation::lay(&config).await?;
        let tenant = hospital(&foundation, &arguments.slug).await?;
        let now = foundation.clock.now();
        let quotas = wanted(arguments, tenant.quotas).checked()?;
        if quotas != tenant.quotas {
            let subject = format!("tenant:{}", tenant.id);
            let entry = initiator().entry(tenant.id, now, "tenant.quotas", subject);
            let entry = AuditEntry { detail: quotas.to_string(), ..entry };
            foundation.database.set_quotas(tenant.id, &quotas, &entry).await.map_err(CliError::Store)?;
        }
        let stored = foundation.database.stored(tenant.id, now).await.map_err(CliError::Store)?;
        foundation.database.close().await.map_err(CliError::Migrate)?;
        if arguments.json {
            say(as_json(&quotas, &stored))
        } else {
            say(in_words(&tenant.name, &quotas, &stored))
        }
    })
}

/// What is not said stays as it is.
fn wanted(arguments: &TenantQuotasArguments, now: Quotas) -> Quotas {
    Quotas {
        devices: arguments.devices.unwrap_or(now.devices),
        users: arguments.users.unwrap_or(now.users),
        messages_per_second: arguments.messages_per_second.unwrap_or(now.messages_per_second),
        device_messages_per_second: arguments
            .device_messages_per_second
            .unwrap_or(now.device_messages_per_second),
        query_cost_per_minute: arguments.query_cost_per_minute.unwrap_or(now.query_cost_per_minute),
        clients: wanted_of_clients(&arguments.clients, now.clients),
        stored_days: arguments.stored_days.map_or(now.stored_days, |KeptDays(days)| days),
    }
}

fn wanted_of_clients(arguments: &ClientQuotasArguments, now: ClientQuotas) -> ClientQuotas {
    ClientQuotas {
        connections: arguments.connections.unwrap_or(now.connections),
        packet_bytes: arguments.packet_bytes.unwrap_or(now.packet_bytes),
        receive_maximum: arguments.receive_maximum.unwrap_or(now.receive_maximum),
        in_flight: arguments.in_flight.unwrap_or(now.in_flight),
        queued_messages: arguments.queued_messages.unwrap_or(now.queued_messages),
        subscriptions: arguments.subscriptions.unwrap_or(now.subscriptions),
    }
}

fn as_json(quotas: &Quotas, stored: &Stored) -> serde_json::Value {
    json!({
        "quotas": {
            "devices": quotas.devices,
            "users": quotas.users,
            "messagesPerSecond": quotas.messages_per_second,
            "deviceMessagesPerSecond": quotas.device_messages_per_second,
            "queryCostPerMinute": quotas.query_cost_per_minute,
            "clients": quotas.clients,
            "storedDays": quotas.stored_days,
        },
        "devices": stored.devices,
        "users": stored.users,
        "messages": stored.messages,
        "bytes": stored.bytes,
    })
}

fn in_words(name: &str, quotas: &Quotas, stored: &Stored) -> String {
    let kept =
        quotas.stored_days.map_or_else(|| "kept for good".to_owned(), |days| format!("kept {days} days"));
    format!(
        "{name}\n  devices               {} of {}\n  people                {} of {}\n  messages a second     at most {}\n  \
         of one device         at most {}\n  query cost a minute   at most {}\n  over MQTT             {}\n  messages              {} stored ({} bytes), {kept}",
        stored.devices,
        quotas.devices,
        stored.users,
        quotas.users,
        quotas.messages_per_second,
        quotas.device_messages_per_second,
        quotas.query_cost_per_minute,
        quotas.clients,
        stored.messages,
        stored.bytes,
    )
}
