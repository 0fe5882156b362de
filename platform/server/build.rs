//! Tells where the user interface lies, and compiles the server anew when the one that a release carries inside has
//! changed. Builds and downloads nothing.

use std::path::Path;

#[allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this is how cargo speaks with build scripts"
)]
fn main() {
    // A debug build reads the files when it serves them. While there are none, cargo asks again every time.
    let watched = if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        "../../admin-ui/dist"
    } else {
        "build.rs"
    };
    println!("cargo:rerun-if-changed={watched}");
    // Without ".." in it: a folder that is not there yet cannot be resolved later, and files that are compared with an
    // unresolved one are taken for files outside.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let ui = Path::new(&here).join("../../admin-ui");
    let ui = ui.canonicalize().unwrap_or(ui);
    println!("cargo:rustc-env=ADMIN_UI_DIST={}", ui.join("dist").display());
}
