// SPDX-License-Identifier: BSD-2-Clause

//! Virtual CPUs of ARM, with 64 bits.

use libsel4::VcpuReg;
use libsel4::libsel4_sys as sys;

/// A register that nothing here depends on.
const SCRATCH: VcpuReg = sys::seL4_VCPUReg_TPIDR_EL1;
/// Interrupts off, in the mode of a guest's kernel, with a stack of its own.
const PSTATE: usize = 0x3c5;
/// Exception class of `smc`.
const SMC: usize = 0x17;

/// A guest: it asks the secure monitor, and so its hypervisor, which is the handler of its faults.
#[unsafe(naked)]
extern "C" fn guest(_: usize) -> ! {
    core::arch::naked_asm!("smc #7", "b .")
}

#[libsel4_test::tests]
pub mod tests {
    use libsel4::{AllocationError, Cap, Error, Fault, FaultEndpoint, Tcb, Vcpu};
    use libsel4_test::Resources;

    use super::{PSTATE, SCRATCH, SMC, guest};

    #[test]
    fn registers_keep_what_is_written(t: &mut Resources) -> Result<(), AllocationError> {
        let vcpu: Cap<Vcpu> = t.objects.make()?;
        assert_eq!(vcpu.vcpu_read_regs(SCRATCH)?, 0);
        vcpu.vcpu_write_regs(SCRATCH, 0x1234_5678)?;
        assert_eq!(vcpu.vcpu_read_regs(SCRATCH)?, 0x1234_5678);
        assert!(vcpu.vcpu_read_regs(1000).is_err());
        Ok(())
    }

    #[test]
    fn interrupts_are_injected_within_their_ranges(
        t: &mut Resources,
    ) -> Result<(), AllocationError> {
        let vcpu: Cap<Vcpu> = t.objects.make()?;
        let tcb: Cap<Tcb> = t.objects.make()?;
        // SAFETY: it never runs.
        unsafe { vcpu.vcpu_set_tcb(tcb)? };
        vcpu.vcpu_inject_irq(40, 0, 1, 0)?;
        vcpu.vcpu_inject_irq(41, 31, 0, 1)?;
        for (priority, group, index) in [(32, 0, 2), (0, 2, 2), (0, 0, 255)] {
            let refused = vcpu.vcpu_inject_irq(42, priority, group, index);
            assert!(
                matches!(refused, Err(Error::RangeError { .. })),
                "{refused:?}"
            );
        }
        // The virtual timer's, and one that is nobody's.
        vcpu.vcpu_ack_vppi(27)?;
        assert!(vcpu.vcpu_ack_vppi(5).is_err());
        Ok(())
    }

    #[test]
    fn what_a_guest_asks_comes_to_its_hypervisor(t: &mut Resources) -> Result<(), AllocationError> {
        let service = t.service()?;
        // SAFETY: nobody answers its faults.
        let faults = unsafe { FaultEndpoint::new(service.endpoint) };
        let thread = t.spawn_watched(faults, || ())?;
        thread.tcb.tcb_suspend()?;
        let vcpu: Cap<Vcpu> = t.objects.make()?;
        let mut context = libsel4::entry_context(guest, 0, 0);
        context.spsr = PSTATE;
        // SAFETY: the guest uses no memory but its code.
        unsafe {
            vcpu.vcpu_set_tcb(thread.tcb)?;
            thread.tcb.tcb_write_registers(true, &context)?;
        }
        let (info, _) = service.recv();
        let fault = Fault::of(info);
        let Fault::Vcpu { hsr } = fault else {
            panic!("another fault: {fault}");
        };
        assert_eq!((hsr >> 26, hsr & 0xffff), (SMC, 7), "{fault}");
        Ok(())
    }
}
