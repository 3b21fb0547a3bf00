// SPDX-License-Identifier: BSD-2-Clause

//! libsel4-rt where threads share it: the heap's lock, and the ends of threads that panic.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use alloc::boxed::Box;
use core::hint::black_box;
use libsel4::{AllocationError, Cap, Notification, Priority, yield_now};
use libsel4_test::Resources;

unsafe extern "C" {
    /// Sets the notification that the hook of the heap's lock returns.
    safe fn kernel_tests_set_heap_notification(notification: usize);
    /// Returns the number of calls of the hook.
    safe fn kernel_tests_hook_calls() -> usize;
}

/// Number of times that the thread of high priority allocated.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
/// Tells the thread of low priority to end.
static ENOUGH: AtomicBool = AtomicBool::new(false);

fn allocate() {
    drop(black_box(Box::new(ALLOCATED.load(Relaxed))));
}

/// Has a thread of high priority allocate `rounds` times, each time after a thread of low priority, which does nothing
/// but allocate, was preempted somewhere.
fn two_priorities(t: &mut Resources, rounds: usize) -> Result<(), AllocationError> {
    ALLOCATED.store(0, Relaxed);
    ENOUGH.store(false, Relaxed);
    let bell: Cap<Notification> = t.objects.make()?;
    t.spawn(|| {
        while !ENOUGH.load(Relaxed) {
            allocate();
        }
    })?;
    let high = t.spawn(move || {
        loop {
            bell.wait();
            allocate();
            ALLOCATED.fetch_add(1, Relaxed);
        }
    })?;
    high.tcb.tcb_set_priority(t.tcb, Priority::new(150))?;
    for _ in 0..rounds {
        // The other thread runs to the end of its time slice.
        yield_now();
        bell.signal();
    }
    ENOUGH.store(true, Relaxed);
    yield_now();
    Ok(())
}

#[libsel4_test::tests]
pub mod tests {
    use super::*;

    #[test]
    fn two_priorities_share_the_heap(t: &mut Resources) -> Result<(), AllocationError> {
        const ROUNDS: usize = 60;
        let sleepers: Cap<Notification> = t.objects.make()?;
        kernel_tests_set_heap_notification(sleepers.word());
        two_priorities(t, ROUNDS)?;
        kernel_tests_set_heap_notification(0);
        assert_eq!(ALLOCATED.load(Relaxed), ROUNDS);
        assert!(kernel_tests_hook_calls() > 0, "the lock was never taken");
        Ok(())
    }

    /// The last one: the lock stays taken.
    #[test]
    fn without_the_hook_the_waiting_thread_panics(
        t: &mut Resources,
    ) -> Result<(), AllocationError> {
        two_priorities(t, 1000)
    }
}

/// Tests of images that are configured with `RUST_PANIC=fault`.
#[libsel4_test::tests]
pub mod faults {
    use core::fmt;

    use super::*;
    use libsel4::{CapRights, Fault, FaultEndpoint};

    /// Number of threads that are about to panic.
    static PANICKING: AtomicUsize = AtomicUsize::new(0);

    /// A value during whose formatting another thread panics.
    struct Slow;

    impl fmt::Display for Slow {
        fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            while PANICKING.load(Relaxed) < 2 {
                yield_now();
            }
            yield_now();
            to.write_str("the other one panics, too")
        }
    }

    #[test]
    fn two_threads_that_panic_are_reported_in_full(
        t: &mut Resources,
    ) -> Result<(), AllocationError> {
        PANICKING.store(0, Relaxed);
        let service = t.service()?;
        let mut faults = |badge| {
            let faults = t.objects.mint(service.endpoint, CapRights::ALL, badge)?;
            // SAFETY: nobody answers the faults.
            Ok::<_, AllocationError>(unsafe { FaultEndpoint::new(faults) })
        };
        let (first, second) = (faults(1)?, faults(2)?);
        t.spawn_watched(first, || {
            PANICKING.fetch_add(1, Relaxed);
            panic!("while {Slow}");
        })?;
        t.spawn_watched(second, || {
            while PANICKING.load(Relaxed) == 0 {
                yield_now();
            }
            PANICKING.fetch_add(1, Relaxed);
            panic!("beside it");
        })?;
        for badge in [1, 2] {
            let (info, whose) = service.recv();
            let fault = Fault::of(info);
            assert_eq!(whose, badge);
            assert!(matches!(fault, Fault::UserException { .. }), "{fault:?}");
        }
        Ok(())
    }
}

