// SPDX-License-Identifier: BSD-2-Clause

//! The names of an unwinder that compiled code asks for, although panics abort and nothing unwinds:
//! those of landing pads where the prebuilt `core` was compiled to unwind (`*-linux-musl`), and on
//! arm those of its exception tables.
//!
//! Without these stubs the linker would find the names in libgcc's unwinder, and take all of that
//! in. They are weak: an image that has the unwinder anyway, for C++ or for C, keeps it. Stable Rust
//! has weak symbols only this way.

use core::arch::global_asm;

use crate::c;

/// The routine that would pick the landing pads of a frame. Never called.
#[cfg(target_env = "musl")]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() -> ! {
    c::abort()
}

/// A weak function that ends the program; `$call` is the instruction that calls another function.
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
