//! What a client's user name says: who it is, where it belongs, and how it will show that.

/// The device part of a user name that stands for a program.
const APPLICATION: &str = "app";

/// What a device says instead of a token that has none yet.
const NEWCOMER: &str = "provision";

/// A user name of a CONNECT, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserName<'a> {
    /// A device: `<tenant-slug>/<device-id>`.
    Device { slug: &'a str, device: &'a str },
    /// A program: `<tenant-slug>/app`.
    Application { slug: &'a str },
    /// A device that nobody knows yet, as those made for ThingsBoard call themselves that ask to be registered.
    Newcomer,
    /// A token and nothing else, as those devices present it that were made for ThingsBoard; empty where there is no user
    /// name.
    Token(&'a str),
    /// A device made for an IoT Hub: `<host>/<device>/?api-version=...`.
    Hub { host: &'a str, device: &'a str },
    /// A device that asks a Device Provisioning Service: `<id scope>/registrations/<device>/api-version=...`.
    Provisioning { id_scope: &'a str, device: &'a str },
}

impl<'a> UserName<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let mut parts = text.splitn(4, '/').map(Some).chain(std::iter::repeat(None));
        let parts: [Option<&str>; 4] = std::array::from_fn(|_| parts.next().flatten());
        match parts {
            [Some(id_scope), Some("registrations"), Some(device), Some(version)]
                if version.starts_with("api-version=") =>
            {
                Self::Provisioning { id_scope, device }
            }
            [Some(host), Some(device), Some(version), _] if version.starts_with("?api-version=") => {
                Self::Hub { host, device }
            }
            _ => match text.split_once('/') {
                Some((slug, APPLICATION)) => Self::Application { slug },
                Some((slug, device)) => Self::Device { slug, device },
                None if text == NEWCOMER => Self::Newcomer,
                None => Self::Token(text),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_of_every_kind() {
        let hub = |host, device| UserName::Hub { host, device };
        let provisioning = |id_scope, device| UserName::Provisioning { id_scope, device };
        let device = |slug, device| UserName::Device { slug, device };
        let cases = [
            (
                "localhost/monitor-1/?api-version=2019-10-01&DeviceClientType=x%2F1",
                hub("localhost", "monitor-1"),
            ),
            ("a.example.org/m/?api-version=2020-09-30&model-id=dtmi:a:b;1", hub("a.example.org", "m")),
            ("0neAAA/registrations/m/api-version=2019-03-31&ClientVersion=1", provisioning("0neAAA", "m")),
            (
                "localhost/monitor-1/module/?api-version=2019-10-01",
                device("localhost", "monitor-1/module/?api-version=2019-10-01"),
            ),
            ("0neAAA/registrations/m/x", device("0neAAA", "registrations/m/x")),
            ("st-elsewhere/monitor-1", device("st-elsewhere", "monitor-1")),
            ("st-elsewhere/monitor-1/", device("st-elsewhere", "monitor-1/")),
            ("st-elsewhere/", device("st-elsewhere", "")),
            ("st-elsewhere/app", UserName::Application { slug: "st-elsewhere" }),
            ("provision", UserName::Newcomer),
            ("st-elsewhere/provision", device("st-elsewhere", "provision")),
            ("iomt_abc", UserName::Token("iomt_abc")),
            ("", UserName::Token("")),
        ];
        for (text, expected) in cases {
            assert_eq!(UserName::read(text), expected, "{text}");
        }
    }
}
