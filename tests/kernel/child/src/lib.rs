// SPDX-License-Identifier: BSD-2-Clause

//! Threads of two priorities that allocate, in a child of the root server.

#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use libsel4::{Cap, Notification, yield_now};

/// Number of times that the thread of high priority allocated.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
/// Tells the thread of low priority to end.
static ENOUGH: AtomicBool = AtomicBool::new(false);

fn allocate() {
    drop(black_box(Box::new(ALLOCATED.load(Relaxed))));
}

/// Allocates until it is told to end.
#[unsafe(no_mangle)]
pub extern "C" fn kernel_child_low() {
    while !ENOUGH.load(Relaxed) {
        allocate();
    }
}

/// Allocates once for each signal.
///
/// # Safety
///
/// `bell` is the address of a capability for a notification.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kernel_child_high(bell: usize) {
    // SAFETY: by the contract of this function, the capability is for a notification.
    let bell: Cap<Notification> = unsafe { Cap::from_word(bell) };
    loop {
        bell.wait();
        allocate();
        ALLOCATED.fetch_add(1, Relaxed);
    }
}

/// Has the thread of high priority allocate `rounds` times, each time after the one of low priority was preempted
/// somewhere. Returns how often it did.
///
/// # Safety
///
/// The contract is that of [`kernel_child_high`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kernel_child_ring(bell: usize, rounds: usize) -> usize {
    // SAFETY: by the contract of this function, the capability is for a notification.
    let bell: Cap<Notification> = unsafe { Cap::from_word(bell) };
    for _ in 0..rounds {
        // The other thread runs to the end of its time slice.
        yield_now();
        bell.signal();
    }
    ENOUGH.store(true, Relaxed);
    yield_now();
    ALLOCATED.load(Relaxed)
}
