// SPDX-License-Identifier: BSD-2-Clause

//! Linux' futex, on which Rust's locks sleep: who waits is in a queue by the address of its word, and
//! sleeps on its thread's notification.

use std::cell::{Cell, UnsafeCell};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{c_int, c_long};
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

use libc::timespec;
use sel4_hosted::{in_thread, without_preemption};
use sel4_hosted_libsel4::api::*;

use super::threads::{self, Thread};
use super::{fail, time};
use crate::original::original;

/// All bits.
pub(super) const ANY: u32 = u32::MAX;

struct Waiter {
    thread: &'static Thread,
    bits: u32,
    woken: Cell<bool>,
}

type Queues = BTreeMap<usize, VecDeque<*const Waiter>>;
struct Shared(UnsafeCell<Queues>);
// SAFETY: it is used without_preemption, by threads of which one runs at a time.
unsafe impl Sync for Shared {}
static QUEUES: Shared = Shared(UnsafeCell::new(BTreeMap::new()));

/// Uses the queues, while nobody else does.
fn with_queues<R>(work: impl FnOnce(&mut Queues) -> R) -> R {
    // SAFETY: nobody else does.
    without_preemption(|| work(unsafe { &mut *QUEUES.0.get() }))
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    Woken,
    /// There was no reason to wait.
    Not,
    Late,
}

/// Waits for a wake by this address, or until `deadline`, if `still` holds. Nobody comes between its answer
/// and the waiting.
pub(super) fn wait<T>(
    key: *const T,
    bits: u32,
    deadline: Option<u64>,
    still: impl FnOnce() -> bool,
) -> Wake {
    wait_and(key, bits, deadline, still, || ())
}

/// The same; does `first` before it sleeps. From then on a wake finds it.
pub(super) fn wait_and<T>(
    key: *const T,
    bits: u32,
    deadline: Option<u64>,
    still: impl FnOnce() -> bool,
    first: impl FnOnce(),
) -> Wake {
    let Some(thread) = threads::current() else {
        sel4_hosted::end::refuse(
            "a thread that std does not know waits for a lock, or sleeps\n\
             help: make threads that use std with std::thread, or with pthread_create() in C",
        );
    };
    let waiter = Waiter {
        thread,
        bits,
        woken: Cell::new(false),
    };
    let place = &raw const waiter;
    let waits = with_queues(|queues| {
        let waits = still();
        if waits {
            queues.entry(key.addr()).or_default().push_back(place);
        }
        waits
    });
    if !waits {
        return Wake::Not;
    }
    first();
    let timer = deadline.zip(thread.timer());
    if let Some((deadline, timer)) = timer {
        // SAFETY: an seL4 thread waits here.
        unsafe { sel4_hosted::set_alarm(timer, deadline) };
    }
    let how = loop {
        sleep(thread.notification());
        if waiter.woken.get() {
            break Wake::Woken;
        }
        // A signal that came late is not for this.
        // SAFETY: an seL4 thread waits here.
        if deadline.is_some_and(|deadline| deadline <= unsafe { sel4_hosted::clock() }) {
            let found = with_queues(|queues| remove(queues, place));
            break if found { Wake::Late } else { Wake::Woken };
        }
    };
    if let Some((_, timer)) = timer {
        // SAFETY: as above.
        unsafe { sel4_hosted::set_alarm(timer, u64::MAX) };
    }
    how
}

/// Waits for a notification and leaves the message registers alone.
fn sleep(notification: seL4_CPtr) {
    let none = ptr::null_mut();
    // SAFETY: it writes nothing.
    #[cfg(not(feature = "mcs"))]
    unsafe {
        seL4_RecvWithMRs(notification, none, none, none, none, none)
    };
    // SAFETY: as above.
    #[cfg(feature = "mcs")]
    unsafe {
        seL4_WaitWithMRs(notification, none, none, none, none, none)
    };
}

/// Takes a waiter out of its queue, if it is in one.
fn remove(queues: &mut Queues, waiter: *const Waiter) -> bool {
    let mut found = false;
    queues.retain(|_, queue| {
        let before = queue.len();
        queue.retain(|other| *other != waiter);
        found |= queue.len() != before;
        !queue.is_empty()
    });
    found
}

/// Wakes up to `count` of those that wait by this address, the first ones first. Gives how many it were.
pub(super) fn wake<T>(key: *const T, count: usize, bits: u32) -> usize {
    let mut woken = 0;
    while woken < count {
        let notification = with_queues(|queues| {
            let queue = queues.get_mut(&key.addr())?;
            // SAFETY: who waits is in the queue as long as its waiter is there.
            let index = queue
                .iter()
                .position(|waiter| unsafe { (**waiter).bits } & bits != 0)?;
            let waiter = queue.remove(index)?;
            if queue.is_empty() {
                queues.remove(&key.addr());
            }
            // SAFETY: as above. It may go as soon as it knows.
            unsafe {
                (*waiter).woken.set(true);
                Some((*waiter).thread.notification())
            }
        });
        let Some(notification) = notification else {
            break;
        };
        // SAFETY: a signal too many is no harm.
        unsafe { seL4_Signal(notification) };
        woken += 1;
    }
    woken
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

    /// Linux' system calls by number: std asks for its futex so.
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
        if in_thread() {
            match number {
                libc::SYS_futex => {
                    // SAFETY: as the caller promises.
                    return unsafe { futex(a as *const AtomicU32, b as c_int, c as u32, d, f) };
                }
                libc::SYS_gettid => {
                    // SAFETY: a plain call.
                    return unsafe { threads::gettid() }.into();
                }
                _ => {}
            }
        }
        // SAFETY: as the caller promises.
        unsafe { super::syscall(number, a, b, c, d, e, f) }
    }
}

/// # Safety
///
/// The word is there, and a timeout is one or null.
unsafe fn futex(
    word: *const AtomicU32,
    operation: c_int,
    value: u32,
    timeout: usize,
    bits: usize,
) -> c_long {
    let clock = if operation & libc::FUTEX_CLOCK_REALTIME != 0 {
        libc::CLOCK_REALTIME
    } else {
        libc::CLOCK_MONOTONIC
    };
    let command = operation & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    // SAFETY: as the caller promises.
    let timeout = unsafe { (timeout as *const timespec).as_ref() };
    let deadline = |absolute| timeout.and_then(|timeout| time::deadline(timeout, absolute, clock));
    let bits = match command {
        libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAKE_BITSET => bits as u32,
        _ => ANY,
    };
    match command {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => {
            let deadline = deadline(command == libc::FUTEX_WAIT_BITSET);
            // SAFETY: as the caller promises.
            let still = || unsafe { (*word).load(SeqCst) } == value;
            match wait(word, bits, deadline, still) {
                Wake::Woken => 0,
                Wake::Not => fail(libc::EAGAIN).into(),
                Wake::Late => fail(libc::ETIMEDOUT).into(),
            }
        }
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => wake(word, value as usize, bits) as c_long,
        _ => fail(libc::ENOSYS).into(),
    }
}
