// SPDX-License-Identifier: BSD-2-Clause

//! Breakpoints of the hardware, and single steps.

use libsel4::libsel4_sys as sys;

/// The first number that stops at data, and the first that stops at instructions.
const DATA: u16 = first(sys::seL4_FirstWatchpoint as isize);
const INSTRUCTION: u16 = first(sys::seL4_FirstBreakpoint as isize);

/// Returns the first breakpoint of a kind. A negative number means that breakpoints serve all kinds.
const fn first(alone: isize) -> u16 {
    if alone < 0 {
        sys::seL4_FirstDualFunctionMonitor as u16
    } else {
        alone as u16
    }
}

#[libsel4_test::tests]
pub mod tests {
    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use libsel4::{
        Access, AllocationError, Breakpoint, Cap, Error, Fault, FaultEndpoint, MessageInfo,
        Notification, libsel4_sys as sys,
    };
    use libsel4_test::Resources;

    use super::{DATA, INSTRUCTION};

    static WATCHED: AtomicU32 = AtomicU32::new(0);

    fn reason(fault: Fault) -> (usize, usize) {
        match fault {
            Fault::DebugException {
                reason, address, ..
            } => (reason, address),
            fault => panic!("another fault: {fault}"),
        }
    }

    #[test]
    fn what_is_set_can_be_read_and_unset(t: &mut Resources) -> Result<(), AllocationError> {
        let thread = t.spawn(|| ())?.tcb;
        let address = WATCHED.as_ptr().addr();
        let data = |access| Breakpoint::Data {
            address,
            size: 4,
            access,
        };
        for (number, breakpoint) in [
            (INSTRUCTION, Breakpoint::Instruction { address: 0x40_0000 }),
            (DATA, data(Access::Write)),
            (DATA, data(Access::ReadWrite)),
        ] {
            thread.tcb_set_breakpoint(number, breakpoint)?;
            assert_eq!(thread.tcb_get_breakpoint(number)?, Some(breakpoint));
            thread.tcb_unset_breakpoint(number)?;
            assert_eq!(thread.tcb_get_breakpoint(number)?, None);
        }
        let odd = Breakpoint::Data {
            address: address + 1,
            size: 4,
            access: Access::Write,
        };
        let refused = thread.tcb_set_breakpoint(DATA, odd);
        assert_eq!(refused, Err(Error::AlignmentError));
        // On ARM the kernel would halt.
        let number = sys::seL4_NumHWBreakpoints as u16;
        assert!(matches!(
            thread.tcb_get_breakpoint(number),
            Err(Error::RangeError { .. })
        ));
        Ok(())
    }

    #[test]
    fn a_write_to_a_watched_word_stops_the_thread(
        t: &mut Resources,
    ) -> Result<(), AllocationError> {
        let service = t.service()?;
        let go: Cap<Notification> = t.objects.make()?;
        let body = move || {
            go.wait();
            WATCHED.store(1, Relaxed);
            WATCHED.store(2, Relaxed);
        };
        // SAFETY: the answers to its faults are empty.
        let faults = unsafe { FaultEndpoint::new(service.endpoint) };
        let thread = t.spawn_watched(faults, body)?.tcb;
        let address = WATCHED.as_ptr().addr();
        let access = Access::Write;
        thread.tcb_set_breakpoint(
            DATA,
            Breakpoint::Data {
                address,
                size: 4,
                access,
            },
        )?;
        go.signal();
        let (info, _) = service.recv();
        let fault = Fault::of(info);
        assert_eq!(
            reason(fault),
            (sys::seL4_DataBreakpoint, address),
            "{fault}"
        );
        thread.tcb_unset_breakpoint(DATA)?;
        service.reply(MessageInfo::default());
        while WATCHED.load(Relaxed) != 2 {
            libsel4::yield_now();
        }
        Ok(())
    }

    #[test]
    fn a_thread_goes_step_by_step(t: &mut Resources) -> Result<(), AllocationError> {
        let service = t.service()?;
        let go: Cap<Notification> = t.objects.make()?;
        let body = move || {
            go.wait();
            loop {
                WATCHED.fetch_add(1, Relaxed);
            }
        };
        // SAFETY: the answers to its faults are empty.
        let faults = unsafe { FaultEndpoint::new(service.endpoint) };
        let thread = t.spawn_watched(faults, body)?.tcb;
        thread.tcb_configure_single_stepping(INSTRUCTION, 1)?;
        go.signal();
        for _ in 0..5 {
            let (info, _) = service.recv();
            let fault = Fault::of(info);
            assert_eq!(reason(fault).0, sys::seL4_SingleStep, "{fault}");
            service.reply(MessageInfo::default());
        }
        Ok(())
    }
}
