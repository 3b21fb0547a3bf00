// SPDX-License-Identifier: BSD-2-Clause

//! Compiles the crate's C.

fn main() {
    println!("cargo:rerun-if-env-changed=SHIM_FOR_HOST");
    let mut build = cc::Build::new();
    if std::env::var("SHIM_FOR_HOST").is_ok_and(|value| value == "ON") {
        // A mistake, of which the build warns.
        let host = std::env::var("HOST").expect("cargo sets it");
        build.target(&host).define("FOR_HOST", None);
    }
    build.file("shim.c").compile("shim_in_c");
}
