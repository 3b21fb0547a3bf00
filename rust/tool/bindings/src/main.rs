// SPDX-License-Identifier: BSD-2-Clause

//! Command line of `sel4-rust-bindings`, which `sel4-rust bindings` and `sel4-rust libclang` run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;
use sel4_rust_bindings::failure::Result;
use sel4_rust_bindings::{Request, headers_of_libsel4, load_libclang, write};

const USAGE: &str = "\
usage: sel4-rust bindings --target TRIPLE --out FOLDER [--depfile FILE.d]
                          --include-dir DIR... [--system-include-dir DIR]... [--define NAME[=VALUE]]...
                          [--header sel4/sel4.h]... [--config gen_config.json]...
       sel4-rust libclang
";

fn main() -> ExitCode {
    let outcome = match parse(std::env::args_os()) {
        Ok(command) => command.execute(),
        Err(misuse) => {
            eprint!("error: {misuse}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(1)
        }
    }
}

enum Command {
    Help,
    Libclang,
    Bindings(Request),
}

impl Command {
    fn execute(self) -> Result<()> {
        match self {
            Self::Help => {
                print!("{USAGE}");
                Ok(())
            }
            Self::Libclang => load_libclang(),
            Self::Bindings(request) => write(&request),
        }
    }
}

fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> std::result::Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    match parser.next()? {
        Some(Value(name)) if name == "bindings" => {}
        // Options that CMake gives to every subcommand change nothing here.
        Some(Value(name)) if name == "libclang" => return Ok(Command::Libclang),
        Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(other) => return Err(other.unexpected()),
        None => return Err("a subcommand is missing".into()),
    }
    let (mut target, mut out) = (None, None);
    let mut request = Request {
        headers: Vec::new(),
        include_dirs: Vec::new(),
        system_include_dirs: Vec::new(),
        defines: Vec::new(),
        configs: Vec::new(),
        target: String::new(),
        out: PathBuf::new(),
        depfile: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("target") => target = Some(parser.value()?.string()?),
            Long("out") => out = Some(parser.value()?),
            Long("depfile") => request.depfile = Some(parser.value()?.into()),
            Long("include-dir") => request.include_dirs.push(parser.value()?.into()),
            Long("system-include-dir") => request.system_include_dirs.push(parser.value()?.into()),
            Long("define") => request.defines.push(parser.value()?.string()?),
            Long("header") => request.headers.push(parser.value()?.string()?),
            Long("config") => request.configs.push(parser.value()?.into()),
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    request.target = target.ok_or("--target is missing")?;
    request.out = out.ok_or("--out is missing")?.into();
    if request.include_dirs.is_empty() {
        return Err("--include-dir is missing".into());
    }
    if request.headers.is_empty() {
        request.headers = headers_of_libsel4(&request.include_dirs);
    }
    Ok(Command::Bindings(request))
}
