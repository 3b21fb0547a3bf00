// SPDX-License-Identifier: BSD-2-Clause

//! Interrupts and ports: what can be tried without a device that does something.

#[libsel4_test::tests]
pub mod tests {
    use libsel4::{AllocationError, Cap, CapRights, EmptySlot, Error, IrqHandler, Notification};
    #[cfg(CONFIG_ARCH_X86)]
    use libsel4::{IoApicPin, Msi};
    use libsel4_test::Resources;

    type Done = Result<(), AllocationError>;

    /// An interrupt that no device of the tests' platforms has, and the kernel neither.
    #[cfg(CONFIG_ARCH_ARM)]
    const UNUSED: usize = 150;
    #[cfg(CONFIG_ARCH_RISCV)]
    const UNUSED: usize = 30;
    /// A pin of the first I/O APIC, and a vector.
    #[cfg(CONFIG_ARCH_X86)]
    const UNUSED: usize = 20;

    #[cfg(not(CONFIG_ARCH_X86))]
    fn get(t: &mut Resources, irq: usize) -> Result<Cap<IrqHandler>, AllocationError> {
        let slot = t.objects.slot()?;
        Ok(t.info.irq_control().irq_control_get(irq, slot)?)
    }

    #[cfg(CONFIG_ARCH_X86)]
    fn get(t: &mut Resources, irq: usize) -> Result<Cap<IrqHandler>, AllocationError> {
        let slot = t.objects.slot()?;
        let pin = IoApicPin {
            io_apic: 0,
            pin: irq,
            level_triggered: true,
            active_low: true,
        };
        let control = t.info.irq_control();
        Ok(control.irq_control_get_io_apic(&pin, irq, slot)?)
    }

    #[test]
    fn an_interrupt_has_one_handler_and_a_notification(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let handler = get(t, UNUSED)?;
        let again = get(t, UNUSED);
        assert_eq!(again, Err(AllocationError::Refused(Error::RevokeFirst)));
        let bell: Cap<Notification> = t.objects.make()?;
        let rung = t.objects.mint(bell, CapRights::ALL, 4)?;
        handler.irq_handler_set_notification(rung)?;
        handler.irq_handler_ack()?;
        assert_eq!(bell.poll(), None);
        // Who may not signal may not have it signalled.
        let reader = t.objects.copy(bell, CapRights::READ)?;
        let refused = handler.irq_handler_set_notification(reader);
        assert_eq!(refused, Err(Error::InvalidCapability { argument: 0 }));
        handler.irq_handler_clear()?;
        handler.irq_handler_clear()?;
        // When it is gone, the interrupt is free again.
        // SAFETY: it is not used again.
        unsafe { root.slot_of(handler).cnode_delete()? };
        get(t, UNUSED)?;
        Ok(())
    }

    #[test]
    fn interrupts_that_there_are_not_are_refused(t: &mut Resources) -> Done {
        let control = t.info.irq_control();
        let root = t.info.cnode();
        // SAFETY: the slot is taken, and nothing deletes what is in it.
        let taken = unsafe { EmptySlot::from_slot(root.slot_of(t.tcb)) };
        #[cfg(not(CONFIG_ARCH_X86))]
        {
            for irq in [0x1_0000, usize::MAX] {
                let refused = control.irq_control_get(irq, t.objects.slot()?);
                let refused = refused.map_err(Error::from);
                assert!(
                    matches!(refused, Err(Error::RangeError { .. })),
                    "{irq}: {refused:?}"
                );
            }
            let refused = control.irq_control_get(UNUSED, taken);
            assert_eq!(refused.map_err(Error::from), Err(Error::DeleteFirst));
        }
        #[cfg(CONFIG_ARCH_X86)]
        {
            let refused = control.irq_control_get(5, t.objects.slot()?);
            assert!(refused.is_err(), "there are I/O APICs");
            let mut pin = |io_apic, vector| {
                let pin = IoApicPin {
                    io_apic,
                    ..IoApicPin::default()
                };
                let slot = t.objects.slot()?;
                Ok::<_, AllocationError>(control.irq_control_get_io_apic(&pin, vector, slot)?)
            };
            for refused in [pin(0, 1000), pin(99, UNUSED)] {
                assert!(
                    matches!(
                        refused,
                        Err(AllocationError::Refused(Error::RangeError { min: 0, .. }))
                    ),
                    "{refused:?}"
                );
            }
            let msi = |bus, device, vector, slot| {
                let msi = Msi {
                    bus,
                    device,
                    function: 1,
                    handle: 0,
                };
                let got = control.irq_control_get_msi(&msi, vector, slot);
                got.map_err(Error::from)
            };
            let refused = msi(1000, 0, UNUSED, t.objects.slot()?);
            assert_eq!(refused, Err(Error::RangeError { min: 0, max: 255 }));
            let refused = msi(0, 32, UNUSED, t.objects.slot()?);
            assert_eq!(refused, Err(Error::RangeError { min: 0, max: 31 }));
            msi(0, 5, UNUSED, t.objects.slot()?)?;
            let refused = msi(0, 5, UNUSED + 1, taken);
            assert_eq!(refused, Err(Error::DeleteFirst));
        }
        Ok(())
    }

