// SPDX-License-Identifier: BSD-2-Clause

//! Generates the Rust side from `sel4.api`, and the files that libsel4-sys reads if no other libsel4 is named.

#[path = "generate/mod.rs"]
mod generate;

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    for file in ["sel4.api", "generate"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if let Err(message) = run() {
        println!("cargo::error={message}");
    }
}

fn run() -> Result<(), String> {
    let variable = |name| env::var(name).unwrap_or_default();
    let out = PathBuf::from(variable("OUT_DIR"));
    let api = generate::read(include_str!("sel4.api"), &|condition| match condition {
        "mcs" => Some(env::var_os("CARGO_FEATURE_MCS").is_some()),
        "plain" => Some(env::var_os("CARGO_FEATURE_MCS").is_none()),
        "x86_64" | "aarch64" => Some(variable("CARGO_CFG_TARGET_ARCH") == condition),
        _ => None,
    })?;
    for (name, content) in [
        ("api.rs", generate::rust::api(&api)),
        ("config.rs", generate::config::constants(&api)),
        ("cfg", generate::config::cfgs(&api)),
        (
            "bindings.rs",
            "pub use sel4_hosted_libsel4::api::*;\n".into(),
        ),
    ] {
        let file = out.join(name);
        fs::write(&file, content)
            .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    }
    println!("cargo::metadata=DIR={}", out.display());
    Ok(())
}
