// SPDX-License-Identifier: BSD-2-Clause

//! Tests of what only some configurations of the kernel have.

#![no_std]

#[cfg(CONFIG_BENCHMARK_TRACK_UTILISATION)]
mod benchmark;
#[cfg(CONFIG_HARDWARE_DEBUG_API)]
mod breakpoint;
#[cfg(all(CONFIG_ARM_HYPERVISOR_SUPPORT, CONFIG_ARCH_AARCH64))]
mod guest;
#[cfg(CONFIG_KERNEL_MCS)]
mod timeout;

use libsel4::{BootInfo, libsel4_sys::seL4_BootInfo};

/// Runs them; returns how many failed.
///
/// # Safety
///
/// `info` is the root server's BootInfo, of which nobody uses anything but the thread that calls this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn options_test(info: *const seL4_BootInfo) -> usize {
    let tests = [
        #[cfg(CONFIG_BENCHMARK_TRACK_UTILISATION)]
        benchmark::tests::TESTS,
        #[cfg(CONFIG_HARDWARE_DEBUG_API)]
        breakpoint::tests::TESTS,
        #[cfg(all(CONFIG_ARM_HYPERVISOR_SUPPORT, CONFIG_ARCH_AARCH64))]
        guest::tests::TESTS,
        #[cfg(CONFIG_KERNEL_MCS)]
        timeout::tests::TESTS,
    ];
    // SAFETY: `info` is the kernel's BootInfo, and only this thread uses it, by the contract of this function.
    unsafe { libsel4_test::run(&BootInfo::from_ptr(info), &tests) }
}
