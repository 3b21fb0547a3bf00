// SPDX-License-Identifier: BSD-2-Clause

//! For deadlines: `rlsf`, a two-level segregated fit, whose time has a bound that does not depend
//! on the heap's state.

use core::{
    alloc::Layout,
    ptr::{self, NonNull},
};

use rlsf::{GRANULARITY, Tlsf};

use super::Allocator;

/// Sizes fall into this many powers of two, starting at [`GRANULARITY`]: blocks to 4 GiB on 64-bit
/// targets, to 2 GiB on 32-bit ones. The table takes 3.5 KiB and 1.8 KiB.
const POWERS: usize = 27;

/// Each power of two is split into this many classes; at most this part of a block is lost to
/// rounding.
const CLASSES: usize = 16;

/// Two-level segregated fit.
pub struct Rlsf {
    heap: Tlsf<'static, u32, u16, POWERS, CLASSES>,
    total: usize,
    used: usize,
}

/// What a block of this layout takes from the heap, its header and the most that its alignment may
/// need included. The rule is `rlsf`'s own; it gives the same for a block when it comes and when it
/// goes.
const fn taken(layout: Layout) -> usize {
    const HEADER: usize = GRANULARITY / 2;
    (layout.size() + HEADER + layout.align().saturating_sub(HEADER)).next_multiple_of(GRANULARITY)
}

impl Allocator for Rlsf {
    const EMPTY: Self = Self {
        heap: Tlsf::new(),
        total: 0,
        used: 0,
    };

    unsafe fn give(&mut self, region: NonNull<[u8]>) {
        // SAFETY: the caller hands over a region that nothing else uses, for ever.
        let taken = unsafe { self.heap.insert_free_block_ptr(region) };
        // One granule closes the pool.
        self.total = taken.map_or(0, |bytes| bytes.get() - GRANULARITY);
    }

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        let Some(block) = self.heap.allocate(layout) else {
            return ptr::null_mut();
        };
        self.used += taken(layout);
        block.as_ptr()
    }

    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller says that `block` came from `alloc` with this layout.
        unsafe { self.heap.deallocate(block, layout.align()) };
        self.used -= taken(layout);
    }

    fn left(&self) -> usize {
        // Blocks with large alignments may have taken less than they were counted for.
        self.total.saturating_sub(self.used)
    }
}
