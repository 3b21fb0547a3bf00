// SPDX-License-Identifier: BSD-2-Clause

//! Stacks with a guard page below.

use std::ptr;

const PAGE: usize = 4096;

/// A stack, which owns its memory.
#[derive(Debug)]
pub struct Stack {
    base: *mut u8,
    bytes: usize,
}

impl Stack {
    /// Allocates a stack of `bytes`, a multiple of the page size.
    pub fn new(bytes: usize) -> Self {
        // SAFETY: fresh memory at an address that Linux chooses.
        let base = unsafe {
            let flags =
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
            libc::mmap(
                ptr::null_mut(),
                bytes + PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            crate::end::refuse(&format!(
                "cannot allocate a stack of {bytes} bytes: {}\nhelp: see `ulimit -v`",
                std::io::Error::last_os_error()
            ));
        }
        // SAFETY: the first page of the mapping made above.
        unsafe { libc::mprotect(base, PAGE, libc::PROT_NONE) };
        Self {
            base: base.cast(),
            bytes,
        }
    }

    /// Returns the lowest address.
    pub fn bottom(&self) -> *mut u8 {
        self.base.wrapping_add(PAGE)
    }

    /// Returns the address behind the highest byte.
    pub fn top(&self) -> *mut u8 {
        self.bottom().wrapping_add(self.bytes)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: this value owns the mapping.
        unsafe { libc::munmap(self.base.cast(), self.bytes + PAGE) };
    }
}
