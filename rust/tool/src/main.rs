// SPDX-License-Identifier: BSD-2-Clause

//! Entry point; see the library for what the tool does.

use std::process::ExitCode;

fn main() -> ExitCode {
    sel4_rust::cli::run(std::env::args_os())
}
