// SPDX-License-Identifier: BSD-2-Clause

//! Limits of memory and threads, found by allocating all and freeing it.

use std::sync::mpsc;
use std::thread;

/// Returns the number of threads that can exist at a time; tries at most `most` and one.
pub fn threads(most: usize) -> usize {
    let mut living = Vec::new();
    while living.len() <= most {
        let (go, wait) = mpsc::channel::<()>();
        match thread::Builder::new()
            .stack_size(16384)
            .spawn(move || wait.recv())
        {
            Ok(thread) => living.push((go, thread)),
            Err(_) => break,
        }
    }
    let count = living.len();
    for (go, thread) in living {
        drop(go);
        assert!(
            thread.join().is_ok_and(|received| received.is_err()),
            "a thread that waits"
        );
    }
    count
}

/// Pages of the largest block. muslc takes blocks of 224 KiB and more from the pages that `mmap` gives out, where
/// thread stacks come from too.
pub fn large() -> usize {
    const PAGE: usize = 4096;
    let (mut fits, mut too_many) = (0, 1 << 20);
    while too_many - fits > 1 {
        let middle = (fits + too_many) / 2;
        if Vec::<u8>::new().try_reserve_exact(middle * PAGE).is_ok() {
            fits = middle
        } else {
            too_many = middle
        }
    }
    fits
}
