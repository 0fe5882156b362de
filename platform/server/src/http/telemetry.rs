//! Readings over HTTP, from devices that speak no MQTT. The bodies are the same, and so is the promise: the
//! answer comes after the durable commit.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use tenants::{DeviceId, ErrorKind, TenantId};
use twins::{Unsequenced, message::Channel};

use super::{
    body,
    caller::{correlation, visitor},
    problem::Problem,
    site::Site,
};

/// Largest message, as over MQTT.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Longest name of a component, as over MQTT.
const MAX_COMPONENT_BYTES: usize = 64;

/// Readings of the device itself.
pub(super) async fn device(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    take(&site, &request, payload, None).await
}

/// Readings of one of its components.
pub(super) async fn component(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
    component: Path<String>,
) -> Result<HttpResponse, Problem> {
    let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if component.len() > MAX_COMPONENT_BYTES || !component.bytes().all(valid) {
        let detail =
            format!("a component is named by 1 to {MAX_COMPONENT_BYTES} of A-Z, a-z, 0-9, '_', '-', '.'");
        return Err(Problem::bad_input(detail));
    }
    take(&site, &request, payload, Some(component.as_str().into())).await
}

async fn take(
    site: &Site,
    request: &HttpRequest,
    payload: Payload,
    component: Option<Arc<str>>,
) -> Result<HttpResponse, Problem> {
    let (tenant, device) = authenticate(site, request).await?;
    let payload = body::bytes(payload, MAX_MESSAGE_BYTES).await?;
    site.parts.meter.messages(tenant, Some(&device), 1, Duration::ZERO)?;
    let message = Unsequenced {
        received_at: site.parts.clock.now(),
        correlation: correlation(request),
        channel: Channel::Telemetry { component },
        user_properties: None,
        payload,
    };
    let twins = site.parts.twins.clone();
    let committed = site.run(async move {
        let receipt = twins.append(tenant, device, vec![message]).await.ok()?;
        receipt.await.ok()
    });
    committed.await?.ok_or_else(Problem::unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn authenticate(site: &Site, request: &HttpRequest) -> Result<(TenantId, DeviceId), Problem> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(Credential { slug, device, token }) = header.and_then(credential) else {
        let detail = "send the device's credential: Authorization: Basic base64(<tenant>/<device>:<token>)";
        return Err(Problem::new(ErrorKind::Unauthenticated, detail).challenge("Basic realm=\"iomt\""));
    };
    let (identity, visitor) = (Arc::clone(&site.parts.identity), visitor(request));
    let identified = site.run(async move { identity.device(&slug, &device, &token, &visitor).await }).await?;
    identified.map_err(|error| Problem::from(error).challenge("Basic realm=\"iomt\""))
}

#[derive(Debug, PartialEq, Eq)]
struct Credential {
    slug: String,
    device: String,
    token: String,
}

/// Reads `Basic base64("<tenant>/<device>:<token>")`. Device names may hold colons, so the token begins
/// after the last one; tokens are base64url and hold none.
fn credential(header: &str) -> Option<Credential> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, token) = decoded.rsplit_once(':')?;
    let (slug, device) = name.split_once('/')?;
    Some(Credential { slug: slug.to_owned(), device: device.to_owned(), token: token.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_devices() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let read = |text: &str| credential(&header(text)).map(|c| [c.slug, c.device, c.token].join("|"));
        assert_eq!(read("st-elsewhere/monitor-01:secret").as_deref(), Some("st-elsewhere|monitor-01|secret"));
        assert_eq!(
            read("st-elsewhere/urn:oid:1.2:secret").as_deref(),
            Some("st-elsewhere|urn:oid:1.2|secret")
        );
        assert_eq!(read("st-elsewhere/monitor-01:").as_deref(), Some("st-elsewhere|monitor-01|"));
        for refused in ["", "st-elsewhere", "st-elsewhere/monitor-01", "monitor-01:secret"] {
            assert_eq!(read(refused), None, "{refused}");
        }
        for refused in ["Basic", "Basic !!!", "Bearer c3QvbTpz", "basic /w=="] {
            assert_eq!(credential(refused), None, "{refused}");
        }
    }
}
