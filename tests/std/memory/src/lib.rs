// SPDX-License-Identifier: BSD-2-Clause

//! Blocks and stacks, as many as there are, and then one more.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::thread::Builder;

const MIB: usize = 1 << 20;

/// Shows each limit on a line of its own.
#[unsafe(no_mangle)]
pub extern "C" fn store_shows() {
    let mut large = vec![7u8; 10 * MIB];
    large.reserve_exact(2 * MIB);
    large.resize(12 * MIB, 8);
    let right = large[10 * MIB - 1] == 7 && large[12 * MIB - 1] == 8;
    println!("A block larger than the arena keeps its bytes: {right}");
    drop(large);
    let refused = Vec::<u8>::new().try_reserve_exact(1 << 40);
    println!("A block larger than all: {}", refused.is_err());
    let counts = [blocks(), blocks(), blocks()];
    println!("Blocks of 1 MiB until there are none: {counts:?}");
    let counts = [stacks(), stacks(), stacks()];
    println!("Threads with stacks of 512 KiB until there is no room: {counts:?}");
    let huge = Builder::new().stack_size(usize::MAX / 2).spawn(|| ());
    println!(
        "A stack larger than all: {:?}",
        huge.map(|_| ()).map_err(|error| error.kind())
    );
    let (first, second) = (small(), small());
    println!(
        "Small blocks until there are none: {}, {}",
        first > 1000,
        second >= first
    );
}

/// Returns the number of blocks that can be allocated; all must be zero, and are written to.
fn blocks() -> usize {
    let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(64);
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(MIB).is_err() {
            return blocks.len();
        }
        block.resize(MIB, blocks.len() as u8);
        blocks.push(black_box(block));
    }
}

fn stacks() -> usize {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let mut threads = Vec::new();
    loop {
        let gate = gate.clone();
        let thread = Builder::new().stack_size(512 << 10);
        match thread.spawn(move || drop(gate.lock())) {
            Ok(thread) => threads.push(thread),
            Err(_) => break,
        }
    }
    drop(closed);
    let joined = threads.into_iter().filter_map(|thread| thread.join().ok());
    joined.count()
}

/// Takes all memory in blocks of less than a page, which come from elsewhere than large ones, and frees them.
fn small() -> usize {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let most = 64 * MIB / 4000;
    if blocks.try_reserve_exact(most).is_err() {
        return 0;
    }
    while blocks.len() < most {
        let mut block = Vec::new();
        if block.try_reserve_exact(4000).is_err() {
            break;
        }
        block.resize(4000, blocks.len() as u8);
        blocks.push(block);
    }
    let right = (blocks.iter().enumerate()).all(|(number, block)| block[3999] == number as u8);
    if right { blocks.len() } else { 0 }
}

/// Asks for what is not there by way of a call that cannot return an error.
#[unsafe(no_mangle)]
pub extern "C" fn store_runs_out() {
    black_box(Vec::<u8>::with_capacity(1 << 41));
}
