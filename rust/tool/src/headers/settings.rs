// SPDX-License-Identifier: BSD-2-Clause

//! Settings of cbindgen.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Request;
use crate::failure::{Failure, Result};
use crate::output;

/// The kit's configuration of cbindgen, overlaid with the user's.
pub struct Settings {
    pub config: cbindgen::Config,
    pub known_to_c: KnownToC,
}

/// Types that exist on the C side: libsel4's, those of camkes.h, and those that the user lists under `export.exclude`.
pub struct KnownToC(BTreeSet<String>);

/// Prefix of libsel4's types.
pub const SEL4: &str = "seL4_";

impl KnownToC {
    /// Returns whether C has the type `name`.
    pub fn has(&self, name: &str) -> bool {
        name == "void" || name.starts_with(SEL4) || self.0.contains(name)
    }
}

/// Macro that stands for `aligned` in the header.
pub const ALIGNED: &str = "SEL4_RUST_ALIGNED";
/// Definition of [`ALIGNED`].
pub const ALIGNED_DEFINE: &str = "
#ifndef SEL4_RUST_ALIGNED
#define SEL4_RUST_ALIGNED(bytes) __attribute__((aligned(bytes)))
#endif
";

impl Settings {
    /// Reads the user's cbindgen.toml.
    pub fn new(request: &Request) -> Result<Self> {
        let mut table = defaults(request);
        if let Some(path) = &request.config {
            let wrong = |message: &str| {
                Failure::new(format!(
                    "`{}` is not a cbindgen configuration: {message}",
                    path.display()
                ))
                .help("the keys are listed in cbindgen's docs.md: https://github.com/mozilla/cbindgen/blob/master/docs.md")
            };
            let user: Table = output::read(path)?
                .parse()
                .map_err(|error: toml::de::Error| wrong(&error.to_string()))?;
            if let Some(language) = user.get("language").and_then(Value::as_str)
                && !language.eq_ignore_ascii_case("c")
            {
                return Err(Failure::new(format!(
                    "`{}` asks for the language `{language}`",
                    path.display()
                ))
                .help("remove the line: the header is C, and C++ can read it too"));
            }
            if user
                .get("parse")
                .and_then(|parse| parse.get("expand"))
                .is_some()
            {
                return Err(Failure::new(format!(
                    "`{}` asks for [parse.expand], which needs a nightly compiler",
                    path.display()
                ))
                .help("remove it, and write the functions that C calls without a macro"));
            }
            // The user's file alone first: its errors name the line.
            toml::from_str::<cbindgen::Config>(&output::read(path)?)
                .map_err(|error| wrong(&error.to_string()))?;
            overlay(&mut table, user);
        }
        let config: cbindgen::Config = table.try_into().map_err(|error: toml::de::Error| {
            Failure::new(format!(
                "the cbindgen configuration contradicts the kit's own settings: {error}"
            ))
            .help("remove the key from cbindgen.toml")
        })?;
        let known_to_c = KnownToC(config.export.exclude.iter().cloned().collect());
        Ok(Self { config, known_to_c })
    }

    /// Leaves the definitions of types to C.
    pub fn exclude(&mut self, names: BTreeSet<String>) {
        self.config.export.exclude.extend(names.iter().cloned());
        self.known_to_c.0.extend(names);
    }
}

/// Returns the kit's own settings.
fn defaults(request: &Request) -> Table {
    let name = request
        .out
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let mut guard: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    if guard.starts_with(|first: char| first.is_ascii_digit()) {
        guard.insert(0, 'H');
    }
    let text = format!(
        "language = \"C\"\ncpp_compat = true\ninclude_guard = \"{guard}\"\nno_includes = true\n\
         usize_is_size_t = true\nstyle = \"both\"\ndocumentation = true\n\
         [fn]\nno_return = \"__attribute__((noreturn))\"\n\
         [layout]\npacked = \"__attribute__((packed))\"\naligned_n = \"{ALIGNED}\"\n\
         [defines]\n{DEFINES}"
    );
    // The text is written here, and a test reads it.
    text.parse().unwrap_or_default()
}

/// Macros that C compilers define for the targets of the kit.
const DEFINES: &str = r#"
"target_arch = aarch64" = "__aarch64__"
"target_arch = arm" = "__arm__"
"target_arch = riscv64" = "__riscv"
"target_arch = x86_64" = "__x86_64__"
"target_arch = x86" = "__i386__"
"target_pointer_width = 64" = "__LP64__"
"#;

/// Overwrites entries of `lower` with those of `upper`, table by table.
fn overlay(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(lower)), Value::Table(upper)) => overlay(lower, upper),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}
