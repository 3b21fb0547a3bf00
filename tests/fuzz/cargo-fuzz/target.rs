// SPDX-License-Identifier: BSD-2-Clause

//! Fuzzes the target that the program is named after.

#![no_main]

use std::panic;
use std::sync::Once;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    static ONCE: Once = Once::new();
    // libFuzzer's hook aborts at every panic, also at those of bindgen, which the reader catches.
    ONCE.call_once(|| drop(panic::take_hook()));
    let target = readers::find(env!("CARGO_BIN_NAME")).expect("a target of this name");
    (target.read)(data);
});
