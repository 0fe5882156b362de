//! Devices that nobody knows yet: they ask as ThingsBoard's device provisioning does, and go away with their token.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{Errand, Frame, Heard};
use crate::gate::{Newcomer, Unregistered};

pub(crate) const REQUEST: &str = "/provision/request";
pub(crate) const RESPONSE: &str = "/provision/response";

/// Longest request. It comes from a stranger.
const MAX_REQUEST_BYTES: usize = 4 * 1024;

/// How a device wants to sign in from then on: with a token, which the platform chooses.
const ACCESS_TOKEN: &str = "ACCESS_TOKEN";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    provision_device_key: String,
    provision_device_secret: String,
    device_name: Option<String>,
    credentials_type: Option<String>,
    token: Option<String>,
}

/// What a newcomer asks for, or is refused at once.
pub(crate) fn hear(payload: &Bytes) -> Heard {
    let request = Some(payload).filter(|payload| payload.len() <= MAX_REQUEST_BYTES);
    let request: Option<Request> = request.and_then(|payload| serde_json::from_slice(payload).ok());
    let Some(request) = request else {
        return refused(
            "provisionDeviceKey and provisionDeviceSecret are expected, as JSON of at most 4 KiB",
        );
    };
    let other = request.credentials_type.is_some_and(|of| of != ACCESS_TOKEN);
    if other || request.token.is_some() {
        return refused("a device signs in with a token here, and the platform chooses it");
    }
    let newcomer = Newcomer {
        key: request.provision_device_key,
        secret: request.provision_device_secret,
        name: request.device_name,
    };
    Heard::errand(Errand::Enrol { newcomer, answer })
}

fn refused(why: &str) -> Heard {
    Heard::errand(Errand::Say(answer(Err(Unregistered::Refused(why.to_owned())))))
}

fn answer(enrolled: Result<String, Unregistered>) -> Frame {
    let answer = match enrolled {
        Ok(token) => {
            json!({ "status": "SUCCESS", "credentialsType": ACCESS_TOKEN, "credentialsValue": token })
        }
        Err(Unregistered::NotValid) => {
            json!({ "status": "NOT_FOUND", "errorMsg": "key or secret is not right" })
        }
        Err(Unregistered::Refused(why)) => json!({ "status": "FAILURE", "errorMsg": why }),
    };
    Frame::json(RESPONSE.into(), &answer)
}
