// SPDX-License-Identifier: BSD-2-Clause

//! Threads of std, as many at a time as asked for.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::Builder;

/// Starts `count` threads that all live at a time. Returns how many said so; why others did not is on the console.
#[unsafe(no_mangle)]
pub extern "C" fn crew(count: u32) -> u32 {
    let (to, from) = mpsc::channel();
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let mut threads = Vec::new();
    for number in 1..=count {
        let (to, gate) = (to.clone(), gate.clone());
        let work = move || {
            to.send(()).ok();
            drop(gate.lock());
        };
        match Builder::new().stack_size(32 << 10).spawn(work) {
            Ok(thread) => threads.push(thread),
            Err(error) => println!("Thread {number}: {:?}", error.kind()),
        }
    }
    let said = from.iter().take(threads.len()).count();
    drop(closed);
    let joined = threads.into_iter().filter_map(|thread| thread.join().ok());
    said.min(joined.count()) as u32
}

/// Returns whether a block of `bytes` bytes can be allocated, and keeps its content.
#[unsafe(no_mangle)]
pub extern "C" fn crew_fills(bytes: usize) -> bool {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).is_ok() && {
        block.resize(bytes, 7u8);
        block.iter().all(|&byte| byte == 7)
    }
}
