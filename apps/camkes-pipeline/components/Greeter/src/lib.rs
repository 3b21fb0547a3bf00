// SPDX-License-Identifier: BSD-2-Clause
//! The component Greeter: uses a procedure, by values, texts, arrays and results by reference.
#![no_std]

use core::ffi::c_int;

use camkes::{Array, Text, attributes, desk};

/// Runs as the component's control thread.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> c_int {
    for _ in 0..attributes::copies() {
        let receipt = desk::submit(attributes::greeting());
        log::info!("the receipt says {:?}", receipt.as_c_str());
    }
    let (mut half, mut rest) = (0, 0);
    desk::halve(desk::total(&[1, 2, 4]), &mut half, &mut rest);
    log::info!("half of the total is {half}, and {rest} is left");
    let (mut pages, mut word) = (Array::default(), Text::default());
    desk::pages(&mut pages, &mut word);
    let mut praise = Text::copy_of(c"good");
    desk::reword(&mut praise);
    let even = desk::even(3);
    log::info!("{word:?} pages, {pages:?}, are {praise:?}; 3 is even: {even}");
    0
}
