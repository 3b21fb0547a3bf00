// SPDX-License-Identifier: BSD-2-Clause

//! One heap for C and Rust: the C library's `malloc`.
//!
//! C's `realloc` is never called. For large blocks muslc calls `mremap`, which ends the program if the
//! memory is muslc's static area (LibSel4MuslcSysMorecoreBytes). Growing a block copies it into a new
//! one instead.

use core::{alloc::Layout, ptr::NonNull};

use super::Allocator;
use crate::c;

/// Minimum alignment of blocks of C's `malloc`, in bytes.
const MALLOC_ALIGN: usize = 2 * size_of::<usize>();

/// C's heap.
pub struct Muslc;

impl Allocator for Muslc {
    const EMPTY: Self = Self;

    unsafe fn add_region(&mut self, _region: NonNull<[u8]>) {}

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        // C may align a block to less if its size is smaller.
        if layout.align() <= MALLOC_ALIGN && layout.align() <= layout.size() {
            c::malloc(layout.size()).cast()
        } else {
            // C11 requires the size to be a multiple of the alignment.
            c::aligned_alloc(layout.align(), layout.pad_to_align().size()).cast()
        }
    }

    unsafe fn dealloc(&mut self, block: NonNull<u8>, _layout: Layout) {
        // SAFETY: by the contract of `dealloc`, `block` came from `alloc`, and so from C.
        unsafe { c::free(block.as_ptr().cast()) }
    }

    fn left(&self) -> usize {
        0
    }
}
