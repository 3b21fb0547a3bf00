// SPDX-License-Identifier: BSD-2-Clause
//! Two ways to panic: with a constant message, and with an index out of bounds.
#![no_std]

static PLACES: [i32; 3] = [10, 20, 30];

/// Returns the number at `place` of the shelf.
///
/// # Panics
///
/// Panics at place 99 with a constant message, and at other places above 2 with an index error.
#[unsafe(no_mangle)]
pub extern "C" fn shelf_at(place: usize) -> i32 {
    if place == 99 {
        panic!("nobody asks for place 99");
    }
    PLACES[place]
}
