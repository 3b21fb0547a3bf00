// SPDX-License-Identifier: BSD-2-Clause

//! Tests that every heap must pass.

use std::alloc::{GlobalAlloc, Layout};
use std::iter;
use std::sync::MutexGuard;
use std::thread;

use super::{Allocator, Heap, Inside, Region, linked_list::LinkedList, muslc::Muslc, rlsf::Rlsf};
use crate::exhausted;

const REGION: usize = 64 * 1024;

/// Number of steps; Miri is a thousand times slower.
const STEPS: usize = if cfg!(miri) { 60 } else { 100_000 };

/// Locks the record of the last failed allocation, which all tests share.
fn alone() -> MutexGuard<'static, ()> {
    exhausted::tests::ALONE
        .lock()
        .unwrap_or_else(|broken| broken.into_inner())
}

/// Defines the checks below for one heap. Each has its own static, as in an image.
macro_rules! checks {
    ($name:ident: $allocator:ty, $bytes:expr) => {
        checks!($name: $allocator, $bytes =>
            blocks_keep_their_contents
            blocks_are_aligned
            a_block_grows_and_shrinks
            large_blocks_grow
            two_threads_share_it
            zeroed_blocks_are_zero
        );
    };
    ($name:ident: $allocator:ty, $bytes:expr => $($check:ident)+) => {
        mod $name {
            use super::*;
            $(
                #[test]
                fn $check() {
                    static HEAP: Heap<$allocator, Inside<{ $bytes }>> = Heap::new(Inside::new());
                    super::$check(&HEAP);
                }
            )+
        }
    };
}

checks!(linked_list: LinkedList, REGION);
checks!(rlsf: Rlsf, REGION);
checks!(muslc: Muslc, 0);

/// Pseudo-random numbers (xorshift64*, Vigna 2016), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    /// Returns a layout with a size of any magnitude up to `2^powers`, and an alignment up to 256,
    /// mostly small.
    fn layout(&mut self, powers: usize) -> Layout {
        let power = self.below(powers + 1);
        let size = 1 + self.below(1 << power);
        let align = 1 << self.below(9).min(self.below(9));
        Layout::from_size_align(size, align).unwrap()
    }
}

/// A block filled with a pattern.
struct Block {
    start: *mut u8,
    layout: Layout,
    pattern: u8,
}

impl Block {
    /// Allocates and fills a block. Returns `None` if the heap has no room.
    fn new(heap: &impl GlobalAlloc, layout: Layout, pattern: u8) -> Option<Self> {
        // SAFETY: no layout in these tests has the size 0.
        let start = unsafe { heap.alloc(layout) };
        if start.is_null() {
            return None;
        }
        assert_eq!(start.addr() % layout.align(), 0, "{layout:?}");
        let block = Self {
            start,
            layout,
            pattern,
        };
        block.fill();
        Some(block)
    }

    fn fill(&self) {
        // SAFETY: the block has this many bytes at `start`.
        unsafe { self.start.write_bytes(self.pattern, self.layout.size()) }
    }

    fn check(&self, bytes: usize) {
        // SAFETY: the block has at least this many bytes at `start`, and `fill` has written them.
        let contents = unsafe { std::slice::from_raw_parts(self.start, bytes) };
        assert!(contents == vec![self.pattern; bytes], "{:?}", self.layout);
    }

    /// Resizes the block. Returns whether the heap had room.
    fn resize(&mut self, heap: &impl GlobalAlloc, size: usize) -> bool {
        // SAFETY: the block came from this heap with this layout, and `size` is not 0.
        let start = unsafe { heap.realloc(self.start, self.layout, size) };
        if start.is_null() {
            self.check(self.layout.size());
            return false;
        }
        assert_eq!(start.addr() % self.layout.align(), 0, "{:?}", self.layout);
        let kept = self.layout.size().min(size);
        self.start = start;
        self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        self.check(kept);
        self.fill();
        true
    }

    fn free(self, heap: &impl GlobalAlloc) {
        self.check(self.layout.size());
        // SAFETY: the block came from this heap with this layout.
        unsafe { heap.dealloc(self.start, self.layout) }
    }
}

/// Allocates, resizes and frees at random, and checks every byte. Returns the number of failed
/// requests.
fn churn(heap: &impl GlobalAlloc, seed: u64, steps: usize) -> usize {
    let mut random = Random(seed);
    let mut blocks: Vec<Block> = Vec::new();
    let mut refused = 0;
    for step in 0..steps {
        match random.below(5) {
            0 | 1 => match Block::new(heap, random.layout(12), step as u8) {
                Some(block) => blocks.push(block),
                None => refused += 1,
            },
            2 if !blocks.is_empty() => {
                let one = random.below(blocks.len());
                if !blocks[one].resize(heap, random.layout(12).size()) {
                    refused += 1;
                }
            }
            _ if !blocks.is_empty() => {
                let one = random.below(blocks.len());
                blocks.swap_remove(one).free(heap);
            }
            _ => {}
        }
        if blocks.len() > 200 {
            blocks.swap_remove(0).free(heap);
        }
    }
    for block in blocks {
        block.free(heap);
    }
    refused
}

