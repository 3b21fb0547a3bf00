// SPDX-License-Identifier: BSD-2-Clause

//! A library that several programs of one image link.

#![no_std]
extern crate alloc;

use alloc::vec::Vec;

/// Returns the size in bytes of the largest block of whole thousands, up to a million, that the heap has room for.
#[unsafe(no_mangle)]
pub extern "C" fn siblings_room() -> usize {
    let fits = |bytes: &usize| Vec::<u8>::new().try_reserve_exact(*bytes).is_ok();
    (0..=1000)
        .map(|thousands| thousands * 1000)
        .take_while(fits)
        .last()
        .unwrap_or(0)
}
