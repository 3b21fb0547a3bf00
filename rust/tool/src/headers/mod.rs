// SPDX-License-Identifier: BSD-2-Clause

//! `header`: the C header of a crate, by cbindgen, strictly.
//!
//! cbindgen leaves out items that it cannot express and carries on. Here that is an error. To know the items and their
//! places, [`source`] parses the crate first. cbindgen gets one flat file: the crate's own exports and the types of its path
//! dependencies, without items that are not built and without declarations of C functions, which have their own headers.

mod complaints;
mod crates;
mod exports;
mod flat;
mod settings;
pub mod source;
mod text;

use std::path::PathBuf;

use serde::Deserialize;

use crate::cargo::Cargo;
use crate::cargo::check::{choose, features};
use crate::failure::{Failure, Result};
use crate::output;

use crates::Crates;
use settings::Settings;

/// Which header to write, and of what.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// Which cargo to ask.
    #[serde(default)]
    pub cargo: Cargo,
    /// The `Cargo.toml` of the crate, or of its workspace.
    pub manifest: PathBuf,
    /// The package.
    pub package: String,
    /// The header.
    pub out: PathBuf,
    /// File to list the inputs in, in the syntax of make.
    pub depfile: PathBuf,
    /// The user's cbindgen.toml, which has the last word on style.
    pub config: Option<PathBuf>,
    /// Further `#include <...>` lines.
    #[serde(default)]
    pub sys_includes: Vec<String>,
    /// The features to take as on.
    #[serde(default)]
    pub features: Vec<String>,
    /// Keeps the default features off.
    #[serde(default)]
    pub no_default_features: bool,
}

/// Writes the header and its depfile.
///
/// # Errors
///
/// When an export of the crate cannot be expressed in C. Both files are then as they were.
pub fn write(request: &Request) -> Result<()> {
    let manifest = output::absolute(&request.manifest)?;
    let arguments = features(&request.features, request.no_default_features);
    let arguments: Vec<&str> = arguments.iter().map(|argument| &**argument).collect();
    let graph = request.cargo.locked(&manifest, &arguments)?;
    let chosen = choose(&graph, &manifest, Some(&request.package))?;
    let crates = Crates::load(&graph, &chosen.id)?;
    let settings = Settings::new(request)?;
    let text = generate(request, &crates, settings)?;

    output::write_if_changed(&request.out, text.as_bytes())?;
    let mut inputs = crates.files();
    inputs.extend(request.config.clone());
    output::write_if_changed(
        &request.depfile,
        output::depfile(&request.out, &inputs).as_bytes(),
    )?;
    Ok(())
}

fn generate(request: &Request, crates: &Crates<'_>, settings: Settings) -> Result<String> {
    let exports = exports::find(&crates.own);
    exports::check(&crates.own, &exports)?;
    exports::warn_of_macros(&crates.own, &request.out);

    let folder = tempfile::tempdir().map_err(|error| {
        Failure::new(format!("cannot make a temporary folder: {error}"))
            .help("free some space in it, or name another folder in TMPDIR")
    })?;
    let file = folder.path().join(flat::FILE);
    output::write_if_changed(&file, flat::text(crates, &settings).as_bytes())?;
    let known = settings.known_to_c;
    let builder = cbindgen::Builder::new()
        .with_config(settings.config)
        .with_src(&file);
    // cbindgen complains both while parsing and while writing.
    let (made, log) = complaints::listen(|| {
        builder.generate().map(|bindings| {
            let text = body(&bindings);
            (bindings, text)
        })
    });
    let (mut bindings, text) = made.map_err(|error| {
        Failure::new(format!(
            "cbindgen cannot read the crate `{}`: {error}",
            request.package
        ))
        .help("if `cargo check` accepts the crate, report it to the project")
    })?;
    complaints::judge(crates, &known, &log)?;
    text::by_value(crates, &text, &log)?;
    text::namesakes(crates, &text)?;

    let user_header = bindings.config.header.take();
    let includes = text::includes(&text, &request.sys_includes);
    bindings.config.sys_includes.splice(0..0, includes);
    if text::mentions(&text, settings::ALIGNED) {
        let given = bindings.config.after_includes.take().unwrap_or_default();
        let define = settings::ALIGNED_DEFINE;
        bindings.config.after_includes = Some(format!("{define}{given}"));
    }
    let mut header = format!(
        "/* Generated from the Rust crate `{}` by sel4-rust-kit. Do not edit. */\n",
        request.package
    );
    if let Some(user) = user_header {
        header += &format!("{user}\n");
    }
    if exports.is_empty() {
        header += "/* The crate exports nothing to C: no function is `extern \"C\"` and `#[unsafe(no_mangle)]`. */\n";
    }
    Ok(header + &body(&bindings))
}

/// Returns the text that cbindgen writes.
fn body(bindings: &cbindgen::Bindings) -> String {
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if text.starts_with('\n') {
        text
    } else {
        format!("\n{text}")
    }
}
