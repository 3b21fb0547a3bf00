// SPDX-License-Identifier: BSD-2-Clause

//! The Rust half of the root server.

#![no_std]

use libsel4::{BootInfo, libsel4_sys::seL4_BootInfo};

/// Returns the number of the next round: twice that of the last one.
#[unsafe(no_mangle)]
pub extern "C" fn server_next(round: u32) -> u32 {
    round * 2
}

/// Returns the size of the memory that the kernel leaves to the root server, in KiB.
///
/// # Safety
///
/// `info` is the root server's BootInfo.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn server_memory(info: *const seL4_BootInfo) -> u64 {
    // SAFETY: `info` is the root server's BootInfo, by the contract of this function.
    memory(&unsafe { BootInfo::from_ptr(info) })
}

/// Returns the size of the memory in the root server's untypeds, in KiB.
pub fn memory(info: &BootInfo) -> u64 {
    let untypeds = info.untypeds().filter(|untyped| !untyped.is_device);
    untypeds.map(|untyped| 1 << untyped.size_bits).sum::<u64>() / 1024
}

/// Host tests: `cargo test`, with system calls on the hosted platform.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_twice_the_last() {
        assert_eq!(server_next(2), 4);
    }

    #[sel4_hosted::test]
    fn there_is_memory(info: &seL4_BootInfo) {
        // SAFETY: the test receives its kernel's BootInfo.
        assert!(unsafe { server_memory(info) } > 1024);
    }
}
