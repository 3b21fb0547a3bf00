// SPDX-License-Identifier: BSD-2-Clause
//! Ticket numbers for the whole root server: a static that two Rust libraries share.
#![no_std]

use core::sync::atomic::{AtomicU32, Ordering};

static LAST: AtomicU32 = AtomicU32::new(0);

/// The next ticket number; the first is 1.
pub fn next() -> u32 {
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_follow_each_other() {
        let first = super::next();
        assert_eq!(super::next(), first + 1);
    }
}
