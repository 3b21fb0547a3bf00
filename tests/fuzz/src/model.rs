// SPDX-License-Identifier: BSD-2-Clause

//! Model of the kernel of the hosted platform: its threads make the system calls that the input encodes.

#[path = "../../../hosted/kernel/tests/common/mod.rs"]
mod common;

use common::anything::{Choices, play};

/// Maximum number of steps of one input.
const STEPS: usize = 60;

/// Choices by the bytes of the input, one per small number; after its end, numbers derived from it.
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

/// Runs the model. The first byte selects the kernel's configuration.
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
