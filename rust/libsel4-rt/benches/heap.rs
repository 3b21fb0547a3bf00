// SPDX-License-Identifier: BSD-2-Clause

//! Cost of the selected heap in instructions per operation, counted by valgrind on the host.
//!
//! ```sh
//! cargo bench -p libsel4-rt --bench heap \
//!     --no-default-features --features heap-rlsf --config 'profile.bench.package."*".opt-level=3'
//! ```
//!
//! The workload allocates 10,000 blocks of 16 to 4096 bytes, with equally many of each magnitude, in a
//! heap of 16 MiB. Then it frees a random block and allocates a new one, 50,000 times. Only these pairs
//! are counted.

use std::alloc::{GlobalAlloc, Layout};
use std::process::{Command, ExitCode};
use std::{env, io};

use libsel4_rt::HEAP;

const BLOCKS: usize = 10_000;
const PAIRS: usize = 50_000;

/// Environment variable that is set in the process under valgrind.
const INSIDE: &str = "SEL4_RUST_HEAP_BENCH_INSIDE";

/// Name of the heap that this benchmark was compiled with.
const NAME: &str = if cfg!(feature = "heap-linked-list") {
    "linked-list"
} else if cfg!(feature = "heap-rlsf") {
    "rlsf"
} else {
    "the host's malloc"
};

/// Allocates a block. valgrind finds the function by its name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn counted_alloc(layout: &Layout) -> *mut u8 {
    // SAFETY: the workload has no layout of size 0.
    unsafe { HEAP.alloc(*layout) }
}

/// Frees a block. valgrind finds the function by its name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn counted_dealloc(block: *mut u8, layout: &Layout) {
    // SAFETY: the workload frees each block once, with its layout.
    unsafe { HEAP.dealloc(block, *layout) }
}

/// Random sizes (xorshift64*, Vigna 2016): the same workload for every heap.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn layout(&mut self) -> Layout {
        let size = 16.0 * 256f64.powf(self.next());
        Layout::from_size_align(size as usize, 8).expect("sizes are small")
    }
}

fn workload() {
    let mut random = Random(1);
    let some = |block: *mut u8| {
        assert!(!block.is_null(), "the heap is too small");
        block
    };
    let mut blocks: Vec<_> = (0..BLOCKS)
        .map(|_| {
            let layout = random.layout();
            // SAFETY: the layout has a size.
            (some(unsafe { HEAP.alloc(layout) }), layout)
        })
        .collect();
    for _ in 0..PAIRS {
        let one = (random.next() * BLOCKS as f64) as usize;
        let (block, layout) = blocks[one];
        counted_dealloc(block, &layout);
        let layout = random.layout();
        blocks[one] = (some(counted_alloc(&layout)), layout);
    }
}

/// Returns the number of instructions of `function` and its callees in a run of this program.
fn count(function: &str) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--callgrind-out-file=/dev/null")
        .arg(format!("--toggle-collect={function}"))
        .arg(env::current_exe()?)
        .env(INSIDE, "1")
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .filter(|_| output.status.success())
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .ok_or_else(|| io::Error::other(format!("valgrind gave no count:\n{text}")))
}

fn main() -> ExitCode {
    if env::var_os(INSIDE).is_some() {
        workload();
        return ExitCode::SUCCESS;
    }
    if !env::args().any(|argument| argument == "--bench") {
        // `cargo test --benches` only checks that the benchmark compiles.
        return ExitCode::SUCCESS;
    }
    match (count("counted_alloc"), count("counted_dealloc")) {
        (Ok(alloc), Ok(free)) => {
            let each = |count: u64| count as f64 / PAIRS as f64;
            println!(
                "{NAME}: alloc {:.1}, free {:.1} instructions",
                each(alloc),
                each(free)
            );
            ExitCode::SUCCESS
        }
        (Err(error), _) | (_, Err(error)) => {
            eprintln!(
                "error: cannot count with `valgrind`: {error}\nhelp: install it with `apt-get install valgrind`"
            );
            ExitCode::FAILURE
        }
    }
}
