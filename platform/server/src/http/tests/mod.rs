//! The site as clients see it, over a real database and living twins.

mod addresses;
mod graphql;
mod mqtt_socket;
mod oauth;
mod oidc;
mod sessions;
mod sockets;
mod telemetry;
mod world;
