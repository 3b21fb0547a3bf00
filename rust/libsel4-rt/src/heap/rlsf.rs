// SPDX-License-Identifier: BSD-2-Clause

//! The default heap: `rlsf`, a two-level segregated fit. Its time has a bound that does not depend on
//! the heap's state.

use core::{
    alloc::Layout,
    ptr::{self, NonNull},
};

use rlsf::{GRANULARITY, Tlsf};

use super::Allocator;

/// Number of powers of two of block sizes, starting at [`GRANULARITY`]: for blocks of up to 512 MiB on 64-bit targets, and
/// 256 MiB on 32-bit ones, since the archive does not know the executable's heap. The table takes 16 words for each.
const POWERS: usize = 24;

/// Number of size classes in each power of two. Rounding wastes at most this fraction of a block.
const CLASSES: usize = 16;

/// Two-level segregated fit.
pub struct Rlsf {
    heap: Tlsf<'static, u32, u16, POWERS, CLASSES>,
    total: usize,
    used: usize,
}

/// Returns the number of bytes that a block of this layout takes from the heap, with its header and
/// the maximum padding. The rule is that of `rlsf`; allocating and freeing a block count the same.
const fn block_bytes(layout: Layout) -> usize {
    const HEADER: usize = GRANULARITY / 2;
    (layout.size() + HEADER + layout.align().saturating_sub(HEADER)).next_multiple_of(GRANULARITY)
}

impl Allocator for Rlsf {
    const EMPTY: Self = Self {
        heap: Tlsf::new(),
        total: 0,
        used: 0,
    };

    unsafe fn add_region(&mut self, region: NonNull<[u8]>) {
        // SAFETY: the contract of `add_region` gives the allocator the region for ever.
        let taken = unsafe { self.heap.insert_free_block_ptr(region) };
        // The last granule marks the end of the pool.
        self.total = taken.map_or(0, |bytes| bytes.get() - GRANULARITY);
    }

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        let Some(block) = self.heap.allocate(layout) else {
            return ptr::null_mut();
        };
        self.used += block_bytes(layout);
        block.as_ptr()
    }

    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: by the contract of `dealloc`, `alloc` returned `block` for this layout.
        unsafe { self.heap.deallocate(block, layout.align()) };
        self.used -= block_bytes(layout);
    }

    const RESIZES: bool = true;

    unsafe fn resize(&mut self, block: NonNull<u8>, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the contract of `resize`, the size fits the alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: by the contract of `resize`, `alloc` returned `block` with this alignment.
        let Some(block) = (unsafe { self.heap.reallocate(block, new_layout) }) else {
            return ptr::null_mut();
        };
        self.used = self.used - block_bytes(layout) + block_bytes(new_layout);
        block.as_ptr()
    }

    fn left(&self) -> usize {
        // Blocks with large alignments may take less than is counted for them.
        self.total.saturating_sub(self.used)
    }
}
