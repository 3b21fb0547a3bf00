// SPDX-License-Identifier: BSD-2-Clause

//! Compiles a WebAssembly module, as text or binary, for the app: `guest-compiler TARGET FROM TO`.

#[path = "../../src/settings.rs"]
mod settings;

use std::env;
use std::fs;
use std::process::ExitCode;

fn compile(target: &str, from: &str, to: &str) -> wasmtime::Result<()> {
    let engine = wasmtime::Engine::new(&settings::config(target)?)?;
    fs::write(to, engine.precompile_module(&fs::read(from)?)?)?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [target, from, to] = arguments.as_slice() else {
        eprintln!("guest-compiler: give TARGET FROM TO");
        return ExitCode::FAILURE;
    };
    if let Err(error) = compile(target, from, to) {
        eprintln!("guest-compiler: cannot compile `{from}` for `{target}`: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
