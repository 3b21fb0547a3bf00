// SPDX-License-Identifier: BSD-2-Clause

//! What Rust inside a C image needs and C does not have: a panic handler, a heap, a logger.
//!
//! The crate joins every image by itself. No other crate depends on it or calls it; its ties to the
//! world are a few functions of the C library, so it works with a kernel that prints nothing too.
//!
//! | file | its job |
//! |---|---|
//! | `panic` | says where and why Rust panicked, then calls C's `abort` |
//! | `heap` | the allocator behind `Vec`, `Box` and `String` |
//! | `exhausted` | the line that follows when the heap was too small |
//! | `lock` | the lock around the heap |
//! | `log` | the sink of the `log` crate (feature `log`) |
//! | `console` | bytes to the console |
//! | `decimal` | numbers for those who can do without `core::fmt` |
//! | `symbolizer` | nothing, instead of names in std's backtraces (feature `std`) |
//! | `unwind` | stubs for the unwinder that compiled code asks for and nobody needs |
//! | `c` | the C functions that all this rests on |
//!
//! # Which heap
//!
//! Exactly one of four features chooses it. `docs/figures.md` has what each costs on the kernel,
//! beside C's `malloc`; `cargo bench` measures them on a host.
//!
//! | feature | take it when |
//! |---|---|
//! | `heap-linked-list` (default) | blocks are few: its time grows with the number of free pieces, and it wastes least |
//! | `heap-rlsf` | there are deadlines or many blocks: its time has a bound whatever the heap looks like |
//! | `heap-muslc` | C and Rust are to share one pool of memory |
//! | `heap-none` | nothing may allocate: a crate that does is refused by rustc; or a crate brings its own `#[global_allocator]` |
//!
//! `heap-linked-list` and `heap-rlsf` own a region of the image, as large as the environment
//! variable `SEL4_RUST_HEAP_BYTES` said in decimal when this crate was compiled (256 KiB without
//! it). `rlsf` adds a table of 3.5 KiB (1.8 KiB on 32-bit targets). An image whose Rust never
//! allocates contains none of it.
//!
//! `heap-muslc` has no region: memory is muslc's, LibSel4MuslcSysMorecoreBytes its size. muslc's
//! `malloc` is not safe for threads on seL4: the lock here orders Rust's calls among themselves,
//! but not against C's own. Take it only if all that allocate, in C and in Rust, run in one thread.
//! C's `realloc` is never called: for large blocks it stops the program.
//!
//! A block grows by a new block and a copy, so there must be room for both for a moment.
//!
//! # When the heap is too small
//!
//! `Vec::try_reserve` and its kin get an error and nothing is printed. Where a failure is not
//! expected Rust panics, and the panic ends with a line such as
//!
//! ```text
//! Rust heap exhausted: asked for 4096 bytes, 1024 of 262144 bytes left; raise RUST_HEAP_BYTES
//! ```
//!
//! # Beside Rust's std
//!
//! With the feature `std`, panics, heap and unwinding are those of Rust's own std, and of this crate
//! only the logger is left, and what takes the place of std's search for names of frames.
//!
//! # Threads, priorities and the lock
//!
//! Threads may allocate at the same time. One that finds the lock taken yields (`seL4_Yield`) and
//! tries again. The kernel yields only to threads of the same priority on the same core: **a thread
//! that waits for a lock held by a thread of lower priority on its core waits for ever**, since the
//! holder never runs again. Two ways out: let threads that allocate have one priority on each core;
//! or let a thread of higher priority allocate only before the others start, and work from what it
//! has. On an MCS kernel a yield also gives up the rest of the thread's budget.
//!
//! The log takes no lock: lines longer than 128 bytes may mix with those of other threads.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(any(target_os = "none", target_env = "musl")),
    allow(dead_code, reason = "only an image has what calls it")
)]

const _: () = assert!(
    cfg!(feature = "heap-none") || !cfg!(feature = "std"),
    "beside Rust's std libsel4-rt has no heap: choose heap-none"
);

const _: () = assert!(
    cfg!(feature = "heap-linked-list") as u8
        + cfg!(feature = "heap-rlsf") as u8
        + cfg!(feature = "heap-muslc") as u8
        + cfg!(feature = "heap-none") as u8
        == 1,
    "libsel4-rt takes exactly one heap: \
     choose one of the features heap-linked-list, heap-rlsf, heap-muslc, heap-none"
);

#[cfg(any(not(feature = "std"), feature = "log", test))]
mod c;
#[cfg(any(not(feature = "std"), feature = "log", test))]
mod console;
#[cfg(any(not(feature = "std"), test))]
mod decimal;
#[cfg(any(not(feature = "heap-none"), test))]
mod exhausted;
#[cfg(any(not(feature = "heap-none"), test))]
mod heap;
#[cfg(any(not(feature = "heap-none"), test))]
mod lock;
#[cfg(any(feature = "log", test))]
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
