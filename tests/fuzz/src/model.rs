// SPDX-License-Identifier: BSD-2-Clause

//! The hosted platform's model of the kernel: its threads do what the input says.

#[path = "../../../hosted/kernel/tests/common/mod.rs"]
mod common;

use common::anything::{Choices, play};

/// Most steps of one input.
const STEPS: usize = 60;

/// Choices by bytes, one for a small number; behind their end by what follows from them.
struct Bytes<'a> {
    left: std::slice::Iter<'a, u8>,
    behind: u64,
}

impl Choices for Bytes<'_> {
    fn next(&mut self) -> u64 {
        if self.left.len() < 8 {
            self.behind ^= self.behind << 13;
            self.behind ^= self.behind >> 7;
            self.behind ^= self.behind << 17;
            return self.behind >> 11;
        }
        let bytes = self.left.by_ref().take(8);
        bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    fn below(&mut self, end: u64) -> usize {
        match self.left.next() {
            Some(byte) if end <= 256 => usize::from(*byte) % end as usize,
            _ => (self.next() % end) as usize,
        }
    }
}

/// The first byte says which kernel it is.
pub fn obey(data: &[u8]) {
    let behind = data.iter().fold(0x9e37_79b9_7f4a_7c15, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let mcs = data.first().is_some_and(|byte| byte % 2 == 1);
    let left = data.get(1..).unwrap_or_default().iter();
    let bytes = Bytes {
        left,
        behind: behind | 1,
    };
    play(bytes, behind, mcs, STEPS);
}
