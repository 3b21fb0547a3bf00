// SPDX-License-Identifier: BSD-2-Clause

//! Replies to timeouts.

use libsel4::UserContext;

/// Sets the address at which the thread continues.
fn set_ip(context: &mut UserContext, ip: usize) {
    #[cfg(CONFIG_ARCH_X86_64)]
    let place = &mut context.rip;
    #[cfg(CONFIG_ARCH_IA32)]
    let place = &mut context.eip;
    #[cfg(not(CONFIG_ARCH_X86))]
    let place = &mut context.pc;
    *place = ip;
}

#[libsel4_test::tests]
pub mod tests {
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use libsel4::{AllocationError, Budget, Fault, FaultEndpoint, timeout_reply};
    use libsel4_test::Resources;

    use super::set_ip;

    static LEFT: AtomicBool = AtomicBool::new(false);

    extern "C" fn elsewhere() -> ! {
        LEFT.store(true, Relaxed);
        loop {
            libsel4::yield_now();
        }
    }

    #[test]
    fn a_reply_to_a_timeout_sets_registers(t: &mut Resources) -> Result<(), AllocationError> {
        const BADGE: usize = 0x77;
        let service = t.service()?;
        let control = t.info.sched_control(t.info.node_id());
        let thread = t.spawn(|| {
            loop {
                core::hint::spin_loop();
            }
        })?;
        let tcb = thread.tcb;
        // SAFETY: the answer sets registers that are sound, as is said there.
        let timeouts = unsafe { FaultEndpoint::new(service.endpoint) };
        tcb.tcb_set_timeout_endpoint(Some(timeouts))?;
        let Some(control) = control else {
            panic!("no authority over the time of this core");
        };
        let time = thread.sched_context;
        control.sched_control_configure_flags(time, &Budget::new(2_000, 100_000).badge(BADGE))?;
        let (info, _) = service.recv();
        let fault = Fault::of(info);
        let Fault::Timeout { data: BADGE, .. } = fault else {
            panic!("another fault: {fault}");
        };
        let mut context = thread.tcb.tcb_read_registers(false)?;
        set_ip(&mut context, elsewhere as *const () as usize);
        control.sched_control_configure_flags(time, &Budget::new(10_000, 10_000).badge(BADGE))?;
        tcb.tcb_set_timeout_endpoint(None)?;
        // SAFETY: the function may run there, on the thread's own stack, and does not return.
        service.reply(unsafe { timeout_reply(true, &context) });
        while !LEFT.load(Relaxed) {
            libsel4::yield_now();
        }
        Ok(())
    }
}