/// Returns the number of unused bytes, after a first allocation.
fn left<A: Allocator, R: Region>(heap: &Heap<A, R>) -> usize {
    Block::new(heap, Layout::new::<u8>(), 0).unwrap().free(heap);
    heap.state.lock().allocator.left()
}

fn blocks_keep_their_contents<A: Allocator, R: Region>(heap: &Heap<A, R>) {
    let _alone = alone();
    let before = left(heap);
    let refused = churn(heap, 1, STEPS);
    // The heap was full at times, and is empty again in the end.
    let bytes = heap.region.bytes().len();
    assert_eq!(refused > 0, bytes > 0 && !cfg!(miri), "{refused}");
    assert_eq!(left(heap), before);
    if bytes > 0 {
        let most = Layout::from_size_align(bytes - bytes / 8, 1).unwrap();
        Block::new(heap, most, 7).unwrap().free(heap);
    }
}

fn blocks_are_aligned<A: Allocator, R: Region>(heap: &Heap<A, R>) {
    for align in (0..=13).map(|power| 1 << power) {
        for size in [1, align - align / 2, align, align + 1] {
            let layout = Layout::from_size_align(size, align).unwrap();
            let one = Block::new(heap, layout, 1).unwrap();
            let other = Block::new(heap, layout, 2).unwrap();
            one.free(heap);
            other.free(heap);
        }
    }
}

fn a_block_grows_and_shrinks<A: Allocator, R: Region>(heap: &Heap<A, R>) {
    for align in [1, 8, 64] {
        let mut block = Block::new(heap, Layout::from_size_align(1, align).unwrap(), 5).unwrap();
        for size in [2, 100, 20_000, 99, 3000, 1] {
            assert!(block.resize(heap, size));
        }
        block.free(heap);
    }
}

/// Grows a block beyond 229,376 bytes, where C's `realloc` may end the program. A heap without room
/// must fail and keep the block.
fn large_blocks_grow<A: Allocator, R: Region>(heap: &Heap<A, R>) {
    let _alone = alone();
    let mut block = Block::new(heap, Layout::from_size_align(16_384, 8).unwrap(), 9).unwrap();
    for size in [100_000, 300_000, 1_000_000] {
        assert_eq!(block.resize(heap, size), heap.region.bytes().is_empty());
    }
    block.free(heap);
}

fn two_threads_share_it<A: Allocator + Send, R: Region>(heap: &Heap<A, R>) {
    let _alone = alone();
    let before = left(heap);
    thread::scope(|scope| {
        for seed in [2, 3] {
            scope.spawn(move || churn(heap, seed, STEPS));
        }
    });
    assert_eq!(left(heap), before);
}

fn zeroed_blocks_are_zero<A: Allocator, R: Region>(heap: &Heap<A, R>) {
    let layout = Layout::from_size_align(1000, 8).unwrap();
    Block::new(heap, layout, 0xff).unwrap().free(heap);
    // SAFETY: the layout has a size.
    let start = unsafe { heap.alloc_zeroed(layout) };
    let block = Block {
        start,
        layout,
        pattern: 0,
    };
    block.check(1000);
    block.free(heap);
}

/// Returns the line that the panic handler prints after a failed allocation.
fn failure_line() -> String {
    let mut out = Vec::new();
    exhausted::explain(exhausted::tests::PANIC_FILE, &mut |bytes| {
        out.extend_from_slice(bytes)
    });
    String::from_utf8(out).unwrap()
}

#[test]
fn a_failed_allocation_is_recorded() {
    let _alone = alone();
    static HEAP: Heap<LinkedList, Inside<4096>> = Heap::new(Inside::new());
    let kept = Block::new(&HEAP, Layout::from_size_align(3072, 8).unwrap(), 1).unwrap();
    assert!(Block::new(&HEAP, Layout::from_size_align(2048, 8).unwrap(), 2).is_none());
    assert_eq!(
        failure_line(),
        "Rust heap exhausted: asked for 2048 bytes, 1024 of 4096 bytes left; raise RUST_HEAP_BYTES\n"
    );
    kept.free(&HEAP);
}

#[test]
fn a_failure_by_fragmentation_is_named() {
    let _alone = alone();
    static HEAP: Heap<LinkedList, Inside<4096>> = Heap::new(Inside::new());
    let layout = Layout::from_size_align(1024, 8).unwrap();
    let [one, two, three, four] = [1, 2, 3, 4].map(|each| Block::new(&HEAP, layout, each).unwrap());
    one.free(&HEAP);
    three.free(&HEAP);
    assert!(Block::new(&HEAP, Layout::from_size_align(2048, 8).unwrap(), 5).is_none());
    assert_eq!(
        failure_line(),
        "Rust heap exhausted: asked for 2048 bytes, 2048 of 4096 bytes left in pieces too small; \
         raise RUST_HEAP_BYTES\n"
    );
    two.free(&HEAP);
    four.free(&HEAP);
}

