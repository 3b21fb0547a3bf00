// SPDX-License-Identifier: BSD-2-Clause

//! Threads: priorities, registers, cores, domains.

#[libsel4_test::tests]
pub mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[cfg(not(CONFIG_KERNEL_MCS))]
    use libsel4::SchedParams;
    use libsel4::libsel4_sys as sys;
    use libsel4::{
        AllocationError, Cap, Error, IpcBuffer, Notification, Priority, SmallPage, UserContext,
        entry_context, yield_now,
    };
    use libsel4_test::{Resources, Thread};

    type Done = Result<(), AllocationError>;

    static COUNT: AtomicUsize = AtomicUsize::new(0);

    /// A thread that counts, whenever it is its turn.
    fn counter(t: &mut Resources) -> Result<Thread, AllocationError> {
        COUNT.store(0, SeqCst);
        t.spawn(|| {
            loop {
                COUNT.fetch_add(1, SeqCst);
                yield_now();
            }
        })
    }

    /// Returns how far the counter advances while this thread lets others run.
    fn progress() -> usize {
        let before = COUNT.load(SeqCst);
        for _ in 0..5 {
            yield_now();
        }
        COUNT.load(SeqCst) - before
    }

    /// A thread that waits for the notification, then counts once.
    fn waiter(t: &mut Resources) -> Result<(Thread, Cap<Notification>), AllocationError> {
        COUNT.store(0, SeqCst);
        let gate: Cap<Notification> = t.objects.make()?;
        let thread = t.spawn(move || {
            gate.wait();
            COUNT.fetch_add(1, SeqCst);
        })?;
        t.settle()?;
        Ok((thread, gate))
    }

    fn stack_pointer(registers: &UserContext) -> usize {
        #[cfg(CONFIG_ARCH_X86_64)]
        return registers.rsp;
        #[cfg(CONFIG_ARCH_IA32)]
        return registers.esp;
        #[cfg(not(CONFIG_ARCH_X86))]
        return registers.sp;
    }

    #[test]
    fn a_thread_of_lower_priority_waits_for_its_turn(t: &mut Resources) -> Done {
        let (thread, gate) = waiter(t)?;
        thread.tcb.tcb_set_priority(t.tcb, Priority::new(50))?;
        gate.signal();
        assert_eq!(progress(), 0);
        // Now it is the highest, and runs at once.
        thread.tcb.tcb_set_priority(t.tcb, Priority::new(150))?;
        assert_eq!(COUNT.load(SeqCst), 1);
        Ok(())
    }

    #[test]
    fn nobody_gives_more_than_the_maximum_controlled_priority(t: &mut Resources) -> Done {
        let (thread, _) = waiter(t)?;
        let tcb = thread.tcb;
        tcb.tcb_set_priority(t.tcb, Priority::new(200))?;
        assert_eq!(
            tcb.tcb_set_priority(t.tcb, Priority::new(201)),
            Err(Error::RangeError { min: 0, max: 200 })
        );
        assert_eq!(
            tcb.tcb_set_mc_priority(t.tcb, Priority::new(201)),
            Err(Error::RangeError { min: 0, max: 200 })
        );
        tcb.tcb_set_mc_priority(t.tcb, Priority::new(120))?;
        assert_eq!(
            tcb.tcb_set_priority(tcb, Priority::new(121)),
            Err(Error::RangeError { min: 0, max: 120 })
        );
        tcb.tcb_set_priority(tcb, Priority::new(120))?;
        #[cfg(not(CONFIG_KERNEL_MCS))]
        {
            let params =
                |priority| SchedParams::new(Priority::new(priority)).mcp(Priority::new(90));
            assert_eq!(
                tcb.tcb_set_sched_params(tcb, &params(121)),
                Err(Error::RangeError { min: 0, max: 120 })
            );
            tcb.tcb_set_sched_params(tcb, &params(90))?;
            assert_eq!(
                tcb.tcb_set_priority(tcb, Priority::new(91)),
                Err(Error::RangeError { min: 0, max: 90 })
            );
        }
        Ok(())
    }

    #[test]
    fn a_suspended_thread_stands_still_until_it_is_resumed(t: &mut Resources) -> Done {
        let thread = counter(t)?;
        assert!(progress() > 0);
        thread.tcb.tcb_suspend()?;
        assert_eq!(progress(), 0);
        thread.tcb.tcb_resume()?;
        assert!(progress() > 0);
        Ok(())
    }

    #[repr(align(64))]
    #[expect(dead_code, reason = "used through its address")]
    struct Stack([AtomicUsize; 2048]);
    static STACK: Stack = Stack([const { AtomicUsize::new(0) }; 2048]);

    /// Function that a running thread is redirected to.
    extern "C" fn elsewhere(argument: usize) -> ! {
        COUNT.store(argument, SeqCst);
        loop {
            yield_now();
        }
    }

    #[test]
    fn registers_are_read_written_and_copied(t: &mut Resources) -> Done {
        let (thread, _) = waiter(t)?;
        let (other, _) = waiter(t)?;
        let before = thread.tcb.tcb_read_registers(false)?;
        let here = (&raw const before).addr();
        assert!(
            stack_pointer(&before).abs_diff(here) < 0x10_0000,
            "{before:x?}"
        );
        let end = (&raw const STACK).addr() + size_of::<Stack>();
        let context = entry_context(elsewhere, end, 0x5eed);
        // SAFETY: it yields, on a stack of its own, and makes no other system call.
        unsafe { thread.tcb.tcb_write_registers(false, &context)? };
        let written = thread.tcb.tcb_read_registers(true)?;
        assert_eq!(stack_pointer(&written), stack_pointer(&context));
        // SAFETY: neither runs before it has registers to run with.
        unsafe {
            other.tcb.tcb_suspend()?;
            other
                .tcb
                .tcb_copy_registers(thread.tcb, false, false, true, true)?;
        }
        let copied = other.tcb.tcb_read_registers(false)?;
        assert_eq!(stack_pointer(&copied), stack_pointer(&context));
        thread.tcb.tcb_resume()?;
        progress();
        assert_eq!(COUNT.load(SeqCst), 0x5eed);
        Ok(())
    }

    #[test]
    fn flags_are_set_and_cleared(t: &mut Resources) -> Done {
        let (thread, _) = waiter(t)?;
        let flag = sys::seL4_TCBFlag_fpuDisabled;
        assert_eq!(thread.tcb.tcb_set_flags(0, flag)? & flag, flag);
        assert_eq!(thread.tcb.tcb_set_flags(0, 0)? & flag, flag);
        assert_eq!(thread.tcb.tcb_set_flags(flag, 0)? & flag, 0);
        Ok(())
    }

    #[test]
    fn an_ipc_buffer_is_aligned(t: &mut Resources) -> Done {
        let (thread, _) = waiter(t)?;
        let page: Cap<SmallPage> = t.objects.make()?;
        let buffer = IpcBuffer {
            address: t.free_addresses().start + 8,
            page,
        };
        // SAFETY: it is refused.
        let refused = unsafe { thread.tcb.tcb_set_ipc_buffer(Some(buffer)) };
        assert_eq!(refused, Err(Error::AlignmentError));
        Ok(())
    }

    #[test]
    fn domains_are_numbers_below_their_count(t: &mut Resources) -> Done {
        let (thread, _) = waiter(t)?;
        let domain = t.info.domain();
        domain.domain_set_set(0, thread.tcb)?;
        let count = sys::config::CONFIG_NUM_DOMAINS;
        let refused = domain.domain_set_set(count as u8, thread.tcb);
        assert_eq!(refused, Err(Error::InvalidArgument { argument: 0 }));
        let refused = domain.domain_set_schedule_configure(usize::MAX, 0, 1);
        assert!(
            matches!(refused, Err(Error::RangeError { min: 0, .. })),
            "{refused:?}"
        );
        let refused = domain.domain_set_schedule_configure(1, count as u8, 1);
        assert_eq!(
            refused,
            Err(Error::RangeError {
                min: 0,
                max: count - 1
            })
        );
        let refused = domain.domain_set_schedule_set_start(usize::MAX);
        assert!(
            matches!(refused, Err(Error::RangeError { min: 0, .. })),
            "{refused:?}"
        );
        Ok(())
    }

    #[cfg(all(CONFIG_ENABLE_SMP_SUPPORT, not(CONFIG_KERNEL_MCS)))]
    #[test]
    fn a_thread_runs_on_another_core(t: &mut Resources) -> Done {
        let thread = counter(t)?;
        thread.tcb.tcb_suspend()?;
        thread.tcb.tcb_set_affinity(1)?;
        #[cfg(CONFIG_DEBUG_BUILD)]
        assert_eq!(thread.tcb.debug_get_thread_affinity(), 1);
        let refused = thread.tcb.tcb_set_affinity(t.info.num_nodes());
        assert!(refused.is_err(), "{refused:?}");
        thread.tcb.tcb_resume()?;
        // This thread does not let others run on its core.
        let before = COUNT.load(SeqCst);
        while COUNT.load(SeqCst) < before + 1000 {
            core::hint::spin_loop();
        }
        Ok(())
    }

    #[test]
    fn there_is_room_for_six_threads(t: &mut Resources) -> Done {
        for _ in 0..6 {
            t.spawn(|| ())?;
        }
        assert_eq!(t.spawn(|| ()).err(), Some(AllocationError::Slots));
        Ok(())
    }
}
