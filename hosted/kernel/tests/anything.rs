// SPDX-License-Identifier: GPL-2.0-only

//! Arbitrary system calls: no invariant of the model breaks.

// The registers and numbers here are x86_64's.
#![cfg(target_arch = "x86_64")]

mod common;

use common::anything::{Choices, play};

struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
}

impl Choices for Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}

#[test]
fn arbitrary_system_calls_break_no_invariant() {
    // `ANYTHING` in the environment is the number of systems.
    let count = std::env::var("ANYTHING")
        .ok()
        .and_then(|count| count.parse().ok());
    let entries: u64 = (1..=count.unwrap_or(60))
        .flat_map(|seed| [false, true].map(|mcs| play(Random::new(seed), seed, mcs, 400)))
        .sum();
    println!("{entries} kernel entries");
    assert!(entries > 5000, "only {entries} entries");
}
