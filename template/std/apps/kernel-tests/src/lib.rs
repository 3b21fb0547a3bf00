// SPDX-License-Identifier: BSD-2-Clause

//! Tests of parts of the server's crate on the kernel, each in a thread of its own, where std is not available.

#![no_std]

#[path = "../../server/src/memory.rs"]
mod memory;

use libsel4::{BootInfo, libsel4_sys::seL4_BootInfo};

#[libsel4_test::tests]
mod tests {
    use libsel4::{AllocationError, MessageInfo};
    use libsel4_test::Resources;

    #[test]
    fn there_is_memory(t: &mut Resources) {
        assert!(crate::memory::free(&t.info) > 1024);
    }

    #[test]
    fn a_call_is_answered(t: &mut Resources) -> Result<(), AllocationError> {
        let service = t.service()?;
        t.spawn(move || {
            service.recv();
            service.reply(MessageInfo::new(7, 0, 0, 0));
        })?;
        assert_eq!(service.endpoint.call(MessageInfo::default()).label(), 7);
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
