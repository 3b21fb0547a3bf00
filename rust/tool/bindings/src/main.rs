// SPDX-License-Identifier: BSD-2-Clause

//! Command line of `sel4-rust-bindings`, which `sel4-rust bindings` and `sel4-rust libclang` run.

use std::ffi::OsString;
use std::process::ExitCode;

use sel4_rust_bindings::request::{Stop, alone};
use sel4_rust_bindings::{Request, load_libclang, write};

const USAGE: &str = "\
usage: sel4-rust bindings REQUEST
       sel4-rust libclang
";

fn main() -> ExitCode {
    match execute(std::env::args_os().skip(1).collect()) {
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
    match arguments.split_first() {
        Some((step, [])) if step == "libclang" => load_libclang()?,
        Some((step, rest)) if step == "bindings" => write(&alone::<Request>(rest)?)?,
        _ => {
            return Err(Stop::Misuse(
                "the step is `bindings` or `libclang`".to_owned(),
            ));
        }
    }
    Ok(())
}
