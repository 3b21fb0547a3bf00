// Copyright 2026, sel4-rust-kit contributors
// SPDX-License-Identifier: BSD-2-Clause

//! The two names that `core` asks for on targets where it was compiled to unwind (`*-linux-musl`).
//!
//! Nothing unwinds in an image: panics abort. Without these stubs the linker would find the names
//! in libgcc's unwinder, and take all of that in.

use core::arch::global_asm;

/// The routine that would pick the landing pads of a frame. Never called.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() -> ! {
    crate::c::abort()
}

// The end of a landing pad. Weak, so that an image that has libgcc's unwinder, for C++ or for C,
// keeps that one; stable Rust has weak symbols only this way.
global_asm!(
    ".pushsection .text._Unwind_Resume, \"ax\", @progbits",
    ".weak _Unwind_Resume",
    ".type _Unwind_Resume, @function",
    "_Unwind_Resume:",
    "call {abort}",
    ".size _Unwind_Resume, . - _Unwind_Resume",
    ".popsection",
    abort = sym crate::c::abort,
);
