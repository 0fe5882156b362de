//! Compiles the server anew when the user interface that a release carries inside has changed. Builds and
//! downloads nothing.

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
}
