// SPDX-License-Identifier: BSD-2-Clause

//! Sleeps of std's.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Returns whether each of `count` sleeps lasts as long as it was asked to.
#[unsafe(no_mangle)]
pub extern "C" fn hooks_sleeps(count: u32) -> bool {
    let time = Duration::from_micros(1);
    (0..count).all(|_| {
        let start = Instant::now();
        sleep(time);
        start.elapsed() >= time
    })
}
