// SPDX-License-Identifier: BSD-2-Clause

//! Writes the C headers and the configuration of the hosted platform into a folder:
//! `sel4-hosted-headers FOLDER [mcs]`. Files whose content stays the same are left alone.

#[path = "../generate/mod.rs"]
mod generate;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        [folder] => write(Path::new(folder), false),
        [folder, "mcs"] => write(Path::new(folder), true),
        _ => Err("expected one folder\nhelp: sel4-hosted-headers FOLDER [mcs]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path, mcs: bool) -> Result<(), String> {
    let api = generate::read(include_str!("../sel4.api"), &|condition| match condition {
        "mcs" => Some(mcs),
        "plain" => Some(!mcs),
        "x86_64" => Some(cfg!(target_arch = "x86_64")),
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
