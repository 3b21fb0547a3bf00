// SPDX-License-Identifier: BSD-2-Clause

//! Waiting on libsel4std's futex, and Linux' `syscall`, through which std uses it.

use std::ffi::{c_int, c_long, c_void};

use sel4_hosted::in_thread;

use super::libsel4std::{self, sel4_hosted_has_syscall, sel4_hosted_syscall};
use super::{fail, threads};
use crate::original::original;

/// Deadline that never comes.
pub(super) const NEVER: u64 = u64::MAX;

/// End of a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    Woken,
    /// The condition for the wait did not hold.
    NotWanted,
    TimedOut,
}

/// Waits for a wake by this address, or until `deadline`, if `wanted` returns true. No wake comes between its answer and the
/// wait. Calls `queued` once a wake can reach the thread.
pub(super) fn wait<T, W: FnMut() -> bool, Q: FnMut()>(
    key: *const T,
    deadline: u64,
    wanted: W,
    queued: Q,
) -> Wake {
    /// # Safety
    ///
    /// The argument is a pair of these functions.
    unsafe extern "C" fn call_wanted<W: FnMut() -> bool, Q>(argument: *mut c_void) -> bool {
        // SAFETY: as the caller promises.
        unsafe { (*argument.cast::<(W, Q)>()).0() }
    }
    /// # Safety
    ///
    /// The argument is a pair of these functions.
    unsafe extern "C" fn call_queued<W, Q: FnMut()>(argument: *mut c_void) {
        // SAFETY: as the caller promises.
        unsafe { (*argument.cast::<(W, Q)>()).1() }
    }
    let mut functions = (wanted, queued);
    // SAFETY: both functions get the pair, which outlives the call. Only the address of the key is used.
    let result = unsafe {
        libsel4std::futex_wait_if(
            key.cast_mut().cast(),
            call_wanted::<W, Q>,
            call_queued::<W, Q>,
            (&raw mut functions).cast(),
            deadline,
        )
    };
    match -result {
        0 => Wake::Woken,
        libc::EAGAIN => Wake::NotWanted,
        libc::ETIMEDOUT => Wake::TimedOut,
        _ => sel4_hosted::end::refuse(
            "there are no kernel objects with which a thread could wait\n\
             help: configure with a larger KernelRootCNodeSizeBits, or check sel4std_new_object()",
        ),
    }
}

/// Wakes up to `count` threads that wait by this address, the first ones first.
pub(super) fn wake<T>(key: *const T, count: c_int) {
    // SAFETY: only the address is used.
    unsafe { libsel4std::futex_wake(key.cast_mut().cast(), count) };
}

/// Called by libsel4std: a thread that is not in its table wants to wait.
#[unsafe(no_mangle)]
extern "C" fn sel4_hosted_refuse_thread() -> ! {
    sel4_hosted::end::refuse(
        "a thread that std does not know waits for a lock, or sleeps\n\
         help: make threads that use std with std::thread, or with pthread_create() in C",
    )
}

original! {
    fn syscall(
        number: c_long,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        f: usize,
    ) -> c_long;
}

mod replaced {
    use super::*;

    /// Makes a Linux system call by its number. std calls its futex this way.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn syscall(
        number: c_long,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        f: usize,
    ) -> c_long {
        // SAFETY: as the caller promises.
        unsafe {
            if !in_thread() || !sel4_hosted_has_syscall(number) {
                super::syscall(number, a, b, c, d, e, f)
            } else if number == libc::SYS_gettid {
                threads::gettid().into()
            } else {
                match sel4_hosted_syscall(number, a, b, c, d, e, f) {
                    error @ ..0 => fail(-error as c_int).into(),
                    result => result,
                }
            }
        }
    }
}