/// Grows a block by 1 KiB at a time until the heap refuses. Returns its last size, and whether it never moved.
fn grow(heap: &impl GlobalAlloc) -> (usize, bool) {
    const STEP: usize = 1024;
    let mut block = Block::new(heap, Layout::from_size_align(STEP, 8).unwrap(), 3).unwrap();
    let start = block.start;
    while block.resize(heap, block.layout.size() + STEP) {}
    let last = (block.layout.size(), block.start == start);
    block.free(heap);
    last
}

#[test]
fn a_growing_block_uses_most_of_rlsf_and_less_than_half_of_the_list() {
    let _alone = alone();
    static TLSF: Heap<Rlsf, Inside<REGION>> = Heap::new(Inside::new());
    static LIST: Heap<LinkedList, Inside<REGION>> = Heap::new(Inside::new());
    let (bytes, in_place) = grow(&TLSF);
    assert!(bytes > REGION / 100 * 95 && in_place, "{bytes} {in_place}");
    let (bytes, _) = grow(&LIST);
    assert!((REGION / 3..REGION / 2).contains(&bytes), "{bytes}");
    // A doubling block, beside others that stay.
    let layout = Layout::from_size_align(64, 8).unwrap();
    let others: Vec<_> = (0..8)
        .map(|each| Block::new(&TLSF, layout, each).unwrap())
        .collect();
    let mut block = Block::new(&TLSF, layout, 9).unwrap();
    let start = block.start;
    while block.resize(&TLSF, 2 * block.layout.size()) {}
    assert_eq!((block.layout.size(), block.start), (REGION / 2, start));
    block.free(&TLSF);
    others.into_iter().for_each(|other| other.free(&TLSF));
}

#[test]
fn rlsf_counts_a_block_that_changed_its_size() {
    let _alone = alone();
    static HEAP: Heap<Rlsf, Inside<REGION>> = Heap::new(Inside::new());
    let before = left(&HEAP);
    for align in [1, 8, 32, 256] {
        let mut block = Block::new(&HEAP, Layout::from_size_align(100, align).unwrap(), 1).unwrap();
        let mut behind =
            Block::new(&HEAP, Layout::from_size_align(100, align).unwrap(), 2).unwrap();
        assert!(block.resize(&HEAP, 5000) && behind.resize(&HEAP, 3) && block.resize(&HEAP, 17));
        block.free(&HEAP);
        behind.free(&HEAP);
        assert_eq!(left(&HEAP), before);
    }
}

#[test]
fn rlsf_counts_the_bytes_of_a_block() {
    static HEAP: Heap<Rlsf, Inside<4096>> = Heap::new(Inside::new());
    let granule = 4 * size_of::<usize>();
    assert_eq!(left(&HEAP), 4096 - granule);
    // A header of half a granule, then whole granules.
    let block = Block::new(&HEAP, Layout::from_size_align(granule / 2, 1).unwrap(), 1).unwrap();
    assert_eq!(left(&HEAP), 4096 - 2 * granule);
    block.free(&HEAP);
    let block = Block::new(
        &HEAP,
        Layout::from_size_align(granule / 2 + 1, 1).unwrap(),
        1,
    )
    .unwrap();
    assert_eq!(left(&HEAP), 4096 - 3 * granule);
    block.free(&HEAP);
    assert_eq!(left(&HEAP), 4096 - granule);
}

#[test]
fn rlsf_keeps_count_of_large_alignments() {
    let _alone = alone();
    static HEAP: Heap<Rlsf, Inside<REGION>> = Heap::new(Inside::new());
    let before = left(&HEAP);
    for align in [32, 256, 1024, 4096] {
        let layout = Layout::from_size_align(align, align).unwrap();
        let blocks: Vec<_> = iter::from_fn(|| Block::new(&HEAP, layout, 1)).collect();
        assert!(blocks.len() > 1 && HEAP.state.lock().allocator.left() < before);
        blocks.into_iter().for_each(|block| block.free(&HEAP));
        assert_eq!(left(&HEAP), before);
    }
}

#[test]
fn the_smallest_heap_fails_properly() {
    let _alone = alone();
    static LIST: Heap<LinkedList, Inside<64>> = Heap::new(Inside::new());
    static TLSF: Heap<Rlsf, Inside<64>> = Heap::new(Inside::new());
    let layout = Layout::from_size_align(100, 1).unwrap();
    assert!(Block::new(&LIST, layout, 1).is_none());
    assert!(Block::new(&TLSF, layout, 1).is_none());
    assert!(
        failure_line().contains(" of 64 bytes left"),
        "{}",
        failure_line()
    );
}
