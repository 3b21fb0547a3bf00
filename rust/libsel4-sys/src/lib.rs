// SPDX-License-Identifier: BSD-2-Clause

//! The C library libsel4 of one build, under its own names.
//!
//! The build generates types, constants, system calls and invocations from the headers and the
//! configuration with which it compiles C. Functions are C's own; Rust reaches `static inline` ones
//! through a C file of wrappers. So no system call is written in Rust, and there is one IPC buffer.
//!
//! | in C | in Rust |
//! |---|---|
//! | `seL4_Word`, and so `seL4_CPtr` and all capabilities | `usize` |
//! | constants: macros, and members of enumerations that no function takes or returns | `usize` |
//! | `seL4_Error` and other enumerations that functions take or return | an integer of C's size; the members have its type |
//! | structures and unions | the same, field by field; rustc and the C compiler both assert the layout |
//! | functions, `static inline` or not | `unsafe extern "C"` functions, with C's documentation |
//! | `CONFIG_KERNEL_MCS`, `CONFIG_MAX_NUM_NODES` … | a constant in [`config`] (`bool`, `usize` or `&str`), and a `cfg` |
//! | macros that take arguments or expand to calls, such as `seL4_AllRights` | absent; write the call |
//! | `__sel4_ipc_buffer` | absent, because stable Rust cannot refer to C's thread-local variables; use [`seL4_GetMR`], [`seL4_SetMR`] and the like |
//!
//! For an ordinary Linux target with glibc on x86_64 or aarch64, the bindings are those of the hosted
//! platform, unless environment variables name another libsel4. So `cargo check`, `cargo test` and
//! `cargo doc` need no build for seL4.
//!
//! # The configuration as `cfg`s
//!
//! A crate that depends on libsel4-sys gets the same `cfg`s, such as `#[cfg(CONFIG_KERNEL_MCS)]` and
//! `#[cfg(CONFIG_ARCH = "arm")]`, by a build script of one line: `libsel4_cfg::emit()`, from the crate
//! `libsel4-cfg` among its build dependencies.
//!
//! `unexpected_cfgs = "deny"` under `[lints.rust]` in its manifest makes an unknown name an error.

#![no_std]

mod bindings {
    #![allow(
        // Functions with another in their place are not exported.
        dead_code,
        missing_docs,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        clippy::all,
        clippy::pedantic,
        clippy::undocumented_unsafe_blocks
    )]
    include!(concat!(env!("SEL4_SYS_DIR"), "/bindings.rs"));
}

/// Configuration of the kernel and of libsel4: every value, under its C name.
pub mod config {
    include!(concat!(env!("SEL4_SYS_DIR"), "/config.rs"));
}

// These are named, and so stand in the place of those of the bindings.
#[cfg(reads_ipc_buffer)]
mod ipc_buffer;
#[cfg(all(passes_words, not(debug_assertions)))]
mod message_info;
#[cfg(passes_words)]
mod words;
#[cfg(reads_ipc_buffer)]
pub use ipc_buffer::{seL4_GetIPCBuffer, seL4_GetMR, seL4_SetMR};
#[cfg(all(passes_words, not(debug_assertions)))]
pub use message_info::{
    seL4_MessageInfo_get_capsUnwrapped, seL4_MessageInfo_get_extraCaps, seL4_MessageInfo_get_label,
    seL4_MessageInfo_get_length, seL4_MessageInfo_new,
};
#[cfg(passes_words)]
pub use words::{seL4_CallWithMRs, seL4_ReplyRecvWithMRs};

pub use bindings::*;
