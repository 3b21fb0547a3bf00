// SPDX-License-Identifier: BSD-2-Clause

//! Scheduling contexts.

#[libsel4_test::tests]
pub mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use libsel4::{
        AllocationError, Budget, Cap, CapRights, Error, Fault, FaultEndpoint,
        MIN_SCHED_CONTEXT_BITS, MessageInfo, Notification, Priority, SchedContext, SchedControl,
        max_extra_refills, yield_now,
    };
    use libsel4_test::{Resources, Thread};

    type Done = Result<(), AllocationError>;

    static COUNT: AtomicUsize = AtomicUsize::new(0);

    fn control(t: &Resources) -> Cap<SchedControl> {
        t.info.sched_control(0).expect("there is a first core")
    }

    /// A thread that counts and lets nobody else run.
    fn spinner(t: &mut Resources) -> Result<Thread, AllocationError> {
        COUNT.store(0, SeqCst);
        t.spawn(|| {
            loop {
                COUNT.fetch_add(1, SeqCst);
            }
        })
    }

    fn progress() -> usize {
        let before = COUNT.load(SeqCst);
        for _ in 0..3 {
            yield_now();
        }
        COUNT.load(SeqCst) - before
    }

    #[test]
    fn time_that_was_used_is_counted(t: &mut Resources) -> Done {
        let Thread { tcb, sched_context } = spinner(t)?;
        assert!(progress() > 0);
        tcb.tcb_suspend()?;
        assert!(sched_context.sched_context_consumed()? > 0);
        // It is told once; with 32 bits the kernel reports a long time in parts.
        for _ in 0..1000 {
            if sched_context.sched_context_consumed()? == 0 {
                return Ok(());
            }
        }
        panic!("a thread that is suspended uses time");
    }

    #[test]
    fn a_thread_without_time_stands_still(t: &mut Resources) -> Done {
        let Thread { tcb, sched_context } = spinner(t)?;
        assert!(progress() > 0);
        assert_eq!(
            sched_context.sched_context_bind(tcb),
            Err(Error::IllegalOperation)
        );
        sched_context.sched_context_unbind()?;
        assert_eq!(progress(), 0);
        assert_eq!(
            sched_context.sched_context_unbind_object(tcb),
            Err(Error::IllegalOperation)
        );
        sched_context.sched_context_bind(tcb)?;
        assert!(progress() > 0);
        sched_context.sched_context_unbind_object(tcb)?;
        assert_eq!(progress(), 0);
        Ok(())
    }

    #[test]
    fn a_budget_that_is_used_up_is_a_timeout(t: &mut Resources) -> Done {
        let service = t.service()?;
        let timeouts = t.objects.mint(service.endpoint, CapRights::ALL, 5)?;
        let gate: Cap<Notification> = t.objects.make()?;
        let Thread { tcb, sched_context } = t.spawn(move || {
            gate.wait();
            loop {
                COUNT.fetch_add(1, SeqCst);
            }
        })?;
        t.settle()?;
        control(t).sched_control_configure_flags(
            sched_context,
            &Budget::new(2_000, 500_000).badge(0x77),
        )?;
        // SAFETY: nobody answers its timeouts.
        let timeouts = unsafe { FaultEndpoint::new(timeouts) };
        tcb.tcb_set_timeout_endpoint(Some(timeouts))?;
        gate.signal();
        let (info, badge) = service.recv();
        let Fault::Timeout {
            data: 0x77,
            consumed,
        } = Fault::of(info)
        else {
            panic!("{:?}", Fault::of(info));
        };
        assert_eq!(badge, 5);
        // The kernel for qemu-arm-virt with 32 bits counts milliseconds here.
        let least = if cfg!(CONFIG_ARCH_AARCH32) { 1 } else { 1_500 };
        assert!(
            (least..500_000).contains(&consumed),
            "{consumed} microseconds"
        );
        Ok(())
    }

    #[test]
    fn a_thread_gets_no_more_than_its_budget(t: &mut Resources) -> Done {
        let Thread { tcb, sched_context } = spinner(t)?;
        tcb.tcb_suspend()?;
        control(t).sched_control_configure_flags(sched_context, &Budget::new(1_000, 20_000))?;
        tcb.tcb_set_priority(t.tcb, Priority::new(150))?;
        // Although the highest, it leaves time for this thread, which does nothing else than to look.
        tcb.tcb_resume()?;
        let mut last = COUNT.load(SeqCst);
        let mut turns = 0;
        while turns < 5 {
            let now = COUNT.load(SeqCst);
            turns += usize::from(now != last);
            last = now;
        }
        Ok(())
    }

    #[test]
    fn a_passive_server_runs_in_its_clients_time(t: &mut Resources) -> Done {
        let service = t.service()?;
        let Thread { sched_context, .. } = t.spawn(move || {
            let (mut info, _) = service.recv();
            loop {
                (info, _) = service.reply_recv(MessageInfo::new(info.label() + 1, 0, 0, 0));
            }
        })?;
        // It waits, and from here on has no time of its own.
        t.settle()?;
        sched_context.sched_context_unbind()?;
        for label in 1..100 {
            let answer = service.endpoint.call(MessageInfo::new(label, 0, 0, 0));
            assert_eq!(answer.label(), label + 1);
        }
        Ok(())
    }

    #[test]
    fn a_notification_lends_its_time(t: &mut Resources) -> Done {
        let bell: Cap<Notification> = t.objects.make()?;
        let Thread { sched_context, .. } = t.spawn(move || {
            loop {
                bell.wait();
                COUNT.fetch_add(1, SeqCst);
            }
        })?;
        t.settle()?;
        let before = COUNT.load(SeqCst);
        sched_context.sched_context_unbind()?;
        sched_context.sched_context_bind(bell)?;
        let refused = sched_context.sched_context_bind(bell);
        assert_eq!(refused, Err(Error::IllegalOperation));
        bell.signal();
        t.settle()?;
        assert!(COUNT.load(SeqCst) > before);
        Ok(())
    }

    #[test]
    fn yielding_to_a_thread_lets_it_run(t: &mut Resources) -> Done {
        let Thread { tcb, sched_context } = spinner(t)?;
        yield_now();
        let before = COUNT.load(SeqCst);
        sched_context.sched_context_yield_to()?;
        assert!(COUNT.load(SeqCst) > before);
        tcb.tcb_suspend()?;
        let none: Cap<SchedContext> = t.objects.make_sized(MIN_SCHED_CONTEXT_BITS)?;
        assert_eq!(none.sched_context_yield_to(), Err(Error::IllegalOperation));
        Ok(())
    }

    #[test]
    fn what_is_out_of_range_is_refused(t: &mut Resources) -> Done {
        let context: Cap<SchedContext> = t.objects.make_sized(MIN_SCHED_CONTEXT_BITS)?;
        let most = max_extra_refills(MIN_SCHED_CONTEXT_BITS);
        let configure = |budget, period, refills| {
            let budget = Budget::new(budget, period).extra_refills(refills);
            control(t).sched_control_configure_flags(context, &budget)
        };
        for (budget, period, refills) in [
            (0, 10_000, 0),
            (u64::MAX, u64::MAX, 0),
            (10_000, 0, 0),
            (20_000, 10_000, 0),
        ] {
            let refused = configure(budget, period, refills);
            assert!(
                matches!(refused, Err(Error::RangeError { .. })),
                "{budget} {period}: {refused:?}"
            );
        }
        let refused = configure(1_000, 10_000, most + 1);
        assert_eq!(refused, Err(Error::RangeError { min: 0, max: most }));
        configure(1_000, 10_000, most)?;
        assert!(max_extra_refills(MIN_SCHED_CONTEXT_BITS + 1) > most);
        Ok(())
    }
}
