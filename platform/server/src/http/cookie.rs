//! The cookie of a signed-in browser.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite},
};

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

    /// Takes the cookie away.
    pub(super) fn clear(self) -> Cookie<'static> {
        let mut cookie = self.set("");
        cookie.make_removal();
        cookie
    }
}
