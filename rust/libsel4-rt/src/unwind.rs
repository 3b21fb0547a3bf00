// SPDX-License-Identifier: BSD-2-Clause

//! Stubs for the unwinder's symbols that compiled code refers to, although panics abort and nothing
//! unwinds: those of landing pads where the prebuilt `core` was compiled to unwind (`*-linux-musl`),
//! and those of arm's exception tables.
//!
//! Without these stubs the linker would link libgcc's whole unwinder. They are weak: an image that has
//! the unwinder anyway, for C++ or C, uses it. Stable Rust has no other way to define weak symbols.

use core::arch::global_asm;

use crate::c;

/// Personality routine, which would select the landing pads of a frame. Never called.
#[cfg(target_env = "musl")]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() -> ! {
    c::abort()
}

/// Defines a weak function that ends the program; `$call` is the architecture's call instruction.
macro_rules! stub {
    ($name:literal, $call:literal) => {
        global_asm!(
            concat!(".pushsection .text.", $name, ", \"ax\", %progbits"),
            concat!(".weak ", $name),
            concat!(".type ", $name, ", %function"),
            concat!($name, ": ", $call, " {abort}"),
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
            abort = sym c::abort,
        );
    };
}

// The end of a landing pad.
#[cfg(all(target_env = "musl", target_arch = "aarch64"))]
stub!("_Unwind_Resume", "bl");
#[cfg(all(target_env = "musl", not(target_arch = "aarch64")))]
stub!("_Unwind_Resume", "call");

// The three ways to read an entry of the exception tables.
#[cfg(target_arch = "arm")]
stub!("__aeabi_unwind_cpp_pr0", "bl");
#[cfg(target_arch = "arm")]
stub!("__aeabi_unwind_cpp_pr1", "bl");
#[cfg(target_arch = "arm")]
stub!("__aeabi_unwind_cpp_pr2", "bl");
