// SPDX-License-Identifier: BSD-2-Clause

//! C's locks. The C library's lock words stay in use, but a thread that must wait sleeps on its notification, and not in
//! Linux, where no other seL4 thread could run.

use std::cell::UnsafeCell;
use std::collections::BTreeSet;
use std::ffi::c_int;

use libc::{
    EAGAIN, EBUSY, ETIMEDOUT, clockid_t, pthread_cond_t, pthread_condattr_t, pthread_mutex_t,
    pthread_rwlock_t, sem_t, timespec,
};
use sel4_hosted::without_preemption;

use super::futex::{self, NEVER, Wake};
use super::libsel4std::clock_deadline;
use crate::original::replace;

/// Retries the try-lock `attempt` each time the lock is released, until it succeeds, fails otherwise, or `deadline` comes.
/// Returns the last result.
fn take<T>(lock: *const T, deadline: u64, attempt: impl Fn() -> c_int) -> c_int {
    let mut result = attempt();
    while result == EBUSY {
        let is_busy = || {
            result = attempt();
            result == EBUSY
        };
        match futex::wait(lock, deadline, is_busy, || ()) {
            Wake::Woken => result = attempt(),
            Wake::NotWanted => {}
            Wake::TimedOut => return ETIMEDOUT,
        }
    }
    result
}

/// Tries to take a mutex. Returns EBUSY if another thread holds it, and EDEADLK if the caller does and the mutex checks
/// for errors.
///
/// # Safety
///
/// The mutex is initialised.
unsafe fn try_mutex(lock: *mut pthread_mutex_t) -> c_int {
    const PAST: timespec = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // A try-lock says EBUSY in both cases. A wait that is over already tells them apart.
    // SAFETY: the mutex is initialised.
    let result = unsafe {
        match libc::pthread_mutex_trylock(lock) {
            EBUSY => c::pthread_mutex_timedlock(lock, &PAST),
            result => result,
        }
    };
    if result == ETIMEDOUT { EBUSY } else { result }
}

/// Addresses of condition variables that use the monotonic clock.
struct Monotonic(UnsafeCell<BTreeSet<usize>>);
// SAFETY: used without preemption.
unsafe impl Sync for Monotonic {}
static MONOTONIC: Monotonic = Monotonic(UnsafeCell::new(BTreeSet::new()));

/// Waits for the condition, and releases the lock meanwhile.
///
/// # Safety
///
/// The caller holds the lock.
unsafe fn wait(condition: *mut pthread_cond_t, lock: *mut pthread_mutex_t, deadline: u64) -> c_int {
    let release = || {
        // SAFETY: as the caller promises.
        unsafe { pthread_mutex_unlock(lock) };
    };
    let how = futex::wait(condition, deadline, || true, release);
    // SAFETY: as the caller promises.
    unsafe { pthread_mutex_lock(lock) };
    if how == Wake::TimedOut { ETIMEDOUT } else { 0 }
}

replace! {
    fn pthread_mutex_lock(lock: *mut pthread_mutex_t) -> c_int {
        take(lock, NEVER, || try_mutex(lock))
    }

    fn pthread_mutex_timedlock(lock: *mut pthread_mutex_t, end: *const timespec) -> c_int {
        let deadline = clock_deadline(end, true, libc::CLOCK_REALTIME);
        take(lock, deadline, || try_mutex(lock))
    }

    fn pthread_mutex_unlock(lock: *mut pthread_mutex_t) -> c_int {
        let result = c::pthread_mutex_unlock(lock);
        futex::wake(lock, 1);
        result
    }

    fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int {
        take(lock, NEVER, || libc::pthread_rwlock_tryrdlock(lock))
    }

    fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int {
        take(lock, NEVER, || libc::pthread_rwlock_trywrlock(lock))
    }

    fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int {
        let result = c::pthread_rwlock_unlock(lock);
        futex::wake(lock, c_int::MAX);
        result
    }

    fn sem_wait(semaphore: *mut sem_t) -> c_int {
        take(semaphore, NEVER, || match libc::sem_trywait(semaphore) {
            0 => 0,
            _ if *libc::__errno_location() == EAGAIN => EBUSY,
            error => error,
        })
    }

    fn sem_post(semaphore: *mut sem_t) -> c_int {
        let result = c::sem_post(semaphore);
        futex::wake(semaphore, 1);
        result
    }

    fn pthread_cond_init(
        condition: *mut pthread_cond_t,
        attributes: *const pthread_condattr_t,
    ) -> c_int {
        let mut clock: clockid_t = libc::CLOCK_REALTIME;
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

    fn pthread_cond_wait(condition: *mut pthread_cond_t, lock: *mut pthread_mutex_t) -> c_int {
        wait(condition, lock, NEVER)
    }

    fn pthread_cond_timedwait(
        condition: *mut pthread_cond_t,
        lock: *mut pthread_mutex_t,
        end: *const timespec,
    ) -> c_int {
        let set = &*MONOTONIC.0.get();
        let clock = if without_preemption(|| set.contains(&condition.addr())) {
            libc::CLOCK_MONOTONIC
        } else {
            libc::CLOCK_REALTIME
        };
        wait(condition, lock, clock_deadline(end, true, clock))
    }

    fn pthread_cond_signal(condition: *mut pthread_cond_t) -> c_int {
        futex::wake(condition, 1);
        0
    }

    fn pthread_cond_broadcast(condition: *mut pthread_cond_t) -> c_int {
        futex::wake(condition, c_int::MAX);
        0
    }
}
