// SPDX-License-Identifier: BSD-2-Clause

//! Time: the platform's clock, which goes on with what threads do, and where nobody can run goes on to the
//! next deadline at once. The date is that of the host, if the application has none.

use std::ffi::{c_int, c_uint};
use std::ptr;

use libc::{clockid_t, timespec};
use sel4_hosted::in_thread;

use super::{fail, futex, hooks};
use crate::original::original;

mod c {
    use super::*;
    original! {
        fn clock_gettime(clock: clockid_t, now: *mut timespec) -> c_int;
        fn nanosleep(time: *const timespec, left: *mut timespec) -> c_int;
        fn clock_nanosleep(
            clock: clockid_t,
            flags: c_int,
            time: *const timespec,
            left: *mut timespec,
        ) -> c_int;
        fn sleep(seconds: c_uint) -> c_uint;
        fn usleep(microseconds: c_uint) -> c_int;
    }
}

const SECOND: u64 = 1_000_000;

fn is_own(clock: clockid_t) -> bool {
    matches!(
        clock,
        libc::CLOCK_MONOTONIC
            | libc::CLOCK_MONOTONIC_RAW
            | libc::CLOCK_MONOTONIC_COARSE
            | libc::CLOCK_BOOTTIME
    )
}

/// In microseconds, begun ones included. What is too long for that is for ever.
fn microseconds(time: &timespec) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let rest = u64::try_from(time.tv_nsec).ok()?.div_ceil(1000);
    seconds.checked_mul(SECOND)?.checked_add(rest)
}

/// When `time` is over, by the platform's clock; none if never. It is of the clock `clock` if it is absolute,
/// and else from now.
pub(super) fn deadline(time: &timespec, absolute: bool, clock: clockid_t) -> Option<u64> {
    let end = microseconds(time)?;
    if absolute && is_own(clock) {
        return Some(end);
    }
    let mut from_now = end;
    if absolute {
        let mut now = timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: it is there.
        unsafe { clock_gettime(clock, &raw mut now) };
        from_now = end.saturating_sub(microseconds(&now)?);
    }
    // SAFETY: an seL4 thread asks.
    unsafe { sel4_hosted::clock() }.checked_add(from_now)
}

fn is_valid(time: &timespec) -> bool {
    time.tv_sec >= 0 && (0..1_000_000_000).contains(&time.tv_nsec)
}

/// Sleeps, by the number of microseconds that the clock shows then.
fn sleep_until(deadline: Option<u64>) {
    let nobody = 0_u8;
    futex::wait(&raw const nobody, futex::ANY, deadline, || true);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, now: *mut timespec) -> c_int {
    if in_thread() && is_own(clock) {
        // SAFETY: an seL4 thread asks.
        let time = unsafe { sel4_hosted::clock() };
        let time = timespec {
            tv_sec: (time / SECOND) as libc::time_t,
            tv_nsec: (time % SECOND) as libc::c_long * 1000,
        };
        // SAFETY: as the caller promises.
        unsafe { now.write(time) };
        return 0;
    }
    if in_thread() && clock == libc::CLOCK_REALTIME && hooks::wall_clock(now) {
        return 0;
    }
    // SAFETY: as the caller promises.
    unsafe { c::clock_gettime(clock, now) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nanosleep(time: *const timespec, left: *mut timespec) -> c_int {
    if !in_thread() {
        // SAFETY: as the caller promises.
        return unsafe { c::nanosleep(time, left) };
    }
    // SAFETY: as the caller promises.
    match unsafe { clock_nanosleep(libc::CLOCK_MONOTONIC, 0, time, left) } {
        0 => 0,
        error => fail(error),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    time: *const timespec,
    left: *mut timespec,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::clock_nanosleep(clock, flags, time, left);
        }
        if !is_valid(&*time) {
            return libc::EINVAL;
        }
        sleep_until(deadline(&*time, flags & libc::TIMER_ABSTIME != 0, clock));
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sleep(seconds: c_uint) -> c_uint {
    if !in_thread() {
        // SAFETY: a plain call.
        return unsafe { c::sleep(seconds) };
    }
    let time = timespec {
        tv_sec: seconds.into(),
        tv_nsec: 0,
    };
    // SAFETY: it is there.
    unsafe { nanosleep(&raw const time, ptr::null_mut()) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn usleep(microseconds: c_uint) -> c_int {
    if !in_thread() {
        // SAFETY: a plain call.
        return unsafe { c::usleep(microseconds) };
    }
    let microseconds = u64::from(microseconds);
    let time = timespec {
        tv_sec: (microseconds / SECOND) as libc::time_t,
        tv_nsec: (microseconds % SECOND) as libc::c_long * 1000,
    };
    // SAFETY: it is there.
    unsafe { nanosleep(&raw const time, ptr::null_mut()) }
}
