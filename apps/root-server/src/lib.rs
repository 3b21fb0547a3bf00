// SPDX-License-Identifier: BSD-2-Clause
//! A root server without C of its own.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use libsel4::{
    AllocationError, Allocator, BootInfo, Cap, CapRights, Notification, libsel4_sys::seL4_BootInfo,
};

/// Runs the root server. Returns 0, or 1 after an error.
#[unsafe(no_mangle)]
pub extern "C" fn sel4_main(info: &seL4_BootInfo) -> i32 {
    // SAFETY: the runtime passes the BootInfo of this root server.
    let info = unsafe { BootInfo::from_ptr(info) };
    match run(&info) {
        Ok(()) => 0,
        Err(error) => {
            log::error!("{error}");
            1
        }
    }
}

fn run(info: &BootInfo) -> Result<(), AllocationError> {
    let largest = info
        .untypeds()
        .filter(|untyped| !untyped.is_device)
        .map(|untyped| untyped.size_bits)
        .max();
    log::info!("the largest untyped has 2^{} bytes", largest.unwrap_or(0));

    // SAFETY: nothing else uses the empty slots.
    let mut objects = unsafe { Allocator::new(info) };
    let notification: Cap<Notification> = objects.make()?;
    let bells: Vec<Cap<Notification>> = (0..3)
        .map(|bit| objects.mint(notification, CapRights::WRITE, 1 << bit))
        .collect::<Result<_, _>>()?;
    for bell in &bells {
        bell.signal();
    }
    log::info!("{} signals: {:#b}", bells.len(), notification.wait());
    Ok(())
}
