// SPDX-License-Identifier: BSD-2-Clause

//! Writes the C headers and the configuration of the hosted platform into a folder:
//! `sel4-hosted-headers FOLDER [aarch64|x86_64] [mcs]`, by default for this machine's architecture. Files whose
//! content would not change are not written.

#[path = "../generate/mod.rs"]
mod generate;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (folder, options) = arguments.split_first().unwrap_or((&"", &[]));
    let (mcs, options) = match options {
        [before @ .., "mcs"] => (true, before),
        _ => (false, options),
    };
    let result = match options {
        _ if folder.is_empty() => Err("expected a folder"),
        [] => Ok(env::consts::ARCH),
        [architecture @ ("aarch64" | "x86_64")] => Ok(*architecture),
        _ => Err("expected no more than an architecture and `mcs`"),
    };
    let result = result
        .map_err(|what| format!("{what}\nhelp: sel4-hosted-headers FOLDER [aarch64|x86_64] [mcs]"))
        .and_then(|architecture| write(Path::new(folder), architecture, mcs));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path, architecture: &str, mcs: bool) -> Result<(), String> {
    let api = generate::read(include_str!("../sel4.api"), &|condition| match condition {
        "mcs" => Some(mcs),
        "plain" => Some(!mcs),
        "x86_64" | "aarch64" => Some(architecture == condition),
        _ => None,
    })?;
    for (name, content) in generate::c::headers(&api) {
        let file = folder.join(name);
        if fs::read(&file).is_ok_and(|before| before == content.as_bytes()) {
            continue;
        }
        let written = file
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&file, content));
        written.map_err(|error| {
            format!(
                "cannot write `{}`: {error}\nhelp: give a folder that you may write to",
                file.display()
            )
        })?;
    }
    Ok(())
}
