// SPDX-License-Identifier: BSD-2-Clause

//! Memory of the root server. This file needs no std, so that tests on the kernel include it.

use libsel4::BootInfo;

/// Returns the size of the memory in the root server's untypeds, in KiB.
pub fn free(info: &BootInfo) -> u64 {
    let untypeds = info.untypeds().filter(|untyped| !untyped.is_device);
    untypeds.map(|untyped| 1 << untyped.size_bits).sum::<u64>() / 1024
}
