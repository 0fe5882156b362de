//! Whether a browser's request comes from a page of ours.

use actix_web::{HttpRequest, http::header};
use tenants::ErrorKind;
use url::Url;

use super::problem::Problem;

/// The origins whose pages may act for a signed-in user.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    public: Option<String>,
}

/// What the request says about the page that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Ours,
    Foreign,
    /// No browser, or an old one.
    Unsaid,
}

impl Origins {
    pub(super) fn new(public_url: Option<&Url>) -> Self {
        Self { public: public_url.map(|url| url.origin().ascii_serialization()) }
    }

    /// Refuses what a foreign page has sent.
    pub(super) fn refuse_foreign(&self, request: &HttpRequest) -> Result<(), Problem> {
        match self.sender(request) {
            Sender::Foreign => Err(foreign()),
            Sender::Ours | Sender::Unsaid => Ok(()),
        }
    }

    /// Refuses whatever is not known to come from a page of ours: for requests that no token protects.
    pub(super) fn require_ours(&self, request: &HttpRequest) -> Result<(), Problem> {
        match self.sender(request) {
            Sender::Ours => Ok(()),
            Sender::Foreign | Sender::Unsaid => Err(foreign()),
        }
    }

    fn sender(&self, request: &HttpRequest) -> Sender {
        let Some(origin) = request.headers().get(header::ORIGIN) else { return Sender::Unsaid };
        let Ok(origin) = origin.to_str() else { return Sender::Foreign };
        if self.public.as_deref().is_some_and(|public| public.eq_ignore_ascii_case(origin)) {
            return Sender::Ours;
        }
        // The same machine under another name, as with a tunnel or a development server: a page may speak to
        // the host it came from. Cookies go to that host only, so no foreign name gains anything by it.
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        match (authority, host) {
            (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host) => Sender::Ours,
            _ => Sender::Foreign,
        }
    }
}

fn foreign() -> Problem {
    Problem::new(ErrorKind::Forbidden, "this request must come from a page of this server (Origin)")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn pages_of_ours_and_pages_of_others() {
        let origins = Origins::new(Some(&Url::parse("https://iomt.example.org").unwrap()));
        for (origin, host, expected) in [
            (Some("https://iomt.example.org"), "10.0.0.7:8080", Sender::Ours),
            (Some("HTTPS://IOMT.example.org"), "10.0.0.7:8080", Sender::Ours),
            (Some("http://localhost:8080"), "localhost:8080", Sender::Ours),
            (Some("http://localhost:5173"), "localhost:8080", Sender::Foreign),
            (Some("https://iomt.example.org.evil.example"), "iomt.example.org", Sender::Foreign),
            (Some("https://evil.example"), "iomt.example.org", Sender::Foreign),
            (Some("null"), "iomt.example.org", Sender::Foreign),
            (Some(""), "", Sender::Foreign),
            (None, "iomt.example.org", Sender::Unsaid),
        ] {
            let mut request = TestRequest::default().insert_header((header::HOST, host));
            if let Some(origin) = origin {
                request = request.insert_header((header::ORIGIN, origin));
            }
            let request = request.to_http_request();
            assert_eq!(origins.sender(&request), expected, "{origin:?} at {host}");
            assert_eq!(origins.refuse_foreign(&request).is_err(), expected == Sender::Foreign);
            assert_eq!(origins.require_ours(&request).is_ok(), expected == Sender::Ours);
        }
    }
}
