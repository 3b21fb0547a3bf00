// SPDX-License-Identifier: BSD-2-Clause

//! Interfaces of an instance of a CAmkES component.
//!
//! [`sys`] has all of the instance's camkes.h. Beside it stands a module for each interface, with safe functions:
//!
//! | in the component | here |
//! |---|---|
//! | `uses P x`, method `m` | `camkes::x::m(…)`; `string` is `&CStr` or [`Text`], `in T[]` a slice |
//! | `emits E x` | `camkes::x::emit()` |
//! | `consumes E x` | `camkes::x::wait()`, `poll()`, `on(callback)` |
//! | `dataport T x` | `camkes::x::dataport()`, a [`Dataport`] |
//! | `has mutex x` | `camkes::x::lock()`, which gives a guard |
//! | `attribute T x` | `camkes::attributes::x()` |
//!
//! A procedure that the component provides is a set of functions that the crate exports: `provides Sums sums` with a method
//! `add` is `extern "C" fn sums_add`. The C compiler compares them with camkes.h.
#![no_std]

use core::ffi::{CStr, c_char, c_void};
use core::fmt;
use core::sync::atomic::{Ordering, fence};

/// Everything that camkes.h declares, as C has it.
#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unused,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    rustdoc::all,
    unnecessary_transmutes,
    reason = "generated from C"
)]
pub mod sys {
    include!(concat!(env!("SEL4_CAMKES_DIR"), "/bindings.rs"));
}

/// Interfaces, under the names that the component gives them. They are also at the root of the crate, unless an item there
/// has the same name.
#[allow(
    missing_docs,
    non_snake_case,
    unused,
    clippy::all,
    reason = "generated from C"
)]
pub mod interfaces {
    include!(concat!(env!("SEL4_CAMKES_DIR"), "/camkes.rs"));
}

#[allow(unused_imports, reason = "a component may have no interfaces")]
pub use interfaces::*;

/// Returns the name of this instance in the assembly.
#[must_use]
pub fn instance_name() -> &'static CStr {
    // SAFETY: the function returns a constant text.
    unsafe { CStr::from_ptr(sys::get_instance_name()) }
}

/// Another callback is registered for the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered;

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another callback is registered for the event")
    }
}

impl core::error::Error for Registered {}

/// Calls the function that a module's `on` registered.
#[allow(dead_code, reason = "only components that consume events need it")]
extern "C" fn call(callback: *mut c_void) {
    // SAFETY: `on` registers this function with a `fn()` as its argument, and with nothing else.
    let callback = unsafe { core::mem::transmute::<*mut c_void, fn()>(callback) };
    callback();
}

/// Types that any bytes are valid for: integers, floats, and arrays and structures of them.
///
/// # Safety
///
/// Every pattern of bits is a value of the type.
pub unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($ty:ty)*) => {
        $(
            // SAFETY: every pattern of bits is a number.
            unsafe impl Plain for $ty {}
        )*
    };
}

plain!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

// SAFETY: an array has the bytes of its elements, and no others.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Memory that this component shares with others, which may write to it at any time. There are no references to
/// it: values are copied in and out.
///
/// The parts of a value are not copied at one instant. Agree on who may write when by events or calls.
pub struct Dataport<T> {
    pointer: *mut T,
    size: usize,
}

impl<T> Clone for Dataport<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Dataport<T> {}

impl<T> fmt::Debug for Dataport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataport")
            .field("pointer", &self.pointer)
            .field("size", &self.size)
            .finish()
    }
}

impl<T> Dataport<T> {
    /// Dataport of `size` bytes at `pointer`.
    ///
    /// # Safety
    ///
    /// So many bytes can be read and written there from now on, aligned as `T`, and there are no references to them.
    #[must_use]
    pub const unsafe fn new(pointer: *mut T, size: usize) -> Self {
        Self { pointer, size }
    }

    /// Returns the address, for C.
    #[must_use]
    pub const fn as_ptr(self) -> *mut T {
        self.pointer
    }

    /// Returns the number of bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        self.size
    }

    /// Copies bytes out, from `offset` on. Corresponds to `x_acquire()` and a copy.
    ///
    /// # Panics
    ///
    /// When they are not all in the dataport.
    pub fn read_bytes(self, offset: usize, bytes: &mut [u8]) {
        let start = self.range(offset, bytes.len());
        for (index, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: `range` checked that the byte is in the memory that `new` was given.
            *byte = unsafe { start.add(index).read_volatile() };
        }
        self.acquire();
    }

    /// Copies bytes in, from `offset` on. Corresponds to a copy and `x_release()`.
    ///
    /// # Panics
    ///
    /// When they do not all fit into the dataport.
    pub fn write_bytes(self, offset: usize, bytes: &[u8]) {
        let start = self.range(offset, bytes.len());
        self.release();
        for (index, byte) in bytes.iter().enumerate() {
            // SAFETY: as in `read_bytes`.
            unsafe { start.add(index).write_volatile(*byte) };
        }
        self.release();
    }

    /// Orders what follows after reads so far. Corresponds to `x_acquire()`.
    pub fn acquire(self) {
        fence(Ordering::Acquire);
    }

    /// Orders writes so far before what follows. Corresponds to `x_release()`.
    pub fn release(self) {
        fence(Ordering::Release);
    }

    fn range(self, offset: usize, length: usize) -> *mut u8 {
        let end = offset.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= self.size),
            "{length} bytes from {offset} on are not in a dataport of {} bytes",
            self.size
        );
        self.pointer.cast::<u8>().wrapping_add(offset)
    }
}

