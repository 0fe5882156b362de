//! Asking a provider. Its answers are untrusted: bounded in size and time, never followed elsewhere.

use std::{sync::OnceLock, time::Duration};

use openidconnect::{HttpRequest, HttpResponse, http};
use reqwest::{Client, redirect::Policy};
use url::{Host, Url};

/// A browser waits meanwhile.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(6);
/// Documents, key sets and tokens are some kilobytes.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0} is no address that is asked: it must begin with https:// and hold no password")]
    Address(String),
    #[error("{host} cannot be reached or did not answer in time")]
    Unreachable {
        host: String,
        #[source]
        cause: reqwest::Error,
    },
    #[error("{host} answered with more than {MAX_ANSWER_BYTES} bytes")]
    TooLarge { host: String },
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
    #[error("the request or its answer has no valid form")]
    Form(#[source] http::Error),
}

/// The HTTP client for providers.
pub(crate) struct Fetch {
    /// Made at the first use: reading the machine's certificates takes a moment, and few installations need it.
    client: OnceLock<Client>,
    /// Whether plain HTTP to this machine is allowed, for trying it out.
    loopback_http: bool,
}

impl Fetch {
    pub(crate) fn new(loopback_http: bool) -> Self {
        Self { client: OnceLock::new(), loopback_http }
    }

    pub(crate) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let url = self.checked(&request.uri().to_string())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let unreachable = |cause: reqwest::Error| FetchError::Unreachable {
            host: host.clone(),
            // The address can hold a code.
            cause: cause.without_url(),
        };
        let (parts, body) = request.into_parts();
        let sent = self.client()?.request(parts.method, url).headers(parts.headers).body(body);
        let mut answer = sent.send().await.map_err(unreachable)?;
        let mut response = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(FetchError::TooLarge { host: host.clone() });
            }
            body.extend_from_slice(&chunk);
        }
        response.body(body).map_err(FetchError::Form)
    }

    /// An address that may be asked, and that browsers may be sent to.
    pub(crate) fn checked(&self, text: &str) -> Result<Url, FetchError> {
        let refused = || FetchError::Address(text.chars().take(200).collect());
        let url = Url::parse(text).map_err(|_| refused())?;
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let scheme = match url.scheme() {
            "https" => url.has_host(),
            "http" => loopback && self.loopback_http,
            _ => false,
        };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if scheme && plain { Ok(url) } else { Err(refused()) }
    }

    fn client(&self) -> Result<&Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Fails when there is one already, which is then the one that is used.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // Only the configuration reads the environment.
            .no_proxy()
            .build()
            .map_err(FetchError::Client)?;
        Ok(self.client.get_or_init(|| client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_addresses_are_asked() {
        for (text, on_tls, when_trying) in [
            ("https://login.example.org/realms/x", true, true),
            ("https://127.0.0.1:8443", true, true),
            ("http://127.0.0.1:9000/oidc", false, true),
            ("http://[::1]:9000", false, true),
            ("http://localhost:9000", false, true),
            ("http://localhost.example.org", false, false),
            ("http://127.0.0.1.example.org", false, false),
            ("http://10.0.0.1", false, false),
            ("https://user:secret@login.example.org", false, false),
            ("https://login.example.org/#x", false, false),
            ("ftp://login.example.org", false, false),
            ("file:///etc/passwd", false, false),
            ("login.example.org", false, false),
            ("", false, false),
        ] {
            assert_eq!(Fetch::new(false).checked(text).is_ok(), on_tls, "{text}");
            assert_eq!(Fetch::new(true).checked(text).is_ok(), when_trying, "{text}");
        }
    }
}
