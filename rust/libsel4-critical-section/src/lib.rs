// SPDX-License-Identifier: BSD-2-Clause

//! Implementation of the crate [`critical_section`] on seL4: one lock for all threads of an image.
//!
//! Crates for microcontrollers mask interrupts for a critical section. A thread on seL4 cannot: the kernel delivers
//! interrupts as signals to threads, and only the kernel decides which thread runs. Therefore a critical section here
//! excludes the critical sections of all other threads of the image, on any core, and nothing else. Other threads
//! run meanwhile, also those that handle interrupts, and are excluded once they enter a critical section.
//! Another image, for example another component, is not excluded.
//!
//! The image needs this crate once. Some crate names it, so that it is linked:
//!
//! ```ignore
//! use libsel4_critical_section as _;
//! ```
//!
//! Critical sections nest. Each thread needs an IPC buffer of its own, by which it is recognised.
//!
//! A thread that finds the lock taken yields. Where threads of different priorities enter critical sections, provide
//! a notification by [`sleep_on`]; without it, a thread of high priority panics after a bounded wait for one of
//! low priority that it has preempted.
#![no_std]

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, SeqCst},
};

use critical_section::{Impl, RawRestoreState};
use libsel4_sys as sys;

/// Number of yields after which a waiting thread panics, as for the heap's lock of libsel4-rt.
const PATIENCE: u32 = 1 << 18;

/// Number of message registers that libsel4 overwrites when it receives.
const RECEIVED: i32 = 4;

/// Address of the IPC buffer of the thread that holds the lock, or 0.
static OWNER: AtomicUsize = AtomicUsize::new(0);
/// Number of threads that wait for the lock.
static WAITERS: AtomicUsize = AtomicUsize::new(0);
/// Notification on which waiting threads sleep, or 0.
static NOTIFICATION: AtomicUsize = AtomicUsize::new(0);

/// Has threads that wait for a critical section sleep on `notification`. With `seL4_CapNull` (0) they yield.
///
/// # Safety
///
/// In the CSpace of every thread that enters a critical section, `notification` is a capability for the same
/// notification, with the rights to send and receive, and stays it. Nothing else uses the notification.
pub unsafe fn sleep_on(notification: sys::seL4_CPtr) {
    NOTIFICATION.store(notification, Relaxed);
}

struct ThreadLock;

critical_section::set_impl!(ThreadLock);

// SAFETY: `OWNER` admits one thread at a time; `acquire` and `release` order its accesses. A thread that has the lock
// already enters without taking it, and the restore state says so to `release`.
unsafe impl Impl for ThreadLock {
    unsafe fn acquire() -> RawRestoreState {
        // SAFETY: the function reads a variable of this thread.
        let thread = unsafe { sys::seL4_GetIPCBuffer() }.addr();
        assert!(
            thread != 0,
            "a thread without an IPC buffer enters a critical section"
        );
        // No other thread writes this address.
        if OWNER.load(Relaxed) == thread {
            return true;
        }
        if OWNER
            .compare_exchange_weak(0, thread, Acquire, Relaxed)
            .is_err()
        {
            wait(thread);
        }
        false
    }

    unsafe fn release(is_nested: RawRestoreState) {
        if is_nested {
            return;
        }
        // These two steps and those of `wait` are sequentially consistent, so that either the waiter finds the lock free
        // or this thread sees the waiter.
        OWNER.store(0, SeqCst);
        if WAITERS.load(SeqCst) > 0 {
            let notification = NOTIFICATION.load(Relaxed);
            if notification != 0 {
                // SAFETY: by the contract of `sleep_on`, this is a notification for this purpose.
                unsafe { sys::seL4_Signal(notification) };
            }
        }
    }
}

/// Takes the lock, which was taken.
#[cold]
#[inline(never)]
fn wait(thread: usize) {
    WAITERS.fetch_add(1, SeqCst);
    let mut patience = PATIENCE;
    while OWNER.compare_exchange(0, thread, SeqCst, SeqCst).is_err() {
        let notification = NOTIFICATION.load(Relaxed);
        if notification != 0 {
            sleep(notification);
        } else if patience == 0 {
            WAITERS.fetch_sub(1, SeqCst);
            panic!(
                "a thread waits for a critical section, and the thread in it does not run: it probably has a lower priority\n\
                 help: call libsel4_critical_section::sleep_on(), or give these threads one priority"
            );
        } else {
            patience -= 1;
            // SAFETY: a yield changes no memory.
            unsafe { sys::seL4_Yield() };
        }
    }
    WAITERS.fetch_sub(1, SeqCst);
}

/// Sleeps until the next signal. The message of the thread stays as it is.
fn sleep(notification: sys::seL4_CPtr) {
    // SAFETY: the thread has an IPC buffer, which has these registers; by the contract of `sleep_on`, this is a
    // notification for this purpose.
    unsafe {
        let kept: [_; RECEIVED as usize] =
            core::array::from_fn(|index| sys::seL4_GetMR(index as i32));
        sys::seL4_Wait(notification, core::ptr::null_mut());
        for (index, word) in (0..).zip(kept) {
            sys::seL4_SetMR(index, word);
        }
    }
}
