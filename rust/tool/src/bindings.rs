// SPDX-License-Identifier: BSD-2-Clause

//! `bindings` and `libclang`: subcommands that are a program of their own.
//!
//! bindgen and what it needs take as long to compile as all else together, and only builds that use
//! libsel4-sys need them. So `sel4-rust-bindings` is built on demand and placed beside this program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::failure::Failure;

/// Replaces this process by `sel4-rust-bindings` with `arguments`. Returns only when that fails.
pub fn execute(arguments: &[OsString]) -> Failure {
    let own = std::env::current_exe().unwrap_or_default();
    let program = own.with_file_name("sel4-rust-bindings");
    let error = Command::new(&program).args(arguments).exec();
    Failure::new(format!("cannot run `{}`: {error}", program.display()))
        .help("configure again; without CMake: cargo build --package sel4-rust-bindings")
}
