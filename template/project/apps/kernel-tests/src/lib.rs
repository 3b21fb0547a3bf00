// SPDX-License-Identifier: BSD-2-Clause

//! Tests of the server's crate on the kernel.

#![no_std]

use libsel4::{BootInfo, libsel4_sys::seL4_BootInfo};

#[libsel4_test::tests]
mod tests {
    use libsel4::{AllocationError, MessageInfo};
    use libsel4_test::Resources;

    #[test]
    fn there_is_memory(t: &mut Resources) {
        assert!(server::memory(&t.info) > 1024);
    }

    #[test]
    fn a_call_is_answered(t: &mut Resources) -> Result<(), AllocationError> {
        let service = t.service()?;
        t.spawn(move || {
            service.recv();
            service.reply(MessageInfo::new(server::server_next(2) as usize, 0, 0, 0));
        })?;
        assert_eq!(service.endpoint.call(MessageInfo::default()).label(), 4);
        Ok(())
    }
}

/// Runs the tests; returns how many failed.
///
/// # Safety
///
/// `info` is the root server's BootInfo, and no other code uses the memory and slots that it lists as free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kernel_tests(info: *const seL4_BootInfo) -> usize {
    // SAFETY: `info` is BootInfo, and its free memory and slots are unused, by the contract of this function.
    unsafe { libsel4_test::run(&BootInfo::from_ptr(info), &[tests::TESTS]) }
}
