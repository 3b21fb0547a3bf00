// SPDX-License-Identifier: BSD-2-Clause

//! Generator of the configuration, for Rust and for C.

use super::{Api, Setting};

/// Returns the lines by which a build script passes the configuration to cargo as `cfg`s.
pub fn cfgs(api: &Api) -> String {
    let mut out = String::new();
    for (name, setting) in &api.config {
        let any = if matches!(setting, Setting::Flag(_)) {
            ""
        } else {
            ", values(any())"
        };
        out += &format!("cargo::rustc-check-cfg=cfg(CONFIG_{name}{any})\n");
        match setting {
            Setting::Flag(false) => {}
            Setting::Flag(true) => out += &format!("cargo::rustc-cfg=CONFIG_{name}\n"),
            Setting::Number(value) => {
                out += &format!("cargo::rustc-cfg=CONFIG_{name}=\"{value}\"\n")
            }
            Setting::Text(value) => out += &format!("cargo::rustc-cfg=CONFIG_{name}=\"{value}\"\n"),
        }
    }
    out
}

/// Returns the configuration as Rust constants.
pub fn constants(api: &Api) -> String {
    let mut out = String::new();
    for (name, setting) in &api.config {
        let (of, value) = match setting {
            Setting::Flag(value) => ("bool", value.to_string()),
            Setting::Number(value) => ("usize", value.to_string()),
            Setting::Text(value) => ("&str", format!("{value:?}")),
        };
        out += &format!(
            "/// `CONFIG_{name}` of the hosted platform.\npub const CONFIG_{name}: {of} = {value};\n"
        );
    }
    out
}

/// Returns `gen_config.h` and `gen_config.json` of the kernel, or of libsel4.
pub fn c(api: &Api, libsel4: bool) -> (String, String) {
    let mut header = String::from("/* Made from sel4.api. */\n#pragma once\n\n");
    let mut lines = Vec::new();
    for (name, setting) in &api.config {
        if name.starts_with("LIB_SEL4_") != libsel4 {
            continue;
        }
        let (define, json) = match setting {
            Setting::Flag(false) => (format!("/* disabled: CONFIG_{name} */"), "false".into()),
            Setting::Flag(true) => (format!("#define CONFIG_{name} 1"), "true".into()),
            Setting::Number(value) => (
                format!("#define CONFIG_{name} {value}"),
                format!("\"{value}\""),
            ),
            Setting::Text(value) => (
                format!("#define CONFIG_{name} {value}"),
                format!("\"{value}\""),
            ),
        };
        header += &format!("{define}\n");
        lines.push(format!("  \"{name}\": {json}"));
    }
    (header, format!("{{\n{}\n}}\n", lines.join(",\n")))
}
