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
