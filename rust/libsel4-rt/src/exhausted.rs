// SPDX-License-Identifier: BSD-2-Clause

//! Record of the last failed allocation, for the panic handler.
//!
//! A failed allocation need not be an error: `try_reserve` returns it to its caller. The panic handler
//! reads the record only if Rust panics over it. The record is separate from the heap, so that an
//! image that never allocates has no heap.

use core::alloc::Layout;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use crate::decimal::Decimal;

/// Size of the last request that failed. These are separate words: a simultaneous failure on another
/// core may mix in its numbers, which is better than a lock that could block a panic.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static ALIGN: AtomicUsize = AtomicUsize::new(0);
static LEFT: AtomicUsize = AtomicUsize::new(0);
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// A function that prints the record; takes the source file of the panic and a sink.
type Print = fn(&str, &mut dyn FnMut(&[u8]));

/// Address of [`print`] once a request has failed. The panic handler refers to the function only
/// through this word, so that images without a heap do not contain it.
static PRINT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Records that a request for `layout` failed, with `left` of `total` bytes unused. A `total` of 0
/// stands for C's heap, whose size is unknown.
#[cold]
#[inline(never)]
pub(crate) fn record(layout: Layout, left: usize, total: usize) {
    ASKED.store(layout.size(), Relaxed);
    ALIGN.store(layout.align(), Relaxed);
    LEFT.store(left, Relaxed);
    TOTAL.store(total, Relaxed);
    PRINT.store(print as Print as *mut (), Relaxed);
}

/// Prints one line about the failed request if the panic in `file` was caused by it.
pub(crate) fn explain(file: &str, put: &mut dyn FnMut(&[u8])) {
    let print = PRINT.load(Relaxed);
    if !print.is_null() {
        // SAFETY: only `record` writes `PRINT`, and it writes a `Print`.
        let print = unsafe { mem::transmute::<*mut (), Print>(print) };
        print(file, put);
    }
}

/// Source file in Rust's library that panics over an allocation that must not fail.
const ALLOC_PANIC_FILE: &str = "library/alloc/src/alloc.rs";

fn print(file: &str, put: &mut dyn FnMut(&[u8])) {
    if !file.ends_with(ALLOC_PANIC_FILE) {
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

/// Largest alignment, in bytes, that the line leaves out, since it adds nothing to the size.
const ORDINARY_ALIGN: usize = 2 * size_of::<usize>();

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Lock for tests that use the record, which the whole program shares.
    pub(crate) static ALONE: Mutex<()> = Mutex::new(());

    /// Source file of a panic over a failed allocation.
    pub(crate) const PANIC_FILE: &str = "/rustc/0123456789abcdef/library/alloc/src/alloc.rs";

    fn line(size: usize, align: usize, left: usize, total: usize) -> String {
        let _alone = ALONE.lock().unwrap();
        record(Layout::from_size_align(size, align).unwrap(), left, total);
        let mut out = Vec::new();
        explain(PANIC_FILE, &mut |bytes| out.extend_from_slice(bytes));
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
            explain(file, &mut |_| {
                panic!("{file} does not panic over allocations")
            });
        }
    }
}
