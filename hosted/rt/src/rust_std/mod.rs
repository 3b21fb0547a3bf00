// SPDX-License-Identifier: BSD-2-Clause

//! Rust's std in a root server: the host's own std, with functions of the C library replaced for seL4 threads. Other threads
//! of the process, and the host, use the C library's versions.
//!
//! libsel4std implements futex, time, the objects of threads and their scheduling, as on a kernel. This module
//! connects glibc to it.
//!
//! | | |
//! |---|---|
//! | [`libsel4std`] | declarations of the C library |
//! | [`threads`] | threads of std and of C's `pthread_create`, which are seL4 threads |
//! | [`futex`], [`locks`] | locks of Rust and of C |
//! | [`time`] | the clock, and sleep |
//! | [`streams`] | standard input, randomness, exit, the system's name, and refusal of sockets, processes and signals |
//! | [`events`] | eventfd, timerfd, pipes, pairs of sockets, epoll and poll |

mod events;
mod futex;
mod libsel4std;
mod locks;
mod streams;
mod threads;
mod time;

pub(crate) use streams::EXITS;

/// Makes the calling thread, the root server's first, the first of std's. `data_before` is the result of [`data_bytes`]
/// before the kernel booted.
pub(crate) fn begin(data_before: Option<u64>) {
    keep();
    limit_memory(data_before);
    time::begin();
    // SAFETY: the root server's thread calls this once, before it uses the BootInfo.
    unsafe { libsel4std::sel4_hosted_begin_std() };
    threads::begin();
}

/// Ends the program by `exit`, after C's exit handlers.
pub(crate) fn leave(code: std::ffi::c_int) -> ! {
    // SAFETY: an seL4 thread calls this.
    unsafe { libsel4std::sel4std_exit(code) }
}

/// Has the linker keep functions that std refers to weakly.
fn keep() {
    std::hint::black_box([
        streams::getrandom as *const (),
        threads::gettid as *const (),
        threads::__cxa_thread_atexit_impl as *const (),
        crate::files::statx as *const (),
    ]);
}

/// Returns the bytes of data that the process has.
pub(crate) fn data_bytes() -> Option<u64> {
    const PAGE: u64 = 4096;
    /// Field with the number of data pages.
    const DATA: usize = 5;
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(DATA)?.parse::<u64>().ok()? * PAGE)
}

/// Limits the program's data to the machine's memory, so that too large an allocation fails as on a kernel. The
/// `before` bytes that the process already had are not counted.
fn limit_memory(before: Option<u64>) {
    /// Bytes for the host's stack and the model's heap.
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

/// Sets `errno` and returns -1, as functions of the C library do.
fn fail(error: std::ffi::c_int) -> std::ffi::c_int {
    // SAFETY: each thread has an `errno`.
    unsafe { *libc::__errno_location() = error };
    -1
}
