// SPDX-License-Identifier: BSD-2-Clause

//! Tests with every verdict of libsel4-test; tests/kernel knows the expected lines.

#[libsel4_test::tests]
pub mod tests {
    use core::fmt;
    use core::hint::spin_loop;

    use libsel4::{
        AllocationError, CNode, Cap, CapRights, Endpoint, Error, Notification, Priority, Untyped,
    };
    use libsel4_test::Resources;

    #[test]
    fn passes() {}

    #[test]
    fn passes_with_objects(t: &mut Resources) -> Result<(), AllocationError> {
        let bell: Cap<Notification> = t.objects.make()?;
        bell.signal();
        assert_eq!(bell.poll(), None);
        Ok(())
    }

    #[test]
    fn returns_an_error(t: &mut Resources) -> Result<(), Error> {
        t.tcb.tcb_set_priority(t.tcb, Priority::MAX)
    }

    #[test]
    fn panics() {
        assert_eq!(1 + 1, 3, "sums are wrong");
    }

    /// A value that cannot be shown.
    struct Shy;

    impl fmt::Display for Shy {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("not to be shown");
        }
    }

    #[test]
    fn panics_while_it_panics() {
        panic!("{Shy}");
    }

    #[test]
    fn reads_where_nothing_is() {
        // SAFETY: nothing of this program is there; the kernel stops the thread, which is the point.
        unsafe { core::ptr::without_provenance::<u32>(0x18).read_volatile() };
    }

    #[test]
    fn has_a_thread_that_panics(t: &mut Resources) -> Result<(), AllocationError> {
        let bell: Cap<Notification> = t.objects.make()?;
        t.spawn(|| panic!("in a thread"))?;
        bell.wait();
        Ok(())
    }

    #[test]
    fn has_a_thread_that_faults(t: &mut Resources) -> Result<(), AllocationError> {
        let bell: Cap<Notification> = t.objects.make()?;
        t.spawn(|| {
            // SAFETY: as above.
            unsafe { core::ptr::without_provenance::<u32>(0x1c).read_volatile() };
        })?;
        bell.wait();
        Ok(())
    }

    #[test]
    fn overflows_its_stack() {
        fn deeper(depth: usize) -> usize {
            let block = core::hint::black_box([depth; 100]);
            if depth == usize::MAX {
                return 0;
            }
            deeper(depth + 1) + block[depth % 100]
        }
        core::hint::black_box(deeper(0));
    }

    #[test]
    fn waits_for_ever(t: &mut Resources) -> Result<(), AllocationError> {
        let endpoint: Cap<Endpoint> = t.objects.make()?;
        endpoint.send(Default::default());
        Ok(())
    }

    #[test]
    fn spins() {
        loop {
            spin_loop();
        }
    }

    #[cfg(CONFIG_DEBUG_BUILD)]
    #[test]
    fn halts_the_machine() {
        libsel4::debug::debug_halt();
    }

    #[test]
    fn leaves_capabilities_behind(t: &mut Resources) -> Result<(), AllocationError> {
        for _ in 0..3 {
            t.objects.copy(t.info.tcb(), CapRights::ALL)?;
        }
        Ok(())
    }

    #[test]
    fn takes_all_memory(t: &mut Resources) -> Result<(), AllocationError> {
        let everything: Result<Cap<Untyped>, _> = t.objects.make_sized(18);
        everything?;
        while t.objects.make_sized::<CNode>(8).is_ok() {}
        Ok(())
    }

    #[test]
    fn is_skipped(t: &mut Resources) {
        t.skip("there is nothing to do");
    }

    #[test]
    fn passes_after_all_that(t: &mut Resources) -> Result<(), AllocationError> {
        passes_with_objects(t)
    }
}