    #[cfg(any(CONFIG_ARCH_ARM, CONFIG_ARCH_RISCV))]
    #[test]
    fn how_an_interrupt_is_triggered_is_chosen_where_the_controller_can(t: &mut Resources) -> Done {
        let slot = t.objects.slot()?;
        let got = t
            .info
            .irq_control()
            .irq_control_get_trigger(UNUSED, true, slot)
            .map(drop)
            .map_err(Error::from);
        #[cfg(CONFIG_ARCH_ARM)]
        assert_eq!(got, Ok(()));
        #[cfg(CONFIG_ARCH_RISCV)]
        assert!(
            matches!(got, Ok(()) | Err(Error::IllegalOperation)),
            "{got:?}"
        );
        Ok(())
    }

    #[cfg(all(CONFIG_ARCH_ARM, CONFIG_ENABLE_SMP_SUPPORT))]
    #[test]
    fn an_interrupt_goes_to_a_core(t: &mut Resources) -> Done {
        let control = t.info.irq_control();
        let cores = t.info.num_nodes();
        let slot = t.objects.slot()?;
        let refused = control.irq_control_get_trigger_core(UNUSED, false, slot, cores);
        let refused = refused.map_err(Error::from);
        assert!(
            matches!(refused, Err(Error::InvalidArgument { .. })),
            "{refused:?}"
        );
        let slot = t.objects.slot()?;
        control.irq_control_get_trigger_core(UNUSED, false, slot, cores - 1)?;
        Ok(())
    }

    #[cfg(all(CONFIG_ARCH_ARM, not(CONFIG_ENABLE_SMP_SUPPORT)))]
    #[test]
    fn a_software_generated_interrupt_comes(t: &mut Resources) -> Done {
        let control = t.info.irq_control();
        let handler = get(t, 5)?;
        let bell: Cap<Notification> = t.objects.make()?;
        let rung = t.objects.mint(bell, CapRights::ALL, 0x10)?;
        handler.irq_handler_set_notification(rung)?;
        let mut issue = |irq, target| {
            let slot = t.objects.slot()?;
            Ok::<_, AllocationError>(control.irq_control_issue_sgi_signal(irq, target, slot)?)
        };
        assert_eq!(
            issue(16, 0),
            Err(AllocationError::Refused(Error::RangeError {
                min: 0,
                max: 15
            }))
        );
        let refused = issue(5, 100);
        assert!(
            matches!(
                refused,
                Err(AllocationError::Refused(Error::InvalidArgument { .. }))
            ),
            "{refused:?}"
        );
        let signal = issue(5, 0)?;
        t.waits_while_idle();
        for _ in 0..3 {
            signal.signal();
            assert_eq!(bell.wait(), 0x10);
            handler.irq_handler_ack()?;
        }
        // Once it is cleared, nobody is told.
        handler.irq_handler_clear()?;
        signal.signal();
        assert_eq!(bell.poll(), None);
        Ok(())
    }

    #[cfg(CONFIG_ARCH_X86)]
    #[test]
    fn ports_are_read_and_written(t: &mut Resources) -> Done {
        let control = t.info.io_port_control();
        let mut issue = |first, last| {
            let slot = t.objects.slot()?;
            Ok::<_, AllocationError>(control.io_port_control_issue(first, last, slot)?)
        };
        // The second serial port, of which the last register only keeps what is written to it; the clock
        // of the machine; and the address register of the PCI bus.
        let (serial, clock, pci) = (
            issue(0x2f8, 0x2ff)?,
            issue(0x70, 0x71)?,
            issue(0xcf8, 0xcff)?,
        );
        assert_eq!(
            issue(0x2ff, 0x2ff),
            Err(AllocationError::Refused(Error::RevokeFirst))
        );
        assert!(issue(9, 8).is_err(), "the last port is before the first");
        // SAFETY: none of these devices touches memory by what is done here.
        unsafe {
            if serial.io_port_in8(0x2fe)? != 0xff {
                for value in [0x5a, 0xa5] {
                    serial.io_port_out8(0x2ff, value)?;
                    assert_eq!(serial.io_port_in8(0x2ff)?, value);
                }
            }
            assert_eq!(serial.io_port_in8(0x2f7), Err(Error::IllegalOperation));
            assert_eq!(serial.io_port_in16(0x2ff), Err(Error::IllegalOperation));
            assert_eq!(serial.io_port_out8(0x300, 0), Err(Error::IllegalOperation));
            // Month, in decimal digits.
            clock.io_port_out8(0x70, 8)?;
            let month = clock.io_port_in8(0x71)?;
            assert!((1..=0x12).contains(&month), "{month:#x}");
            // Vendor and device of the host bridge.
            pci.io_port_out32(0xcf8, 0x8000_0000)?;
            assert_eq!(pci.io_port_in32(0xcf8)?, 0x8000_0000);
            assert_eq!(pci.io_port_in16(0xcfc)?, 0x8086);
            let both = pci.io_port_in32(0xcfc)?;
            assert_eq!(both & 0xffff, 0x8086);
            assert_eq!(u32::from(pci.io_port_in16(0xcfe)?), both >> 16);
        }
        Ok(())
    }

    /// Calls with another function than the one that a badge names do not reach the monitor.
    #[cfg(CONFIG_ALLOW_SMC_CALLS)]
    #[test]
    fn a_badge_limits_calls_of_the_secure_monitor(t: &mut Resources) -> Done {
        let only = t.objects.mint(t.info.smc(), CapRights::ALL, 0x8400_0000)?;
        let other = libsel4::libsel4_sys::seL4_ARM_SMCContext {
            x0: 0x8400_0001,
            ..Default::default()
        };
        // SAFETY: it is refused.
        let refused = unsafe { only.smc_call(&other) };
        assert_eq!(refused.map(|_| ()), Err(Error::IllegalOperation));
        Ok(())
    }
}