/// Tests of libsel4-critical-section, and that crates work that need one.
#[cfg(feature = "sections")]
#[libsel4_test::tests]
pub mod sections {
    use core::cell::Cell;
    use core::sync::atomic::AtomicU64;

    use critical_section::Mutex;
    use embassy_sync::{blocking_mutex::raw::CriticalSectionRawMutex, channel::Channel};
    use once_cell::sync::OnceCell;

    use super::*;

    static COUNT: Mutex<Cell<usize>> = Mutex::new(Cell::new(0));

    /// Counts in a critical section, in which other threads run.
    fn count() {
        critical_section::with(|section| {
            let count = COUNT.borrow(section);
            let before = count.get();
            yield_now();
            // A section in a section ends without giving up the lock.
            critical_section::with(|_| yield_now());
            yield_now();
            count.set(before + 1);
        });
    }

    #[test]
    fn threads_of_two_priorities_exclude_each_other(
        t: &mut Resources,
    ) -> Result<(), AllocationError> {
        const ROUNDS: usize = 50;
        static RUNNING: AtomicUsize = AtomicUsize::new(3);
        let sleepers: Cap<Notification> = t.objects.make()?;
        // SAFETY: all threads share the CSpace, and nothing else uses the notification.
        unsafe { libsel4_critical_section::sleep_on(sleepers.word()) };
        let bell: Cap<Notification> = t.objects.make()?;
        for _ in 0..2 {
            t.spawn(move || {
                for _ in 0..ROUNDS {
                    bell.signal();
                    count();
                }
                RUNNING.fetch_sub(1, Relaxed);
            })?;
        }
        let high = t.spawn(move || {
            for _ in 0..ROUNDS {
                bell.wait();
                count();
            }
            RUNNING.fetch_sub(1, Relaxed);
        })?;
        high.tcb.tcb_set_priority(t.tcb, Priority::new(150))?;
        // Several signals may have come as one.
        while RUNNING.load(Relaxed) > 0 {
            yield_now();
            bell.signal();
        }
        let total = critical_section::with(|section| COUNT.borrow(section).get());
        assert_eq!(total, 3 * ROUNDS);
        // SAFETY: no notification is used.
        unsafe { libsel4_critical_section::sleep_on(0) };
        Ok(())
    }

    #[test]
    fn crates_that_need_critical_sections_work() {
        static CHANNEL: Channel<CriticalSectionRawMutex, u32, 2> = Channel::new();
        assert!(CHANNEL.try_send(1).is_ok() && CHANNEL.try_send(2).is_ok());
        assert!(CHANNEL.try_send(3).is_err());
        assert_eq!(CHANNEL.try_receive(), Ok(1));

        static ONCE: OnceCell<usize> = OnceCell::new();
        assert_eq!(ONCE.get_or_init(|| 42), &42);

        static QUEUE: heapless::mpmc::Queue<u8, 2> = heapless::mpmc::Queue::new();
        assert!(QUEUE.enqueue(7).is_ok());
        assert_eq!(QUEUE.dequeue(), Some(7));
    }

    /// rustc has 64-bit atomics for all targets of the kit; portable-atomic takes these.
    #[test]
    fn there_are_64_bit_atomics() {
        static NATIVE: AtomicU64 = AtomicU64::new(u32::MAX as u64);
        static PORTABLE: portable_atomic::AtomicU64 =
            portable_atomic::AtomicU64::new(u32::MAX as u64);
        assert_eq!(NATIVE.fetch_add(1, Relaxed) + 1, NATIVE.load(Relaxed));
        assert_eq!(PORTABLE.fetch_add(1, Relaxed) + 1, PORTABLE.load(Relaxed));
        assert!(portable_atomic::AtomicU64::is_always_lock_free());
    }
}
