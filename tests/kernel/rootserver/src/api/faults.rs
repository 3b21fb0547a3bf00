// SPDX-License-Identifier: BSD-2-Clause

//! Faults of every kind, as their handler gets them.

#[libsel4_test::tests]
pub mod tests {
    use libsel4::{
        AllocationError, Cap, CapRights, Endpoint, Error, Fault, FaultEndpoint, Notification, Tcb,
    };
    use libsel4_test::{Resources, Thread};

    unsafe extern "C" {
        /// Makes a system call with this number.
        safe fn kernel_tests_system_call(number: isize);
        /// Runs an instruction that there is not.
        safe fn kernel_tests_trap();
    }

    type Done = Result<(), AllocationError>;

    /// The fault of a thread that does `body`, and the thread.
    fn fault_of(
        t: &mut Resources,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(Fault, Thread), AllocationError> {
        let service = t.service()?;
        let faults = t.objects.mint(service.endpoint, CapRights::ALL, 0x31)?;
        // SAFETY: nobody answers its faults.
        let faults = unsafe { FaultEndpoint::new(faults) };
        let thread = t.spawn_watched(faults, body)?;
        let (info, badge) = service.recv();
        assert_eq!(badge, 0x31);
        Ok((Fault::of(info), thread))
    }

    #[test]
    fn invoking_nothing_is_an_error_and_no_fault(t: &mut Resources) -> Done {
        // SAFETY: nothing is there, and the kernel says so.
        let nothing: Cap<Tcb> = unsafe { t.objects.slot()?.into_slot().cap() };
        let refused = nothing.tcb_suspend();
        assert_eq!(refused, Err(Error::InvalidCapability { argument: 0 }));
        Ok(())
    }

    #[test]
    fn receiving_from_nothing(t: &mut Resources) -> Done {
        let empty = t.objects.slot()?.into_slot();
        let (fault, _) = fault_of(t, move || {
            // SAFETY: nothing is there, and the kernel says so.
            let nothing: Cap<Notification> = unsafe { empty.cap() };
            nothing.wait();
        })?;
        let Fault::Cap {
            address,
            in_receive_phase: true,
            ..
        } = fault
        else {
            panic!("{fault:?}");
        };
        assert_eq!(address, empty.index());
        Ok(())
    }

    #[test]
    fn an_address_far_outside_the_cspace(t: &mut Resources) -> Done {
        let (fault, _) = fault_of(t, || {
            // SAFETY: nothing is there, and the kernel says so.
            let nothing: Cap<Endpoint> = unsafe { Cap::from_word(usize::MAX) };
            nothing.send(Default::default());
        })?;
        assert!(
            matches!(
                fault,
                Fault::Cap {
                    address: usize::MAX,
                    in_receive_phase: false,
                    ..
                }
            ),
            "{fault:?}"
        );
        Ok(())
    }

    #[test]
    fn a_system_call_that_there_is_not(t: &mut Resources) -> Done {
        let (fault, _) = fault_of(t, || kernel_tests_system_call(1234))?;
        let Fault::UnknownSyscall {
            syscall: 1234,
            ip,
            sp,
        } = fault
        else {
            panic!("{fault:?}");
        };
        assert!(ip != 0 && sp != 0, "{fault:?}");
        Ok(())
    }

    #[test]
    fn an_instruction_that_there_is_not(t: &mut Resources) -> Done {
        let (fault, thread) = fault_of(t, || kernel_tests_trap())?;
        let Fault::UserException { ip, sp, .. } = fault else {
            panic!("{fault:?}");
        };
        let registers = thread.tcb.tcb_read_registers(false)?;
        #[cfg(CONFIG_ARCH_X86_64)]
        assert_eq!((registers.rip, registers.rsp), (ip, sp));
        #[cfg(CONFIG_ARCH_IA32)]
        assert_eq!((registers.eip, registers.esp), (ip, sp));
        #[cfg(not(CONFIG_ARCH_X86))]
        assert_eq!((registers.pc, registers.sp), (ip, sp));
        Ok(())
    }

    #[test]
    fn code_where_nothing_is(t: &mut Resources) -> Done {
        let nowhere = t.free_addresses().start;
        let (fault, _) = fault_of(t, move || {
            // SAFETY: nothing is mapped there: the thread ends.
            let function = unsafe { core::mem::transmute::<usize, extern "C" fn()>(nowhere) };
            function();
        })?;
        let Fault::Vm {
            ip,
            address,
            instruction,
            ..
        } = fault
        else {
            panic!("{fault:?}");
        };
        assert_eq!((ip, address), (nowhere, nowhere));
        // On x86 the processor tells only where pages can forbid it.
        assert_eq!(instruction, !cfg!(CONFIG_ARCH_X86));
        Ok(())
    }

    #[test]
    fn data_where_nothing_is(t: &mut Resources) -> Done {
        let nowhere = t.free_addresses().start + 0x128;
        let (fault, _) = fault_of(t, move || {
            // SAFETY: nothing is mapped there: the thread ends.
            unsafe { core::ptr::without_provenance_mut::<u8>(nowhere).write_volatile(1) };
        })?;
        assert!(
            matches!(fault, Fault::Vm { address, instruction: false, .. } if address == nowhere),
            "{fault:?}"
        );
        Ok(())
    }
}
