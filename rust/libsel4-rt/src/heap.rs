// SPDX-License-Identifier: BSD-2-Clause

//! The heap: one allocator, selected by a cargo feature, with one lock and one region of the image.
//!
//! The static `HEAP` is in a separate archive member: an image whose Rust code never allocates does not link it, with
//! `--gc-sections` or without. Its region is C's, an object of the executable's own size, so that executables share the
//! archive.

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr::{self, NonNull},
};

use crate::{exhausted, lock::Lock};

#[cfg(any(feature = "heap-linked-list", test))]
mod linked_list;
#[cfg(any(feature = "heap-muslc", test))]
mod muslc;
#[cfg(any(feature = "heap-rlsf", test))]
mod rlsf;
#[cfg(test)]
mod tests;

cfg_select! {
    feature = "heap-linked-list" => { type Chosen = linked_list::LinkedList; }
    feature = "heap-rlsf" => { type Chosen = rlsf::Rlsf; }
    feature = "heap-muslc" => { type Chosen = muslc::Muslc; }
    _ => {}
}

// Region of the chosen heap. muslc's heap has its memory from muslc.
#[cfg(not(feature = "heap-none"))]
cfg_select! {
    feature = "heap-muslc" => { type ChosenRegion = Inside<0>; }
    any(target_os = "none", target_env = "musl") => { type ChosenRegion = image::OfC; }
    // Room for the benchmark.
    _ => { type ChosenRegion = Inside<{ 16 << 20 }>; }
}

/// The heap of the image: Rust's global allocator there. On a host, the benchmark measures it.
#[cfg(not(feature = "heap-none"))]
#[cfg_attr(any(target_os = "none", target_env = "musl"), global_allocator)]
pub static HEAP: Heap<Chosen, ChosenRegion> = Heap::new(ChosenRegion::new());

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

/// An allocator with its region, and a lock for threads to share them.
///
/// The region comes last, so that code reaches the state by small offsets.
#[repr(C)]
pub struct Heap<A, R> {
    state: Lock<State<A>>,
    region: R,
}

/// Memory of one heap.
///
/// # Safety
///
/// Nothing but the heap uses the bytes, which live as long as the region.
pub unsafe trait Region {
    /// Returns the bytes, none of them for an allocator whose memory comes from elsewhere.
    fn bytes(&self) -> NonNull<[u8]>;
}

#[cfg(any(
    feature = "heap-muslc",
    not(any(target_os = "none", target_env = "musl"))
))]
pub use inside::Inside;

#[cfg(any(
    feature = "heap-muslc",
    not(any(target_os = "none", target_env = "musl"))
))]
mod inside {
    use core::{cell::UnsafeCell, mem::MaybeUninit, ptr::NonNull};

    use super::Region;

    /// Region of `BYTES` bytes beside the heap's state.
    #[repr(C, align(64))]
    pub struct Inside<const BYTES: usize>(UnsafeCell<MaybeUninit<[u8; BYTES]>>);

    impl<const BYTES: usize> Inside<BYTES> {
        pub(crate) const fn new() -> Self {
            Self(UnsafeCell::new(MaybeUninit::uninit()))
        }
    }

    // SAFETY: the field is private, and lies in the heap.
    unsafe impl<const BYTES: usize> Region for Inside<BYTES> {
        fn bytes(&self) -> NonNull<[u8]> {
            NonNull::slice_from_raw_parts(NonNull::from(&self.0).cast(), BYTES)
        }
    }
}

#[cfg(all(
    any(target_os = "none", target_env = "musl"),
    any(feature = "heap-linked-list", feature = "heap-rlsf")
))]
mod image {
    use core::ptr::NonNull;

    use super::Region;

    unsafe extern "C" {
        static sel4_rust_heap_bytes: usize;
        static mut sel4_rust_heap_region: u8;
    }

    /// Region in C, `c/heap.c`: as large as the executable wants it.
    pub struct OfC(());

    impl OfC {
        pub(super) const fn new() -> Self {
            Self(())
        }
    }

    // SAFETY: C defines the region for this heap alone, and names it nowhere else.
    unsafe impl Region for OfC {
        fn bytes(&self) -> NonNull<[u8]> {
            let start = NonNull::new(&raw mut sel4_rust_heap_region).unwrap_or(NonNull::dangling());
            // SAFETY: C defines the constant.
            NonNull::slice_from_raw_parts(start, unsafe { sel4_rust_heap_bytes })
        }
    }
}

struct State<A> {
    allocator: A,
    has_region: bool,
}

// SAFETY: only the allocator accesses the region, and the lock admits one thread at a time.
unsafe impl<A: Send, R: Region> Sync for Heap<A, R> {}

impl<A: Allocator, R: Region> Heap<A, R> {
    const fn new(region: R) -> Self {
        Self {
            state: Lock::new(State {
                allocator: A::EMPTY,
                has_region: false,
            }),
            region,
        }
    }
}

// SAFETY: the allocator's live blocks do not overlap; it does not unwind, and does not move while
// blocks live, since the heap is a static.
unsafe impl<A: Allocator, R: Region> GlobalAlloc for Heap<A, R> {
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
                exhausted::record(
                    new_layout,
                    state.allocator.left(),
                    self.region.bytes().len(),
                );
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

impl<A: Allocator, R: Region> Heap<A, R> {
    /// Adds the region if the allocator does not have it, and returns true. Otherwise records the request that failed.
    // Called after a failure, so that an allocation that succeeds need not ask whether it is the first.
    #[cold]
    #[inline(never)]
    fn begin(&self, state: &mut State<A>, layout: Layout) -> bool {
        if state.has_region {
            exhausted::record(layout, state.allocator.left(), self.region.bytes().len());
            return false;
        }
        state.has_region = true;
        // SAFETY: only this heap uses the region, which lives as long as it; `has_region` makes this the
        // only call.
        unsafe { state.allocator.add_region(self.region.bytes()) };
        true
    }
}
