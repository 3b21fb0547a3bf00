// SPDX-License-Identifier: BSD-2-Clause

//! Declarations of libsel4std, the C library that implements std's support on kernels and on this platform.

use std::ffi::{c_int, c_long, c_void};

use libc::timespec;
use sel4_hosted_libsel4::api::seL4_CPtr;

/// Thread of libsel4std's table.
#[repr(C)]
pub(super) struct Thread {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    // sel4std.h: the application's functions, or libsel4std's defaults.
    pub(super) fn sel4std_entropy(bytes: *mut c_void, count: usize) -> c_int;
    pub(super) fn sel4std_stdin(bytes: *mut c_void, count: usize) -> isize;
    pub(super) fn sel4std_exit(code: c_int) -> !;

    // hosted.c
    pub(super) fn sel4_hosted_begin_std();
    pub(super) fn sel4_hosted_has_syscall(number: c_long) -> bool;
    pub(super) fn sel4_hosted_syscall(number: c_long, ...) -> c_long;
    pub(super) fn sel4_hosted_is_event(number: c_int) -> bool;
    pub(super) fn sel4_hosted_event_move(
        number: c_int,
        pieces: *const libc::iovec,
        count: c_int,
        writes: bool,
    ) -> c_long;
    pub(super) fn sel4_hosted_event_close(number: c_int) -> c_long;
    pub(super) fn sel4_hosted_event_stat(number: c_int, result: *mut libc::stat) -> c_long;
    pub(super) fn sel4_hosted_event_control(
        number: c_int,
        what: c_int,
        argument: c_long,
        ioctl: bool,
    ) -> c_long;
    pub(super) fn thread_last_number() -> c_int;
    pub(super) fn thread_tcb(thread: *const Thread) -> seL4_CPtr;
    pub(super) fn thread_set_function(
        thread: *mut Thread,
        function: extern "C" fn(*mut c_void) -> c_int,
        argument: *mut c_void,
    );

    // internal.h documents the rest.
    pub(super) fn thread_self() -> *mut Thread;
    pub(super) fn thread_number(thread: *const Thread) -> c_int;
    pub(super) fn thread_of(number: c_int) -> *mut Thread;
    pub(super) fn thread_can_wait(thread: *mut Thread) -> bool;
    pub(super) fn thread_take() -> *mut Thread;
    pub(super) fn thread_give_back(thread: *mut Thread);
    pub(super) fn thread_start(thread: *mut Thread, stack: *mut c_void, tls: *mut c_void) -> bool;
    pub(super) fn thread_stop(thread: *const Thread) -> bool;
    pub(super) fn thread_stop_self() -> !;
    pub(super) fn futex_prepare() -> bool;
    pub(super) fn files_prepare() -> bool;
    pub(super) fn futex_wait_if(
        word: *mut c_int,
        wanted: unsafe extern "C" fn(*mut c_void) -> bool,
        queued: unsafe extern "C" fn(*mut c_void),
        argument: *mut c_void,
        deadline: u64,
    ) -> c_int;
    pub(super) fn futex_lock();
    pub(super) fn futex_unlock();
    pub(super) fn futex_set(word: *mut c_int, value: c_int);
    pub(super) fn futex_wake(word: *mut c_int, count: c_int);
    pub(super) fn clock_deadline(
        time: *const timespec,
        absolute: bool,
        clock: libc::clockid_t,
    ) -> u64;
}
