// SPDX-License-Identifier: BSD-2-Clause

//! One heap for C and Rust: the C library's `malloc`.
//!
//! `realloc` of C is never called. For large blocks muslc turns it into `mremap`, which stops the
//! program when the memory is muslc's static area (LibSel4MuslcSysMorecoreBytes). A block grows by
//! a new block and a copy instead.

use core::{alloc::Layout, ptr::NonNull};

use super::Allocator;
use crate::c;

/// What any block of C's `malloc` is aligned to, at least.
const MALLOC_ALIGN: usize = 2 * size_of::<usize>();

/// C's heap.
pub struct Muslc;

impl Allocator for Muslc {
    const EMPTY: Self = Self;

    unsafe fn give(&mut self, _region: NonNull<[u8]>) {}

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        // C may align a block by its size when that is smaller.
        if layout.align() <= MALLOC_ALIGN && layout.align() <= layout.size() {
            c::malloc(layout.size()).cast()
        } else {
            // The standard once wanted the size to be a multiple of the alignment.
            c::aligned_alloc(layout.align(), layout.pad_to_align().size()).cast()
        }
    }

    unsafe fn dealloc(&mut self, block: NonNull<u8>, _layout: Layout) {
        // SAFETY: the caller says that `block` came from `alloc`, which had it from C.
        unsafe { c::free(block.as_ptr().cast()) }
    }

    fn left(&self) -> usize {
        0
    }
}
