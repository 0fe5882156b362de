//! The table of routes.

use actix_web::{
    middleware::Compress,
    web::{self, ServiceConfig, get, head, post, resource, to},
};

use super::{
    auth, graphql, health, mqtt_socket, oauth, oidc, openapi, problem::Problem, socket, telemetry, ui,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    let only = |allowed: &'static str| to(move || async move { Problem::method_not_allowed(allowed) });
    config
        .service(
            resource("/livez")
                .route(get().to(health::live))
                .route(head().to(health::live))
                .default_service(only("GET, HEAD")),
        )
        .service(
            resource("/readyz")
                .route(get().to(health::ready))
                .route(head().to(health::ready))
                .default_service(only("GET, HEAD")),
        )
        .service(resource("/auth/login").route(post().to(auth::login)).default_service(only("POST")))
        .service(resource("/auth/session").route(get().to(auth::session)).default_service(only("GET")))
        .service(resource("/auth/logout").route(post().to(auth::logout)).default_service(only("POST")))
        .service(
            resource("/auth/setup")
                .route(get().to(auth::setup_is_open))
                .route(post().to(auth::setup))
                .default_service(only("GET, POST")),
        )
        .service(
            resource("/auth/invitation")
                .route(get().to(auth::invited))
                .route(post().to(auth::accept_invitation))
                .default_service(only("GET, POST")),
        )
        .service(
            // The second is where devices made for Azure IoT Hub look for it.
            resource(["/mqtt", "/$iothub/websocket"])
                .route(get().to(mqtt_socket::open))
                .default_service(only("GET")),
        )
        .service(resource("/oauth/token").route(post().to(oauth::token)).default_service(only("POST")))
        .service(resource("/auth/oidc").route(get().to(oidc::entrances)).default_service(only("GET")))
        .service(resource("/auth/oidc/callback").route(get().to(oidc::callback)).default_service(only("GET")))
        .service(
            resource("/auth/oidc/{hospital}/{provider}/start")
                .route(get().to(oidc::start))
                .default_service(only("GET")),
        )
        .service(
            resource("/auth/oidc/backchannel-logout/{hospital}/{provider}")
                .route(post().to(oidc::backchannel_logout))
                .default_service(only("POST")),
        )
        .service(resource("/graphql/ws").route(get().to(socket::open)).default_service(only("GET")))
        .service(
            resource("/graphql")
                // Nothing here echoes a secret beside what a client sends, so compression gives none away.
                .wrap(Compress::default())
                .route(get().to(graphql::get))
                .route(post().to(graphql::post))
                .default_service(to(graphql::not_allowed)),
        )
        .service(
            resource("/api/openapi.json").route(get().to(openapi::description)).default_service(only("GET")),
        )
        .service(
            resource("/api/v1/telemetry").route(post().to(telemetry::device)).default_service(only("POST")),
        )
        .service(
            resource("/api/v1/telemetry/{component}")
                .route(post().to(telemetry::component))
                .default_service(only("POST")),
        )
        .service(web::scope("").wrap(Compress::default()).default_service(to(ui::serve)));
}
