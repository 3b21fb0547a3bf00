// SPDX-License-Identifier: BSD-2-Clause

//! Tests that run on the kernel.

#![no_std]

extern crate alloc;

mod api;
mod runtime;
mod types;
mod verdicts;

use libsel4::{BootInfo, libsel4_sys::seL4_BootInfo};

/// Runs them; returns how many failed.
///
/// # Safety
///
/// `info` is the root server's BootInfo, of which nobody uses anything but the thread that calls this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kernel_tests(info: *const seL4_BootInfo) -> usize {
    // SAFETY: `info` is the kernel's BootInfo, and only this thread uses it, by the contract of this function.
    unsafe {
        let info = BootInfo::from_ptr(info);
        let modules = [
            api::ipc::tests::TESTS,
            api::caps::tests::TESTS,
            api::memory::tests::TESTS,
            api::threads::tests::TESTS,
            api::faults::tests::TESTS,
            api::devices::tests::TESTS,
            api::attacks::tests::TESTS,
            #[cfg(CONFIG_KERNEL_MCS)]
            api::time::tests::TESTS,
            types::tests::TESTS,
            verdicts::tests::TESTS,
            runtime::faults::TESTS,
            #[cfg(feature = "sections")]
            runtime::sections::TESTS,
            runtime::tests::TESTS,
        ];
        libsel4_test::run(&info, &modules)
    }
}
