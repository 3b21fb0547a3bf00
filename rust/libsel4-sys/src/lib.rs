// SPDX-License-Identifier: BSD-2-Clause

//! The C library libsel4, exactly as this build has it.
//!
//! Generated from the headers and the configuration that the C side of the same image is compiled
//! with: types, constants, every system call and invocation, under their C names. Functions are
//! C's own; those that are `static inline` in C are called through a C file that is compiled with
//! them. So nothing here makes a system call by itself, and there is one IPC buffer.
//!
//! | in C | here |
//! |---|---|
//! | `seL4_Word` | `usize`; so are constants, and enumerations of a word's size |
//! | `struct`, `union` | the same, laid out as C does, which both compilers assert |
//! | `seL4_Error` and other enumerations that functions take or give | an integer of the same size, and constants of that type |
//! | `CONFIG_…` | a constant in [`config`], and a `cfg`: `#[cfg(CONFIG_KERNEL_MCS)]`, `#[cfg(CONFIG_ARCH = "arm")]` |
//! | macros with arguments, or made of calls | not here |
//! | `__sel4_ipc_buffer` | not here; [`seL4_GetMR`], [`seL4_SetMR`] and their like reach it |
//!
//! Where no libsel4 is named and the target is Linux with glibc on x86_64 or aarch64, it is that of
//! the hosted platform: no build for seL4 is needed to check, test and document a crate.
//!
//! A crate that depends on this one has the same `cfg`s with this build script:
//!
//! ```ignore
//! fn main() {
//!     let cfg = std::env::var("DEP_SEL4_CFG").expect("libsel4-sys among the dependencies");
//!     println!("cargo::rerun-if-changed={cfg}");
//!     print!("{}", std::fs::read_to_string(cfg).expect("the configuration of libsel4"));
//! }
//! ```
//!
//! and `unexpected_cfgs = "deny"` under `[lints.rust]` in its manifest makes a misspelt one an error.

#![no_std]

mod bindings {
    #![allow(
        missing_docs,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        clippy::all,
        clippy::pedantic
    )]
    include!(concat!(env!("SEL4_SYS_DIR"), "/bindings.rs"));
}

/// The configuration of the kernel and of libsel4, value by value, under the names that C has for them.
pub mod config {
    include!(concat!(env!("SEL4_SYS_DIR"), "/config.rs"));
}

pub use bindings::*;
