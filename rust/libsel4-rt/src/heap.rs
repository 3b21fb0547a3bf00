// SPDX-License-Identifier: BSD-2-Clause

//! The heap: one allocator, chosen by a cargo feature, behind one lock, over one region of the
//! image.
//!
//! Everything lies in one static, `HEAP`, in an archive member of its own: an image whose Rust
//! never allocates does not link it, with `--gc-sections` or without.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    mem::MaybeUninit,
    ptr::NonNull,
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

/// The region is muslc's own business when the heap is.
#[cfg(not(feature = "heap-none"))]
const REGION: usize = if cfg!(feature = "heap-muslc") {
    0
} else {
    size::HEAP_BYTES
};

/// The heap of the image: Rust's global allocator there, and what the benchmark measures on a host.
#[cfg(not(feature = "heap-none"))]
#[cfg_attr(any(target_os = "none", target_env = "musl"), global_allocator)]
pub static HEAP: Heap<Chosen, REGION> = Heap::new();

/// What the lock protects: a crate that manages the bytes of one region.
pub trait Allocator {
    /// Without a region: has nothing to give. All zero bytes, so that the heap costs no byte of the
    /// image file.
    const EMPTY: Self;

    /// Hands over the region, before anything else is called.
    ///
    /// # Safety
    ///
    /// Nothing else uses the region from now on, and it stays where it is. Called once.
    unsafe fn give(&mut self, region: NonNull<[u8]>);

    /// A block of this layout, or null.
    fn alloc(&mut self, layout: Layout) -> *mut u8;

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// The block came from `alloc` with the same layout, and nobody uses it any more.
    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout);

    /// How many bytes are unused, in pieces of any size.
    fn left(&self) -> usize;
}

/// An allocator, its region of `BYTES` bytes and the lock that lets many threads share them.
///
/// `BYTES` is 0 for an allocator that has its memory from elsewhere.
#[repr(C, align(64))]
pub struct Heap<A, const BYTES: usize> {
    region: UnsafeCell<MaybeUninit<[u8; BYTES]>>,
    state: Lock<State<A>>,
}

struct State<A> {
    allocator: A,
    has_region: bool,
}

// SAFETY: the region is touched only through the allocator, which the lock gives to one thread at a
// time.
unsafe impl<A: Send, const BYTES: usize> Sync for Heap<A, BYTES> {}

impl<A: Allocator, const BYTES: usize> Heap<A, BYTES> {
    const fn new() -> Self {
        Self {
            region: UnsafeCell::new(MaybeUninit::uninit()),
            state: Lock::new(State {
                allocator: A::EMPTY,
                has_region: false,
            }),
        }
    }
}

// SAFETY: blocks come from the allocator, which gives out each byte of the region once at a time;
// it neither unwinds nor moves while blocks live, for the heap is a static.
unsafe impl<A: Allocator, const BYTES: usize> GlobalAlloc for Heap<A, BYTES> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut state = self.state.lock();
        if !state.has_region {
            state.has_region = true;
            let start = NonNull::from(&self.region).cast();
            // SAFETY: the region belongs to this heap alone, lives as long, and `has_region` says
            // that it was not given before.
            unsafe {
                state
                    .allocator
                    .give(NonNull::slice_from_raw_parts(start, BYTES))
            };
        }
        let block = state.allocator.alloc(layout);
        if block.is_null() {
            exhausted::record(layout, state.allocator.left(), BYTES);
        }
        block
    }

    // `realloc` stays the default, a new block and a copy: the copy happens outside the lock.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: the caller of `dealloc` says the same.
            unsafe { self.state.lock().allocator.dealloc(block, layout) };
        }
    }
}
