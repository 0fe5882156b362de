//! The admin UI: a bundle that a release carries inside, and that a debug build reads from the disk.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{self, HeaderValue},
    },
};
use rust_embed::{EmbeddedFile, RustEmbed};
use tenants::credentials::generate;

use super::{
    headers::{ASSET_POLICY, page_policy},
    problem::Problem,
};

#[derive(RustEmbed)]
#[folder = "$ADMIN_UI_DIST"]
#[allow_missing = true]
struct Bundle;

const INDEX: &str = "index.html";
/// In the page, where the nonce goes.
const NONCE: &str = "__CSP_NONCE__";
/// Names in this folder hold a hash of their content, so the content never changes.
const HASHED: &str = "assets/";
/// Addresses that are never a page, whatever a client calls them.
const NOT_PAGES: [&str; 6] = ["assets", "api", "auth", "graphql", "livez", "readyz"];

/// Whether there is a UI to serve.
pub(crate) fn is_built() -> bool {
    Bundle::get(INDEX).is_some()
}

/// A file of the bundle; else the page, which finds its own way.
pub(super) async fn serve(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::method_not_allowed("GET, HEAD"));
    }
    let path = request.path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if path.contains(['\\', '\0']) || path.split('/').any(|part| part == "..") {
        return Err(Problem::nothing_here());
    }
    if path != INDEX
        && !path.is_empty()
        && let Some(file) = Bundle::get(path)
    {
        return Ok(asset(&request, path, file));
    }
    if NOT_PAGES.contains(&first) || content_type(path).is_some_and(|(_, is_page)| !is_page) {
        return Err(Problem::nothing_here());
    }
    page()
}

fn page() -> Result<HttpResponse, Problem> {
    match Bundle::get(INDEX) {
        Some(index) => render(&String::from_utf8_lossy(&index.data)),
        None => Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(NOT_BUILT)),
    }
}

/// The page with a nonce that no other answer has.
fn render(index: &str) -> Result<HttpResponse, Problem> {
    let nonce = generate().map_err(|error| Problem::internal(&error))?;
    let policy = page_policy(&nonce).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .body(index.replace(NONCE, &nonce)))
}

fn asset(request: &HttpRequest, path: &str, file: EmbeddedFile) -> HttpResponse {
    let hash: String =
        file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    // Compression makes the tag a weak one on its way.
    let unchanged =
        known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static(caching)));
    response.insert_header((header::ETAG, tag));
    response.insert_header((header::CONTENT_SECURITY_POLICY, ASSET_POLICY));
    if unchanged {
        return response.finish();
    }
    let (content_type, _) = content_type(path).unwrap_or(("application/octet-stream", false));
    response.content_type(content_type).body(file.data.into_owned())
}

/// What a file is, by its name, and whether it is a page.
fn content_type(path: &str) -> Option<(&'static str, bool)> {
    let name = path.rsplit('/').next()?;
    Some(match name.rsplit_once('.')?.1 {
        "html" => ("text/html; charset=utf-8", true),
        "js" | "mjs" => ("text/javascript; charset=utf-8", false),
        "css" => ("text/css; charset=utf-8", false),
        "json" | "map" => ("application/json", false),
        "svg" => ("image/svg+xml", false),
        "png" => ("image/png", false),
        "ico" => ("image/x-icon", false),
        "webmanifest" => ("application/manifest+json", false),
        "woff2" => ("font/woff2", false),
        "ttf" => ("font/ttf", false),
        "wasm" => ("application/wasm", false),
        "txt" => ("text/plain; charset=utf-8", false),
        _ => return None,
    })
}

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>The user interface is not built</title>
<h1>The server runs; its user interface is not built yet</h1>
<p>Build it in the source folder, then load this page again:</p>
<pre>cd admin-ui
npm ci --ignore-scripts
npm run build</pre>
<p>Or start everything with <code>cargo demo</code>, which does this by itself. A release build takes the
user interface in when it is compiled, so build the user interface first.</p>
<p>GraphQL answers at <code>/graphql</code> all the same.</p>
</html>
";

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[test]
    fn a_bundle_that_is_built_after_the_server_is_found() {
        let beside = std::path::Path::new(env!("ADMIN_UI_DIST")).parent().unwrap();
        assert_eq!(beside.canonicalize().unwrap(), beside, "a debug build compares files with this path");
    }

    #[actix_web::test]
    async fn every_page_has_a_nonce_of_its_own() {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let response = render("<meta content=\"__CSP_NONCE__\">").unwrap();
            let policy =
                response.headers().get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap().to_owned();
            let html = String::from_utf8(to_bytes(response.into_body()).await.unwrap().to_vec()).unwrap();
            let nonce =
                html.strip_prefix("<meta content=\"").unwrap().strip_suffix("\">").unwrap().to_owned();
            assert!(
                nonce.len() >= 22 && policy.contains(&format!("style-src 'self' 'nonce-{nonce}';")),
                "{policy}"
            );
            for directive in
                ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"]
            {
                assert!(policy.contains(directive), "{policy}");
            }
            assert!(!policy.contains("unsafe"));
            seen.push(nonce);
        }
        assert_ne!(seen[0], seen[1]);
    }

    #[test]
    fn names_of_files_and_of_pages() {
        for (path, expected) in [
            ("assets/index-abc.js", Some(false)),
            ("icon.svg", Some(false)),
            ("favicon.ico", Some(false)),
            ("about.html", Some(true)),
            ("", None),
            ("patients", None),
            ("devices/monitor.1", None),
            ("devices/urn:oid:1.2.3", None),
        ] {
            assert_eq!(content_type(path).map(|(_, is_page)| is_page), expected, "{path}");
        }
    }
}
