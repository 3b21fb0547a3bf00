// SPDX-License-Identifier: BSD-2-Clause

//! The default: `linked_list_allocator`, a list of free pieces, first fit.

use core::{
    alloc::Layout,
    ptr::{self, NonNull},
};

use super::Allocator;

/// A free list. Small in code; its time grows with the number of free pieces.
pub struct LinkedList(linked_list_allocator::Heap);

impl Allocator for LinkedList {
    const EMPTY: Self = Self(linked_list_allocator::Heap::empty());

    unsafe fn give(&mut self, region: NonNull<[u8]>) {
        // SAFETY: the caller hands over a region that nothing else uses, for ever.
        unsafe { self.0.init(region.as_ptr().cast(), region.len()) }
    }

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        self.0
            .allocate_first_fit(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller says that `block` came from `alloc` with this layout.
        unsafe { self.0.deallocate(block, layout) }
    }

    fn left(&self) -> usize {
        self.0.free()
    }
}
