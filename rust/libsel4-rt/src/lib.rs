// Copyright 2026, sel4-rust-kit contributors
// SPDX-License-Identifier: BSD-2-Clause

//! What a Rust library inside a C image needs: panic handler, heap, logger.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(any(target_os = "none", target_env = "musl")),
    allow(dead_code, reason = "only an image has what calls it")
)]

const _: () = assert!(
    cfg!(feature = "heap-linked-list") as u8
        + cfg!(feature = "heap-rlsf") as u8
        + cfg!(feature = "heap-muslc") as u8
        + cfg!(feature = "heap-none") as u8
        == 1,
    "libsel4-rt takes exactly one heap: choose one of the features heap-linked-list, heap-rlsf, heap-muslc, heap-none"
);

mod c;
mod console;
mod decimal;
#[cfg(any(not(feature = "heap-none"), test))]
mod exhausted;
#[cfg(any(not(feature = "heap-none"), test))]
mod heap;
#[cfg(any(not(feature = "heap-none"), test))]
mod lock;
#[cfg(any(feature = "log", test))]
mod log;
mod panic;
#[cfg(all(target_os = "linux", target_env = "musl"))]
mod unwind;

#[cfg(not(feature = "heap-none"))]
pub use heap::HEAP;
