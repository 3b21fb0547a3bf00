// SPDX-License-Identifier: BSD-2-Clause

//! Threads, locks, allocation and panics, all at once and again and again; then everything must be back.

mod limits;
mod round;

use std::panic;
use std::thread;
use std::time::{Duration, Instant};

unsafe extern "C" {
    safe fn blocks_taken() -> usize;
    safe fn bytes_taken() -> usize;
}

/// Available and used resources.
struct Stock {
    threads: usize,
    /// Pages of the largest block.
    pages: usize,
    /// Number of blocks of the heap, and their bytes.
    blocks: usize,
    bytes: usize,
}

impl Stock {
    /// Threads that nobody joins may still be about to end: with the last of them gone, `threads` can live.
    fn count(threads: usize) -> Self {
        let patience = Instant::now() + Duration::from_secs(60);
        let mut found = limits::threads(threads);
        while found != threads && Instant::now() < patience {
            thread::sleep(Duration::from_millis(1));
            found = limits::threads(threads);
        }
        Self {
            threads: found,
            pages: limits::large(),
            blocks: blocks_taken(),
            bytes: bytes_taken(),
        }
    }
}

/// Runs rounds for so many `seconds`, then compares what there is with what there was. `threads` can live at a time beside
/// the first. Returns 0 if nothing is lost, and prints losses otherwise.
#[unsafe(no_mangle)]
pub extern "C" fn stress(seconds: u32, threads: usize) -> i32 {
    // Who is meant to panic does so with a number.
    panic::set_hook(Box::new(|panic| {
        if !panic.payload().is::<usize>() {
            println!("{panic}");
        }
    }));
    // What std takes for good, it takes here.
    println!("{seconds} s of rounds");
    round::run(0);
    let before = Stock::count(threads);
    let start = Instant::now();
    let (mut rounds, mut told) = (0, 0);
    while start.elapsed() < Duration::from_secs(seconds.into()) {
        rounds += 1;
        round::run(rounds);
        if start.elapsed().as_secs() / 10 > told {
            told = start.elapsed().as_secs() / 10;
            println!("{rounds} rounds in {} s", start.elapsed().as_secs());
        }
    }
    let after = Stock::count(threads);
    let (begun, panicked) = (round::begun(), round::panicked());
    println!("{rounds} rounds, {begun} threads, {panicked} of them panicked");
    let (made, dropped) = round::values();
    let differ = |was: usize, is: usize| format!("{is}, before {was}");
    let checks = [
        (
            "Values made and dropped",
            made == dropped,
            "equal",
            format!("{made} and {dropped}"),
        ),
        (
            "Blocks allocated and freed",
            before.blocks == after.blocks,
            "equal",
            differ(before.blocks, after.blocks),
        ),
        (
            "Bytes allocated and freed",
            before.bytes == after.bytes,
            "equal",
            differ(before.bytes, after.bytes),
        ),
        (
            "Threads that can live at a time",
            after.threads == threads,
            "all",
            differ(threads, after.threads),
        ),
        (
            "Pages that lie together",
            after.pages == before.pages,
            "as many as before",
            differ(before.pages, after.pages),
        ),
    ];
    for (what, holds, good, otherwise) in &checks {
        println!("{what}: {}", if *holds { good } else { otherwise.as_str() });
    }
    checks.iter().filter(|(_, holds, ..)| !holds).count() as i32
}
