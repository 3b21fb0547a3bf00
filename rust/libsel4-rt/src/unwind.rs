// Copyright 2026, sel4-rust-kit contributors
// SPDX-License-Identifier: BSD-2-Clause

//! For the targets whose prebuilt `core` was compiled to unwind (`*-linux-musl`): the two names it asks for.
//!
//! Nothing unwinds in an image: panics abort. Without these stubs the linker would find the names in libgcc's unwinder
//! and take all of that in.

use core::arch::global_asm;

/// The routine that would pick the landing pads of a frame. Never called.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() -> ! {
    crate::c::abort()
}

// The end of a landing pad. Weak, so that an image whose C++ code brings libgcc's unwinder keeps that; stable Rust has no
// weak symbols but these.
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
