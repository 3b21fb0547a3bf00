// SPDX-License-Identifier: BSD-2-Clause

//! Stacks, with a page below them that nobody has.

use std::ptr;

const PAGE: usize = 4096;

/// A stack; its memory goes with it.
#[derive(Debug)]
pub struct Stack {
    base: *mut u8,
    bytes: usize,
}

impl Stack {
    /// A stack of `bytes`, whole pages.
    pub fn new(bytes: usize) -> Self {
        // SAFETY: fresh memory, wherever there is room.
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
                "there is no memory for a stack of {bytes} bytes: {}",
                std::io::Error::last_os_error()
            ));
        }
        // SAFETY: the first page of what was mapped just now.
        unsafe { libc::mprotect(base, PAGE, libc::PROT_NONE) };
        Self {
            base: base.cast(),
            bytes,
        }
    }

    /// Its lowest address.
    pub fn bottom(&self) -> *mut u8 {
        self.base.wrapping_add(PAGE)
    }

    /// The address behind it.
    pub fn top(&self) -> *mut u8 {
        self.bottom().wrapping_add(self.bytes)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: it is this value's own.
        unsafe { libc::munmap(self.base.cast(), self.bytes + PAGE) };
    }
}
