//! Has the program built anew when the console was.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_CONSOLE").is_some() {
        // The folder is always there, and the console is built below it.
        println!("cargo:rerun-if-changed=../../console/dist");
        if !std::path::Path::new("../../console/dist/app/index.html").exists() {
            println!(
                "cargo:warning=console/dist/app has no console: a page that says how to build it is served in its place"
            );
        }
    }
}
