// SPDX-License-Identifier: BSD-2-Clause

//! Rust's std in a root server, which is the host's own: what it wants of Linux is here, in the place of
//! the functions of C's library, when an seL4 thread asks. Other threads of the process, and the host
//! itself, get what Linux has.
//!
//! | | |
//! |---|---|
//! | [`threads`] | each thread of std, and of C's `pthread_create`, is an seL4 thread |
//! | [`objects`] | the kernel objects for them |
//! | [`futex`], [`locks`] | locks of Rust and of C, asleep on a notification |
//! | [`time`] | the platform's clock, and sleeping |
//! | [`streams`] | standard input, randomness, and what is refused |
//! | [`hooks`] | what the application may give, as `<sel4std.h>` declares it |

mod futex;
mod hooks;
mod locks;
mod objects;
mod streams;
mod threads;
mod time;

pub(crate) use hooks::leave;
pub(crate) use streams::EXITS;

/// Makes the calling thread, the root server's first, one of std's. The process had so much data before.
pub(crate) fn begin(data_before: Option<u64>) {
    // As much as on a kernel; std would take 2 MiB.
    if let Some(bytes) = option_env!("SEL4_RUST_STD_STACK") {
        // SAFETY: there is no other thread that looks.
        unsafe {
            let bytes = std::ffi::CString::new(bytes).unwrap_or_default();
            libc::setenv(c"RUST_MIN_STACK".as_ptr(), bytes.as_ptr(), 0);
        }
    }
    keep();
    limit_memory(data_before);
    objects::reserve();
    threads::begin_first();
}

/// Has the linker take what std asks for only if it is there.
fn keep() {
    std::hint::black_box([
        streams::getrandom as *const (),
        threads::gettid as *const (),
        threads::__cxa_thread_atexit_impl as *const (),
        crate::files::statx as *const (),
    ]);
}

/// How much data the process has, before there is a kernel in it.
pub(crate) fn data_bytes() -> Option<u64> {
    const PAGE: u64 = 4096;
    /// Where Linux tells of pages with data.
    const DATA: usize = 5;
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(DATA)?.parse::<u64>().ok()? * PAGE)
}

/// Lets the program have no more memory than the machine has: then asking for too much is the error that it is
/// on a kernel. What the process has for itself already is not counted.
fn limit_memory(before: Option<u64>) {
    /// For the host's stack, and for the model to grow.
    const ROOM: u64 = 32 << 20;
    let Some(before) = before else {
        return;
    };
    let bytes = before + sel4_hosted::memory() as u64 + ROOM;
    // SAFETY: plain calls of libc.
    unsafe {
        let mut limit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_DATA, &raw mut limit);
        limit.rlim_cur = limit.rlim_max.min(bytes);
        libc::setrlimit(libc::RLIMIT_DATA, &raw const limit);
    }
}

/// Gives an error as functions of C's library do.
fn fail(error: std::ffi::c_int) -> std::ffi::c_int {
    // SAFETY: each thread has one.
    unsafe { *libc::__errno_location() = error };
    -1
}
