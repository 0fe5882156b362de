//! Shared access signatures: tokens that devices made for Azure IoT Hub make themselves out of their key.
//!
//! `SharedAccessSignature sr=<resource>&sig=<signature>&se=<expiry>[&skn=<policy>]`, in any order; the signature is the
//! HMAC-SHA256 of the resource as it stands there, a line feed and the expiry, with the device's key.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use url::form_urlencoded;

const SCHEME: &str = "SharedAccessSignature ";
/// Longest token: names have their bounds, the rest is fixed.
const MAX_BYTES: usize = 2_048;

/// A token as presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature<'a> {
    /// What it is for, as it was signed.
    resource: &'a str,
    signature: Vec<u8>,
    /// Until when, as it was signed.
    expiry: &'a str,
    pub(crate) expires_at: Timestamp,
}

impl<'a> Signature<'a> {
    /// `None` where it is no such token.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let fields = Some(token).filter(|token| token.len() <= MAX_BYTES)?.strip_prefix(SCHEME)?;
        let (mut resource, mut signature, mut expiry) = (None, None, None);
        for (name, value) in fields.split('&').filter_map(|field| field.split_once('=')) {
            let known = match name {
                "sr" => &mut resource,
                "sig" => &mut signature,
                "se" => &mut expiry,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return None;
            }
        }
        let (resource, expiry) = (resource?, expiry?);
        let signature = STANDARD.decode(decoded(signature?)).ok()?;
        let expires_at = Timestamp::from_second(expiry.parse().ok()?).ok()?;
        Some(Self { resource, signature, expiry, expires_at })
    }

    /// Whether it is for a resource: `<host>/devices/<id>`, `<id scope>/registrations/<id>`.
    pub(crate) fn is_for(&self, resource: &str) -> bool {
        decoded(self.resource).eq_ignore_ascii_case(resource)
    }

    /// Whether it was made with this key. Takes the same time whatever is wrong.
    pub(crate) fn is_by(&self, key: &[u8]) -> bool {
        let mac = hmac(key).chain_update(self.resource).chain_update("\n").chain_update(self.expiry);
        mac.verify_slice(&self.signature).is_ok()
    }
}

/// The key of a device, from that of its hospital: as a group of enrolments makes them in the Device Provisioning Service.
pub(crate) fn device_key(enrolment_key: &[u8], device: &str) -> [u8; 32] {
    hmac(enrolment_key).chain_update(device).finalize().into_bytes().into()
}

/// The secret for newcomers, from the key of their hospital. No device has such a name, so it is no device's key.
pub(crate) fn newcomer_secret(enrolment_key: &[u8]) -> Hmac<Sha256> {
    hmac(enrolment_key).chain_update("/newcomers/")
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("a key of any length")
}

/// Percent-encoding undone. A `+` stands for itself here, so it is not what a form makes of it.
fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B");
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with the client that Microsoft publishes, for the key and the time below.
    const TOKEN: &str =
        "SharedAccessSignature sr=hub.example.org%2Fdevices%2Fmonitor-1&sig=@SIG@&se=1893456000";
    const KEY: &str = "bm90LWEtc2VjcmV0LWJ1dC1hLWtleS1mb3ItdGVzdHM=";

    fn token() -> String {
        TOKEN.replace("@SIG@", SIGNATURE)
    }

    const SIGNATURE: &str = "XMTRT7JhBhycQFHmN7c%2Bk9GY2i7s1w0NaBiowIUMk4k%3D";

    #[test]
    fn a_token_of_the_published_client_is_understood() {
        let (token, key) = (token(), STANDARD.decode(KEY).unwrap());
        let signature = Signature::parse(&token).unwrap();
        assert!(signature.is_for("hub.example.org/devices/monitor-1") && signature.is_by(&key));
        assert!(signature.is_for("HUB.example.org/devices/monitor-1"), "hosts are the same in capitals");
        assert!(!signature.is_for("hub.example.org/devices/monitor-2"));
        assert!(!signature.is_by(&key[1..]) && !signature.is_by(b""));
        assert_eq!(signature.expires_at, "2030-01-01T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn whatever_is_changed_is_seen() {
        let (token, key) = (token(), STANDARD.decode(KEY).unwrap());
        for (what, instead) in [("monitor-1", "monitor-2"), ("1893456000", "1993456000"), ("hub.", "hob.")] {
            let changed = token.replace(what, instead);
            assert!(!Signature::parse(&changed).unwrap().is_by(&key), "{what}");
        }
        for (what, instead) in [
            ("SharedAccessSignature ", ""),
            ("SharedAccessSignature ", "sharedaccesssignature "),
            ("sr=", "rs="),
            ("&se=1893456000", ""),
            ("&se=1893456000", "&se=soon"),
            ("&se=1893456000", "&se=99999999999999999"),
            ("&se=1893456000", "&se=1893456000&se=1993456000"),
            ("sig=", "sig=%"),
        ] {
            assert_eq!(Signature::parse(&token.replace(what, instead)), None, "{what} {instead}");
        }
        assert_eq!(Signature::parse(&format!("{token}&skn={}", "x".repeat(3_000))), None);
        assert!(Signature::parse(&format!("{token}&skn=device")).unwrap().is_by(&key));
    }

    #[test]
    fn a_devices_key_is_what_the_documentation_derives() {
        // `KEY` and the registration id, as `openssl dgst -sha256 -hmac` makes it.
        let derived = device_key(&STANDARD.decode(KEY).unwrap(), "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6");
        assert_eq!(STANDARD.encode(derived), DERIVED);
    }

    const DERIVED: &str = "SuUkieuylxR8oa9+ELRQW+dfN/+ZWH/y5jlQW1NlxX4=";
}
