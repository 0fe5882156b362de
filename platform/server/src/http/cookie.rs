//! The cookie of a signed-in browser.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};

/// As long as somebody may take at their provider.
const ATTEMPT_LASTS: Duration = Duration::minutes(10);

/// Makes and reads the cookie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookies {
    /// Whether browsers come over TLS; then the cookie never travels without it, and no other host of the
    /// same domain can set one of this name.
    pub(super) secure: bool,
}

impl Cookies {
    const fn name(self) -> &'static str {
        if self.secure { "__Host-iomt_session" } else { "iomt_session" }
    }

    /// The secret that the browser presents.
    pub(super) fn read(self, request: &HttpRequest) -> Option<String> {
        request.cookie(self.name()).map(|cookie| cookie.value().to_owned())
    }

    /// For the time until the browser is closed; the session ends earlier on the server's side.
    pub(super) fn set(self, secret: &str) -> Cookie<'static> {
        Cookie::build(self.name(), secret.to_owned())
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .finish()
    }

    const fn attempt_name(self) -> &'static str {
        if self.secure { "__Host-iomt_sign_in" } else { "iomt_sign_in" }
    }

    /// The secret of a browser that was sent to its hospital's identity provider. `Lax`: it comes back by a link from
    /// there.
    pub(super) fn attempt(self, secret: &str) -> Cookie<'static> {
        let mut cookie = self.set(secret);
        cookie.set_name(self.attempt_name());
        cookie.set_max_age(ATTEMPT_LASTS);
        cookie
    }

    /// What it presents when it comes back.
    pub(super) fn read_attempt(self, request: &HttpRequest) -> Option<String> {
        request.cookie(self.attempt_name()).map(|cookie| cookie.value().to_owned())
    }

    /// Takes that cookie away: it counts once.
    pub(super) fn clear_attempt(self) -> Cookie<'static> {
        let mut cookie = self.attempt("");
        cookie.make_removal();
        cookie
    }

    /// Takes the cookie away.
    pub(super) fn clear(self) -> Cookie<'static> {
        let mut cookie = self.set("");
        cookie.make_removal();
        cookie
    }
}