impl<T: Plain> Dataport<T> {
    /// Copies the value out.
    ///
    /// # Panics
    ///
    /// When the dataport is smaller than the value.
    #[must_use]
    pub fn read(self) -> T {
        let start = self.range(0, size_of::<T>()).cast::<T>();
        // SAFETY: `range` checked that the value is in the memory that `new` was given, aligned; any bytes are one.
        let value = unsafe { start.read_volatile() };
        self.acquire();
        value
    }

    /// Copies a value in.
    ///
    /// # Panics
    ///
    /// When the dataport is smaller than the value.
    pub fn write(self, value: T) {
        let start = self.range(0, size_of::<T>()).cast::<T>();
        self.release();
        // SAFETY: as in `read`.
        unsafe { start.write_volatile(value) };
        self.release();
    }
}

/// Text that a call returned, in C's memory, which is freed with it.
pub struct Text(*mut c_char);

impl Text {
    /// Takes over the text at `text`.
    ///
    /// # Safety
    ///
    /// `text` is null, or `malloc` returned it and it ends with a zero byte; nothing else frees it.
    #[must_use]
    pub const unsafe fn new(text: *mut c_char) -> Self {
        Self(text)
    }

    /// Returns the text. A null pointer, which CAmkES returns where a call failed, is an empty text.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        if self.0.is_null() {
            return c"";
        }
        // SAFETY: by the contract of `new`, a text that ends with a zero byte.
        unsafe { CStr::from_ptr(self.0) }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_c_str().fmt(f)
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        unsafe extern "C" {
            fn free(block: *mut c_void);
        }
        // SAFETY: by the contract of `new`, `malloc` returned it.
        unsafe { free(self.0.cast()) };
    }
}

/// Returns a copy of `text` in C's memory, for a function that CAmkES calls and whose result it frees: one of a provided
/// procedure that returns a `string`. Null where C's heap has no more memory, which CAmkES takes for a failed call.
#[must_use]
pub fn text_for_c(text: &CStr) -> *mut c_char {
    unsafe extern "C" {
        fn malloc(bytes: usize) -> *mut c_void;
    }
    let bytes = text.to_bytes_with_nul();
    // SAFETY: any size may be asked for.
    let block: *mut u8 = unsafe { malloc(bytes.len()) }.cast();
    if !block.is_null() {
        // SAFETY: the block has so many bytes, and is new.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len()) };
    }
    block.cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataport_copies_values_and_bytes_in_and_out() {
        let mut memory = [0_u32; 4];
        // SAFETY: `memory` is used through the dataport alone.
        let port = unsafe { Dataport::<[u32; 2]>::new((&raw mut memory).cast(), 16) };
        port.write([1, 0x0203_0405_u32.to_le()]);
        assert_eq!(port.read(), [1, 0x0203_0405_u32.to_le()]);
        let mut bytes = [0; 2];
        port.read_bytes(4, &mut bytes);
        assert_eq!(bytes, [5, 4]);
        port.write_bytes(15, &[9]);
        port.read_bytes(14, &mut bytes);
        assert_eq!(bytes, [0, 9]);
    }

    #[test]
    #[should_panic(expected = "2 bytes from 15 on are not in a dataport of 16 bytes")]
    fn bytes_beyond_a_dataport_are_refused() {
        let mut memory = [0_u32; 4];
        // SAFETY: `memory` is used through the dataport alone.
        let port = unsafe { Dataport::<u32>::new((&raw mut memory).cast(), 16) };
        port.write_bytes(15, &[1, 2]);
    }

    #[test]
    #[should_panic(expected = "8 bytes from 0 on are not in a dataport of 4 bytes")]
    fn a_value_larger_than_its_dataport_is_refused() {
        let mut memory = [0_u32; 1];
        // SAFETY: `memory` is used through the dataport alone.
        let port = unsafe { Dataport::<[u32; 2]>::new((&raw mut memory).cast(), 4) };
        let _ = port.read();
    }

    #[test]
    fn texts_go_to_c_and_come_back() {
        // SAFETY: the text is malloc's, and ends with a zero byte.
        let text = unsafe { Text::new(text_for_c(c"greetings")) };
        assert_eq!(text.as_c_str(), c"greetings");
        // SAFETY: null stands for no text.
        assert_eq!(unsafe { Text::new(core::ptr::null_mut()) }.as_c_str(), c"");
    }
}
