// SPDX-License-Identifier: BSD-2-Clause

//! The reader that this program is called after.

#![no_main]

use std::panic;
use std::sync::Once;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    static ONCE: Once = Once::new();
    // libFuzzer's own hook ends at every panic, also at those of bindgen, which are caught.
    ONCE.call_once(|| drop(panic::take_hook()));
    let target = readers::find(env!("CARGO_BIN_NAME")).expect("a reader of this name");
    (target.read)(data);
});
