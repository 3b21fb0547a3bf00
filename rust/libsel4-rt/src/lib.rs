// SPDX-License-Identifier: BSD-2-Clause

//! Panic handler, heap and logger of Rust code inside a C image.
//!
//! `add_rust_library()` adds the crate to each executable with Rust libraries. No other crate depends on
//! it or calls it. It uses a few functions of the C library, so it also works with a kernel that prints
//! nothing. `docs/runtime.md` is the guide for users: panics, the choice of a heap, priorities, the log.
//!
//! | module | role |
//! |---|---|
//! | `panic` | prints the place and the reason of a panic, then calls C's `abort`, or faults (feature `panic-fault`) |
//! | `heap` | allocator behind `Vec`, `Box` and `String` |
//! | `exhausted` | last line of a panic if the heap was too small |
//! | `lock` | lock around the heap |
//! | `log` | sink of the `log` crate (feature `log`, without `no-logger`) |
//! | `console` | output of bytes |
//! | `decimal` | output of numbers, without `core::fmt` |
//! | `hook` | names the instance of a CAmkES component before std's message of a panic (features `std` and `camkes`) |
//! | `symbolizer` | empty function in place of std's lookup of frame names (feature `std`) |
//! | `unwind` | stubs of the unwinder that compiled code refers to and never calls |
//! | `c` | C functions that the crate calls, some of them in its own folder `c` |
//!
//! Exactly one of the features `heap-rlsf` (default), `heap-linked-list`, `heap-muslc` and `heap-none`
//! selects the heap. `heap-linked-list` and `heap-rlsf` own a region of the image, which
//! `c/heap.c` defines. `cargo bench` measures the heaps on a host.
//!
//! With the feature `std`, panics, heap and unwinding are those of Rust's std, and only the logger and the
//! symbolizer of this crate remain.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(any(target_os = "none", target_env = "musl")),
    allow(dead_code, reason = "only an image contains the callers")
)]

const _: () = assert!(
    cfg!(feature = "heap-none") || !cfg!(feature = "std"),
    "with the feature `std`, libsel4-rt has no heap: choose heap-none"
);

const _: () = assert!(
    cfg!(feature = "heap-linked-list") as u8
        + cfg!(feature = "heap-rlsf") as u8
        + cfg!(feature = "heap-muslc") as u8
        + cfg!(feature = "heap-none") as u8
        == 1,
    "libsel4-rt needs exactly one heap: \
     choose one of the features heap-linked-list, heap-rlsf, heap-muslc, heap-none"
);

#[cfg(any(
    not(feature = "std"),
    feature = "camkes",
    all(feature = "log", not(feature = "no-logger")),
    test
))]
#[cfg_attr(
    feature = "std",
    allow(
        dead_code,
        unused_imports,
        reason = "std has panics and a heap of its own"
    )
)]
mod c;
#[cfg(any(
    not(feature = "std"),
    all(feature = "log", not(feature = "no-logger")),
    test
))]
mod console;
#[cfg(any(not(feature = "std"), test))]
mod decimal;
#[cfg(any(not(feature = "heap-none"), test))]
mod exhausted;
#[cfg(any(not(feature = "heap-none"), test))]
mod heap;
#[cfg(all(feature = "std", feature = "camkes", target_env = "musl"))]
mod hook;
#[cfg(any(not(feature = "heap-none"), test))]
mod lock;
#[cfg(any(all(feature = "log", not(feature = "no-logger")), test))]
mod log;
#[cfg(any(not(feature = "std"), test))]
mod panic;
#[cfg(feature = "std")]
mod symbolizer;
#[cfg(all(
    not(feature = "std"),
    any(target_env = "musl", all(target_os = "none", target_arch = "arm"))
))]
mod unwind;

#[cfg(not(feature = "heap-none"))]
pub use heap::HEAP;
