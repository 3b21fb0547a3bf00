// SPDX-License-Identifier: BSD-2-Clause

//! The command line: a step, and the file with CMake's request for it.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cargo::check;
use crate::objects::{link, seal};
use crate::request::{Stop, alone};
use crate::{bindings, bundle, compiler, headers};

const USAGE: &str = "\
usage: sel4-rust target   REQUEST     prints the Rust target that fits a C compiler
       sel4-rust crate    REQUEST     checks a crate, and prints facts about it
       sel4-rust bundle   REQUEST     writes the umbrella crate of an executable, and prints facts about it
       sel4-rust header   REQUEST     writes the C header of a crate
       sel4-rust bindings REQUEST     writes the bindings of libsel4's headers
       sel4-rust seal     REQUEST     leaves out of a Rust archive what C provides
       sel4-rust link     REQUEST -- LINKER ARGUMENT...
       sel4-rust libclang             checks that libclang can be loaded

REQUEST is a TOML file, as CMake writes it into the folder rust/requests of a build folder.
";

/// Runs the tool with the arguments of a process, the program's name first.
/// The exit code is 0, 1 when the work failed, and 2 when the request was not understood.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match execute(arguments.into_iter().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(failure)) => {
            eprintln!("{failure}");
            ExitCode::from(1)
        }
        Err(Stop::Misuse(misuse)) => {
            eprint!("error: {misuse}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn execute(arguments: Vec<OsString>) -> Result<(), Stop> {
    let Some((step, rest)) = arguments.split_first() else {
        return Err(Stop::Misuse("a step is missing".to_owned()));
    };
    match &*step.to_string_lossy() {
        "help" | "--help" | "-h" => print!("{USAGE}"),
        "crate" => print!("{}", check::check(&alone(rest)?)?),
        "target" => print!("{}", compiler::target(&alone(rest)?)?),
        "bundle" => print!("{}", bundle::write(&alone(rest)?)?),
        "header" => headers::write(&alone(rest)?)?,
        "seal" => seal::run(&alone(rest)?)?,
        "link" => {
            let (request, command) = rest.split_at(rest.len().min(1));
            let mut request: link::Request = alone(request)?;
            let command = command.iter().skip_while(|argument| *argument == "--");
            request.command = command
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect();
            link::link(&request)?;
        }
        "bindings" | "libclang" => return Err(bindings::execute(&arguments).into()),
        other => return Err(Stop::Misuse(format!("there is no step `{other}`"))),
    }
    Ok(())
}
