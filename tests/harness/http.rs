//! The HTTP client of the tests.
use reqwest::{Client, ClientBuilder};

/// Built with the crates of the house, reqwest speaks TLS and wants to be told by which provider.
pub fn builder() -> ClientBuilder {
    // Fails when there is one already, which is then the one that is used.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
}

/// A client without cookies.
pub fn client() -> Client {
    builder().build().expect("a client can be made")
}
