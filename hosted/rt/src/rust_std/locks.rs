// SPDX-License-Identifier: BSD-2-Clause

//! C's locks. Those of C's library stay what they are; a thread that has to wait sleeps on its notification,
//! and not in Linux, where no other seL4 thread would run.

use std::cell::UnsafeCell;
use std::collections::BTreeSet;
use std::ffi::c_int;

use libc::{
    EAGAIN, EBUSY, ETIMEDOUT, clockid_t, pthread_cond_t, pthread_condattr_t, pthread_mutex_t,
    pthread_rwlock_t, sem_t, timespec,
};
use sel4_hosted::{in_thread, without_preemption};

use super::futex::{self, Wake};
use super::time;
use crate::original::original;

mod c {
    use super::*;
    original! {
        fn pthread_mutex_lock(lock: *mut pthread_mutex_t) -> c_int;
        fn pthread_mutex_timedlock(lock: *mut pthread_mutex_t, end: *const timespec) -> c_int;
        fn pthread_mutex_unlock(lock: *mut pthread_mutex_t) -> c_int;
        fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int;
        fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int;
        fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int;
        fn sem_wait(semaphore: *mut sem_t) -> c_int;
        fn sem_post(semaphore: *mut sem_t) -> c_int;
        fn pthread_cond_init(condition: *mut pthread_cond_t, attributes: *const pthread_condattr_t) -> c_int;
        fn pthread_cond_wait(condition: *mut pthread_cond_t, lock: *mut pthread_mutex_t) -> c_int;
        fn pthread_cond_timedwait(
            condition: *mut pthread_cond_t,
            lock: *mut pthread_mutex_t,
            end: *const timespec,
        ) -> c_int;
        fn pthread_cond_signal(condition: *mut pthread_cond_t) -> c_int;
        fn pthread_cond_broadcast(condition: *mut pthread_cond_t) -> c_int;
    }
}

/// Takes a lock by trying, as often as somebody gives it back. Gives what the last trial gave.
fn take<T>(lock: *const T, deadline: Option<u64>, trial: impl Fn() -> c_int) -> c_int {
    let mut result = trial();
    while result == EBUSY {
        let how = futex::wait(lock, futex::ANY, deadline, || {
            result = trial();
            result == EBUSY
        });
        match how {
            Wake::Woken => result = trial(),
            Wake::Not => {}
            Wake::Late => return ETIMEDOUT,
        }
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_lock(lock: *mut pthread_mutex_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::pthread_mutex_lock(lock);
        }
        take(lock, None, || libc::pthread_mutex_trylock(lock))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_timedlock(
    lock: *mut pthread_mutex_t,
    end: *const timespec,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::pthread_mutex_timedlock(lock, end);
        }
        let deadline = time::deadline(&*end, true, libc::CLOCK_REALTIME);
        take(lock, deadline, || libc::pthread_mutex_trylock(lock))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_unlock(lock: *mut pthread_mutex_t) -> c_int {
    // SAFETY: as the caller promises.
    let result = unsafe { c::pthread_mutex_unlock(lock) };
    if in_thread() {
        futex::wake(lock, 1, futex::ANY);
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::pthread_rwlock_rdlock(lock);
        }
        take(lock, None, || libc::pthread_rwlock_tryrdlock(lock))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::pthread_rwlock_wrlock(lock);
        }
        take(lock, None, || libc::pthread_rwlock_trywrlock(lock))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int {
    // SAFETY: as the caller promises.
    let result = unsafe { c::pthread_rwlock_unlock(lock) };
    if in_thread() {
        futex::wake(lock, usize::MAX, futex::ANY);
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sem_wait(semaphore: *mut sem_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::sem_wait(semaphore);
        }
        take(semaphore, None, || match libc::sem_trywait(semaphore) {
            0 => 0,
            _ if *libc::__errno_location() == EAGAIN => EBUSY,
            error => error,
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sem_post(semaphore: *mut sem_t) -> c_int {
    // SAFETY: as the caller promises.
    let result = unsafe { c::sem_post(semaphore) };
    if in_thread() {
        futex::wake(semaphore, 1, futex::ANY);
    }
    result
}

/// Conditions whose timeouts are of the monotonic clock.
struct Monotonic(UnsafeCell<BTreeSet<usize>>);
// SAFETY: it is used without_preemption.
unsafe impl Sync for Monotonic {}
static MONOTONIC: Monotonic = Monotonic(UnsafeCell::new(BTreeSet::new()));

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_init(
    condition: *mut pthread_cond_t,
    attributes: *const pthread_condattr_t,
) -> c_int {
    let mut clock: clockid_t = libc::CLOCK_REALTIME;
    // SAFETY: as the caller promises; the set is nobody else's meanwhile.
    unsafe {
        if !attributes.is_null() {
            libc::pthread_condattr_getclock(attributes, &raw mut clock);
        }
        without_preemption(|| {
            let set = &mut *MONOTONIC.0.get();
            if clock == libc::CLOCK_MONOTONIC {
                set.insert(condition.addr());
            } else {
                set.remove(&condition.addr());
            }
        });
        c::pthread_cond_init(condition, attributes)
    }
}

/// Waits for the condition, without the lock meanwhile.
///
/// # Safety
///
/// The caller has the lock.
unsafe fn wait(
    condition: *mut pthread_cond_t,
    lock: *mut pthread_mutex_t,
    deadline: Option<u64>,
) -> c_int {
    let give_back = || {
        // SAFETY: as the caller promises.
        unsafe { pthread_mutex_unlock(lock) };
    };
    let how = futex::wait_and(condition, futex::ANY, deadline, || true, give_back);
    // SAFETY: as the caller promises.
    unsafe { pthread_mutex_lock(lock) };
    if how == Wake::Late { ETIMEDOUT } else { 0 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_wait(
    condition: *mut pthread_cond_t,
    lock: *mut pthread_mutex_t,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !in_thread() {
            return c::pthread_cond_wait(condition, lock);
        }
        wait(condition, lock, None)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_timedwait(
    condition: *mut pthread_cond_t,
    lock: *mut pthread_mutex_t,
    end: *const timespec,
) -> c_int {
    // SAFETY: as the caller promises; the set is nobody else's meanwhile.
    unsafe {
        if !in_thread() {
            return c::pthread_cond_timedwait(condition, lock, end);
        }
        let set = &*MONOTONIC.0.get();
        let clock = if without_preemption(|| set.contains(&condition.addr())) {
            libc::CLOCK_MONOTONIC
        } else {
            libc::CLOCK_REALTIME
        };
        wait(condition, lock, time::deadline(&*end, true, clock))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_signal(condition: *mut pthread_cond_t) -> c_int {
    if in_thread() {
        futex::wake(condition, 1, futex::ANY);
        return 0;
    }
    // SAFETY: as the caller promises.
    unsafe { c::pthread_cond_signal(condition) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_broadcast(condition: *mut pthread_cond_t) -> c_int {
    if in_thread() {
        futex::wake(condition, usize::MAX, futex::ANY);
        return 0;
    }
    // SAFETY: as the caller promises.
    unsafe { c::pthread_cond_broadcast(condition) }
}
