// SPDX-License-Identifier: BSD-2-Clause

//! The lock around the heap. A thread that finds it taken sleeps on the notification that the application
//! provides by `sel4_rust_heap_notification()`. Without one it yields, for a bounded number of times.

use core::{
    cell::UnsafeCell,
    ops::{Deref, DerefMut},
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{Acquire, Relaxed, SeqCst},
    },
};

use crate::c;

/// Number of yields after which a waiting thread gives up. At 1 GHz they take a tenth of a second or more, while
/// an operation of the heap takes microseconds; a peer that runs in between only makes them longer. A thread
/// that waits so long almost certainly keeps the holder from running, by a higher priority.
#[cfg(not(test))]
const fn patience() -> u32 {
    1 << 18
}
#[cfg(test)]
use tests::patience;

/// A mutex for threads of any priority.
///
/// Two words tell its state. A waiter counts itself, then tries to take the lock; the holder frees the
/// lock, then reads the count. All four steps are sequentially consistent, so that either the waiter finds
/// the lock free or the holder sees the waiter.
pub(crate) struct Lock<T> {
    taken: AtomicBool,
    waiters: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: `lock` admits one thread at a time to the value, which may be another one than made it.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            taken: AtomicBool::new(false),
            waiters: AtomicUsize::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock.
    ///
    /// # Panics
    ///
    /// Panics if the lock stays taken, and there is no notification to sleep on.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        if self
            .taken
            .compare_exchange_weak(false, true, Acquire, Relaxed)
            .is_err()
        {
            self.wait();
        }
        Guard(self)
    }

    /// Takes the lock, which was taken.
    #[cold]
    #[inline(never)]
    fn wait(&self) {
        self.waiters.fetch_add(1, SeqCst);
        let mut patience = patience();
        while self
            .taken
            .compare_exchange(false, true, SeqCst, SeqCst)
            .is_err()
        {
            if c::wait() {
                continue;
            }
            if patience == 0 {
                self.waiters.fetch_sub(1, SeqCst);
                give_up();
            }
            patience -= 1;
            c::yield_to_peers();
        }
        // Further waiters, if any, are woken when this one frees the lock.
        self.waiters.fetch_sub(1, SeqCst);
    }
}

#[cold]
#[inline(never)]
fn give_up() -> ! {
    panic!(
        "the heap's lock stays taken, perhaps by a thread of lower priority\n\
         help: define sel4_rust_heap_notification() in C"
    )
}

/// Access to the value of a [`Lock`], until it is dropped.
pub(crate) struct Guard<'a, T>(&'a Lock<T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this thread holds the lock.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread holds the lock.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.taken.store(false, SeqCst);
        if self.0.waiters.load(SeqCst) > 0 {
            c::wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::thread;

    thread_local! {
        /// Without a limit by default: a busy machine may keep the holder from running for long.
        static PATIENCE: Cell<u32> = const { Cell::new(u32::MAX) };
    }

    pub(super) fn patience() -> u32 {
        PATIENCE.get()
    }

    #[test]
    fn threads_take_turns() {
        static COUNT: Lock<usize> = Lock::new(0);
        let times = if cfg!(miri) { 20 } else { 10_000 };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..times).for_each(|_| *COUNT.lock() += 1));
            }
        });
        assert_eq!(*COUNT.lock(), 4 * times);
        assert_eq!(COUNT.waiters.load(SeqCst), 0);
    }

    #[test]
    fn a_lock_that_stays_taken_names_the_hook() {
        static LOCK: Lock<()> = Lock::new(());
        let _held = LOCK.lock();
        let waiter = thread::spawn(|| {
            PATIENCE.set(100);
            drop(LOCK.lock());
        });
        let panic = waiter.join().unwrap_err();
        let text = panic.downcast_ref::<&str>().unwrap();
        assert!(text.contains("sel4_rust_heap_notification"), "{text}");
        assert_eq!(LOCK.waiters.load(SeqCst), 0);
    }
}
