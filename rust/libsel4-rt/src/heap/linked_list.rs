// SPDX-License-Identifier: BSD-2-Clause

//! The heap that wastes least: `linked_list_allocator`, a first-fit list of free pieces.

use core::{
    alloc::Layout,
    ptr::{self, NonNull},
};

use super::Allocator;

/// A free list. The code is small; the time grows with the number of free pieces.
pub struct LinkedList(linked_list_allocator::Heap);

impl Allocator for LinkedList {
    const EMPTY: Self = Self(linked_list_allocator::Heap::empty());

    unsafe fn add_region(&mut self, region: NonNull<[u8]>) {
        // SAFETY: the contract of `add_region` gives the allocator the region for ever.
        unsafe { self.0.init(region.as_ptr().cast(), region.len()) }
    }

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        self.0
            .allocate_first_fit(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: by the contract of `dealloc`, `alloc` returned `block` for this layout.
        unsafe { self.0.deallocate(block, layout) }
    }

    fn left(&self) -> usize {
        self.0.free()
    }
}
