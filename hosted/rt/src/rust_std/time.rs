// SPDX-License-Identifier: BSD-2-Clause

//! Functions of the C library for time. libsel4std serves them with the platform's clock and timer.

use std::ffi::{c_int, c_uint};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libc::{clockid_t, timespec};
use sel4_hosted_libsel4::api::*;

use super::fail;
use super::libsel4std::sel4_hosted_syscall;
use crate::original::replace;

/// Interrupt of the timer: the architecture's last one.
#[cfg(target_arch = "x86_64")]
const IRQ: usize = 107;
#[cfg(target_arch = "aarch64")]
const IRQ: usize = 159;
/// Number of the interrupt vector that belongs to it, which `seL4_IRQControl_GetMSI` takes.
#[cfg(target_arch = "x86_64")]
const VECTOR: usize = IRQ - 16;

/// IRQ handler capability of the timer; null if there is none.
static HANDLER: AtomicUsize = AtomicUsize::new(seL4_CapNull);
/// Notification that the timer signals.
static SIGNALLED: AtomicUsize = AtomicUsize::new(seL4_CapNull);

/// Makes the timer's IRQ handler, in the last empty slot. The BootInfo describes the others.
pub(super) fn begin() {
    // SAFETY: no other thread runs yet, and the program has not read the BootInfo.
    let info = unsafe { &mut *sel4_hosted::boot_info() };
    if info.empty.start == info.empty.end {
        return;
    }
    let slot = info.empty.end - 1;
    let (control, root) = (
        seL4_CapIRQControl as seL4_CPtr,
        seL4_CapInitThreadCNode as seL4_CPtr,
    );
    let depth = seL4_WordBits as u8;
    // SAFETY: the slot is empty, and nothing else has this interrupt yet.
    #[cfg(target_arch = "x86_64")]
    let error = unsafe { seL4_IRQControl_GetMSI(control, root, slot, depth, 0, 0, 0, 0, VECTOR) };
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    let error = unsafe { seL4_IRQControl_GetTrigger(control, IRQ, 1, root, slot, depth) };
    if error == seL4_NoError {
        info.empty.end = slot;
        HANDLER.store(slot, Relaxed);
    }
}

/// Called by libsel4std's ticker: has the timer signal `wake` after `nanoseconds`. Returns `false` if there is no
/// timer.
#[unsafe(no_mangle)]
extern "C" fn sel4_hosted_alarm(wake: seL4_CPtr, nanoseconds: u64) -> bool {
    let handler = HANDLER.load(Relaxed);
    if handler == seL4_CapNull {
        return false;
    }
    // SAFETY: an seL4 thread calls this; the handler is this module's.
    unsafe {
        if SIGNALLED.swap(wake, Relaxed) != wake
            && seL4_IRQHandler_SetNotification(handler, wake) != seL4_NoError
        {
            return false;
        }
        let deadline = sel4_hosted::clock().saturating_add(nanoseconds.div_ceil(1000));
        sel4_hosted::set_alarm(IRQ, deadline);
    }
    true
}

/// Called by libsel4std: returns the platform's clock, in microseconds.
#[unsafe(no_mangle)]
extern "C" fn sel4_hosted_clock() -> u64 {
    // SAFETY: an seL4 thread calls this.
    unsafe { sel4_hosted::clock() }
}

/// Default of `sel4std_wall_clock`: Linux' date.
#[unsafe(no_mangle)]
unsafe extern "C" fn sel4_hosted_wall_clock(now: *mut timespec) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { c::clock_gettime(libc::CLOCK_REALTIME, now) }
}

replace! {
    fn clock_gettime(clock: clockid_t, now: *mut timespec) -> c_int {
        match sel4_hosted_syscall(libc::SYS_clock_gettime, clock, now) {
            0 => 0,
            // CPU time is Linux'.
            _ => c::clock_gettime(clock, now),
        }
    }

    fn clock_nanosleep(
        clock: clockid_t,
        flags: c_int,
        time: *const timespec,
        left: *mut timespec,
    ) -> c_int {
        -sel4_hosted_syscall(libc::SYS_clock_nanosleep, clock, flags, time, left) as c_int
    }

    fn nanosleep(time: *const timespec, left: *mut timespec) -> c_int {
        match clock_nanosleep(libc::CLOCK_MONOTONIC, 0, time, left) {
            0 => 0,
            error => fail(error),
        }
    }

    fn sleep(seconds: c_uint) -> c_uint {
        sleep_for(seconds.into(), 0);
        0
    }

    fn usleep(microseconds: c_uint) -> c_int {
        const SECOND: c_uint = 1_000_000;
        let nanoseconds = microseconds % SECOND * 1000;
        sleep_for((microseconds / SECOND).into(), nanoseconds.into())
    }
}

fn sleep_for(seconds: libc::time_t, nanoseconds: libc::c_long) -> c_int {
    let time = timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    // SAFETY: the time outlives the call.
    unsafe { nanosleep(&raw const time, ptr::null_mut()) }
}
