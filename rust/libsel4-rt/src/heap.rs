// SPDX-License-Identifier: BSD-2-Clause

//! The heap: one allocator, selected by a cargo feature, with one lock and one region of the image.
//!
//! The static `HEAP` contains all of it, in a separate archive member: an image whose Rust code never
//! allocates does not link it, with `--gc-sections` or without.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    mem::MaybeUninit,
    ptr::{self, NonNull},
};

use crate::{exhausted, lock::Lock};

#[cfg(any(feature = "heap-linked-list", test))]
mod linked_list;
#[cfg(any(feature = "heap-muslc", test))]
mod muslc;
#[cfg(any(feature = "heap-rlsf", test))]
mod rlsf;
mod size;
#[cfg(test)]
mod tests;

cfg_select! {
    feature = "heap-linked-list" => { type Chosen = linked_list::LinkedList; }
    feature = "heap-rlsf" => { type Chosen = rlsf::Rlsf; }
    feature = "heap-muslc" => { type Chosen = muslc::Muslc; }
    _ => {}
}

/// Size of the region in bytes. muslc's heap has its memory from muslc.
#[cfg(not(feature = "heap-none"))]
const REGION: usize = if cfg!(feature = "heap-muslc") {
    0
} else {
    size::HEAP_BYTES
};

/// The heap of the image: Rust's global allocator there. On a host, the benchmark measures it.
#[cfg(not(feature = "heap-none"))]
#[cfg_attr(any(target_os = "none", target_env = "musl"), global_allocator)]
pub static HEAP: Heap<Chosen, REGION> = Heap::new();

/// An allocator that manages the bytes of one region. The heap's lock protects it.
pub trait Allocator {
    /// Allocator without a region. All its bytes are zero, so that the heap takes no space in the
    /// image file.
    const EMPTY: Self;

    /// Adds the region. The heap calls this before any other function.
    ///
    /// # Safety
    ///
    /// From now on only the allocator uses the region, which never moves. Called once.
    unsafe fn add_region(&mut self, region: NonNull<[u8]>);

    /// Allocates a block of this layout. Returns null if there is no memory. Before the region is added,
    /// there is none.
    fn alloc(&mut self, layout: Layout) -> *mut u8;

    /// Frees a block.
    ///
    /// # Safety
    ///
    /// `alloc` returned the block for the same layout, and it is no longer used.
    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout);

    /// True if `resize` works. Otherwise a block is copied to change its size.
    const RESIZES: bool = false;

    /// Changes the size of a block to `size`, in place where there is room. Returns the block's new address, or null
    /// if there is no memory; then the block stays as it is.
    ///
    /// # Safety
    ///
    /// `alloc` returned the block for the same layout. `size` is valid for its alignment, and not 0.
    unsafe fn resize(&mut self, _block: NonNull<u8>, _layout: Layout, _size: usize) -> *mut u8 {
        ptr::null_mut()
    }

    /// Returns the number of unused bytes, in pieces of any size.
    fn left(&self) -> usize;
}

/// An allocator with its region of `BYTES` bytes, and a lock for threads to share them.
///
/// `BYTES` is 0 for an allocator whose memory comes from elsewhere. The region comes last, so that code reaches the
/// state by small offsets.
#[repr(C)]
pub struct Heap<A, const BYTES: usize> {
    state: Lock<State<A>>,
    region: Region<BYTES>,
}

/// Memory of a heap.
#[repr(C, align(64))]
struct Region<const BYTES: usize>(UnsafeCell<MaybeUninit<[u8; BYTES]>>);

struct State<A> {
    allocator: A,
    has_region: bool,
}

// SAFETY: only the allocator accesses the region, and the lock admits one thread at a time.
unsafe impl<A: Send, const BYTES: usize> Sync for Heap<A, BYTES> {}

impl<A: Allocator, const BYTES: usize> Heap<A, BYTES> {
    const fn new() -> Self {
        Self {
            state: Lock::new(State {
                allocator: A::EMPTY,
                has_region: false,
            }),
            region: Region(UnsafeCell::new(MaybeUninit::uninit())),
        }
    }
}

// SAFETY: the allocator's live blocks do not overlap; it does not unwind, and does not move while
// blocks live, since the heap is a static.
unsafe impl<A: Allocator, const BYTES: usize> GlobalAlloc for Heap<A, BYTES> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut state = self.state.lock();
        // One call of the allocator, so that it is inlined.
        loop {
            let block = state.allocator.alloc(layout);
            if !block.is_null() || !self.begin(&mut state, layout) {
                return block;
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: by the contract of `GlobalAlloc::dealloc`, the block came from `alloc`, for the same layout, and
        // is not null.
        unsafe {
            let block = NonNull::new_unchecked(block);
            self.state.lock().allocator.dealloc(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the contract of `GlobalAlloc::realloc`, `size` fits the alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if A::RESIZES {
            let mut state = self.state.lock();
            // SAFETY: by the contract of `GlobalAlloc::realloc`, the block came from `alloc`, for the same layout, and
            // is not null.
            let moved = unsafe {
                let block = NonNull::new_unchecked(block);
                state.allocator.resize(block, layout, size)
            };
            if moved.is_null() {
                exhausted::record(new_layout, state.allocator.left(), BYTES);
            }
            return moved;
        }
        // SAFETY: `size` is not 0; both blocks have the bytes that are copied, and do not overlap; the old one is
        // no longer used.
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

impl<A: Allocator, const BYTES: usize> Heap<A, BYTES> {
    /// Adds the region if the allocator does not have it, and returns true. Otherwise records the request that failed.
    // Called after a failure, so that an allocation that succeeds need not ask whether it is the first.
    #[cold]
    #[inline(never)]
    fn begin(&self, state: &mut State<A>, layout: Layout) -> bool {
        if state.has_region {
            exhausted::record(layout, state.allocator.left(), BYTES);
            return false;
        }
        state.has_region = true;
        let start = NonNull::from(&self.region.0).cast();
        // SAFETY: only this heap uses the region, which lives as long as it; `has_region` makes this the
        // only call.
        unsafe {
            state
                .allocator
                .add_region(NonNull::slice_from_raw_parts(start, BYTES))
        };
        true
    }
}
