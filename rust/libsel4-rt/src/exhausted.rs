// SPDX-License-Identifier: BSD-2-Clause

//! What the heap could not give, kept for the panic handler.
//!
//! A failed allocation is no error by itself: `try_reserve` hands it to its caller. Only when Rust
//! gives up does the panic handler ask here. The record lies apart from the heap, so that an image
//! that never allocates has no heap.

use core::alloc::Layout;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use crate::decimal::Decimal;

/// The last request that failed. Plain words: a thread that fails at the same moment on another
/// core may mix in its own figures, which is better than a lock that a panic could hang on.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static ALIGN: AtomicUsize = AtomicUsize::new(0);
static LEFT: AtomicUsize = AtomicUsize::new(0);
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// How the record is told: a function that takes the source file of the panic and a sink.
type Tell = fn(&str, &mut dyn FnMut(&[u8]));

/// [`tell`], once a request has failed. The panic handler knows the function only from here: so it
/// comes into an image with the heap, not with every panic.
static TELL: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Notes that `layout` could not be had, with `left` of `total` bytes unused. A `total` of 0 stands
/// for C's heap, whose size Rust does not know.
pub(crate) fn record(layout: Layout, left: usize, total: usize) {
    ASKED.store(layout.size(), Relaxed);
    ALIGN.store(layout.align(), Relaxed);
    LEFT.store(left, Relaxed);
    TOTAL.store(total, Relaxed);
    TELL.store(tell as Tell as *mut (), Relaxed);
}

/// After a panic in `file`: if Rust gave up over a failed request, says in one line what could not
/// be had.
pub(crate) fn explain(file: &str, put: &mut dyn FnMut(&[u8])) {
    let told = TELL.load(Relaxed);
    if !told.is_null() {
        // SAFETY: `record` alone writes `TELL`, and it writes a `Tell`.
        let told = unsafe { mem::transmute::<*mut (), Tell>(told) };
        told(file, put);
    }
}

/// The source file, in Rust's own library, of the panic for a request that may not fail.
const GIVING_UP: &str = "library/alloc/src/alloc.rs";

fn tell(file: &str, put: &mut dyn FnMut(&[u8])) {
    if !file.ends_with(GIVING_UP) {
        return;
    }
    let [asked, align, left, total] =
        [&ASKED, &ALIGN, &LEFT, &TOTAL].map(|word| word.load(Relaxed));
    put(b"Rust heap exhausted: asked for ");
    put(Decimal::new(asked).as_bytes());
    put(b" bytes");
    if align > ORDINARY_ALIGN {
        put(b" aligned to ");
        put(Decimal::new(align).as_bytes());
    }
    if total == 0 {
        put(b", C's malloc has none; raise LibSel4MuslcSysMorecoreBytes\n");
        return;
    }
    put(b", ");
    put(Decimal::new(left).as_bytes());
    put(b" of ");
    put(Decimal::new(total).as_bytes());
    put(b" bytes left");
    if left >= asked {
        put(b" in pieces too small");
    }
    put(b"; raise RUST_HEAP_BYTES\n");
}

/// Up to this alignment, in bytes, a request needs no more room than its size; beyond it the line
/// names it.
const ORDINARY_ALIGN: usize = 2 * size_of::<usize>();

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Mutex;

    /// The record is one for the whole program, the tests are many threads.
    pub(crate) static ALONE: Mutex<()> = Mutex::new(());

    /// Where Rust gives up.
    pub(crate) const GIVEN_UP: &str = "/rustc/0123456789abcdef/library/alloc/src/alloc.rs";

    fn line(size: usize, align: usize, left: usize, total: usize) -> String {
        let _alone = ALONE.lock().unwrap();
        record(Layout::from_size_align(size, align).unwrap(), left, total);
        let mut out = Vec::new();
        explain(GIVEN_UP, &mut |bytes| out.extend_from_slice(bytes));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_what_was_asked_and_what_is_left() {
        assert_eq!(
            line(4096, 8, 1024, 262_144),
            "Rust heap exhausted: asked for 4096 bytes, 1024 of 262144 bytes left; raise RUST_HEAP_BYTES\n"
        );
    }

    #[test]
    fn says_when_the_rest_is_in_pieces() {
        assert_eq!(
            line(4096, 8, 4096, 262_144),
            "Rust heap exhausted: asked for 4096 bytes, 4096 of 262144 bytes left in pieces too small; \
             raise RUST_HEAP_BYTES\n"
        );
    }

    #[test]
    fn names_an_unusual_alignment() {
        assert_eq!(
            line(64, 4096, 0, 1024),
            "Rust heap exhausted: asked for 64 bytes aligned to 4096, 0 of 1024 bytes left; raise RUST_HEAP_BYTES\n"
        );
    }

    #[test]
    fn points_at_the_option_of_the_c_heap() {
        assert_eq!(
            line(4096, 1, 0, 0),
            "Rust heap exhausted: asked for 4096 bytes, C's malloc has none; raise LibSel4MuslcSysMorecoreBytes\n"
        );
    }

    #[test]
    fn is_silent_about_any_other_panic() {
        let _alone = ALONE.lock().unwrap();
        record(Layout::new::<u64>(), 0, 1024);
        for file in [
            "",
            "src/lib.rs",
            "/rustc/0123456789abcdef/library/alloc/src/raw_vec/mod.rs",
            "apps/alloc/src/alloc.rs",
        ] {
            explain(file, &mut |_| panic!("{file} is not where Rust gives up"));
        }
    }
}
