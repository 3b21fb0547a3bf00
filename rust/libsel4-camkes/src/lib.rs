// SPDX-License-Identifier: BSD-2-Clause

//! Interfaces of an instance of a CAmkES component.
//!
//! [`sys`] has all of the instance's camkes.h. Beside it stands a module for each interface, with safe functions:
//!
//! | in the component | here |
//! |---|---|
//! | `uses P x`, method `m` | `camkes::x::m(…)`; `string` is `&CStr` or [`Text`], `in T[]` a slice, `out T[]` an [`Array`] |
//! | `provides P x` | the trait `camkes::x::Methods`, and `camkes::provide_x!(Type)`, which exports those of a type |
//! | `emits E x` | `camkes::x::emit()` |
//! | `consumes E x` | `camkes::x::wait()`, `poll()`, `on(callback)` |
//! | `consumes E x`, an interrupt | `camkes::x::acknowledge()`; the crate exports `x_handle` |
//! | `dataport T x` | `camkes::x::dataport()`, a [`Dataport`]: memory, or registers of a device |
//! | `has mutex x` | `camkes::x::lock()`, which gives a guard |
//! | `has semaphore x` | `camkes::x::wait()`, `try_wait()`, `post()` |
//! | `maybe uses`, `maybe consumes`, `maybe dataport` | as above, and `camkes::x::is_connected()`; `dataport()` is an `Option` |
//! | `attribute T x` | `camkes::attributes::x()` |
//!
//! Methods with a parameter that has no safe form, such as a pointer or an array of strings, are in [`sys`] alone. So is the
//! way to provide a procedure with such a method: as functions that the crate exports. `provides Sums sums` with a method
//! `add` is `extern "C" fn sums_add` then, and the C compiler compares it with camkes.h.
#![no_std]

use core::ffi::{CStr, c_char, c_void};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr;
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
    clashing_extern_declarations,
    missing_docs,
    non_snake_case,
    unused,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
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

/// Keeps the capability by which this thread replies to its caller. Corresponds to `camkes_protect_reply_cap`.
///
/// Without MCS, a method of a provided procedure that receives from an endpoint itself, by libsel4 or in C, loses this
/// capability, and its caller waits for ever. Call this function first then. Functions of this crate, mutexes and the heap
/// use notifications and calls, which lose nothing. With MCS there is nothing to keep.
pub fn protect_reply() {
    unsafe extern "C" {
        fn sel4_rust_protect_reply();
    }
    // SAFETY: the kit's template defines the function for each instance. It may be called in any thread of CAmkES'.
    unsafe { sel4_rust_protect_reply() }
}

/// Ends the thread, which uses an interface that the assembly does not connect.
#[allow(dead_code, reason = "only components with optional interfaces need it")]
#[cold]
fn unconnected(interface: &str) -> ! {
    panic!(
        "the optional interface `{interface}` is not connected in this instance\n\
         help: ask `camkes::{interface}::is_connected()` first, or connect it in the assembly"
    )
}

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

    /// Reads the value at `offset`: a register of a device, say. An integer is read by one access.
    ///
    /// # Panics
    ///
    /// When the value is not in the dataport, or not aligned.
    #[must_use]
    pub fn read_at<V: Plain>(self, offset: usize) -> V {
        let place = self.place::<V>(offset);
        // SAFETY: `place` checked that the value is in the memory that `new` was given, aligned; any bytes are one.
        let value = unsafe { place.read_volatile() };
        self.acquire();
        value
    }

    /// Writes a value at `offset`: to a register of a device, say. An integer is written by one access.
    ///
    /// # Panics
    ///
    /// When the value is not in the dataport, or not aligned.
    pub fn write_at<V: Plain>(self, offset: usize, value: V) {
        let place = self.place::<V>(offset);
        self.release();
        // SAFETY: as in `read_at`.
        unsafe { place.write_volatile(value) };
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

    fn place<V>(self, offset: usize) -> *mut V {
        let place = self.range(offset, size_of::<V>()).cast::<V>();
        assert!(
            place.is_aligned(),
            "a value of {} bytes is not aligned at {offset}",
            size_of::<V>()
        );
        place
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

/// Text in C's memory, which is freed with it: one that a call returned, or that a method of a provided procedure returns.
/// CAmkES passes texts between components in such memory.
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

    /// Copies a text into C's memory. Without any left, the text is empty.
    #[must_use]
    pub fn copy_of(text: &CStr) -> Self {
        Self(text_for_c(text))
    }

    /// Returns the memory, which C's `free` takes back. Null only where C's heap has no more memory.
    #[must_use]
    pub fn into_raw(self) -> *mut c_char {
        let text = ManuallyDrop::new(self).0;
        // CAmkES would look for the end of a text at a null pointer.
        if text.is_null() {
            text_for_c(c"")
        } else {
            text
        }
    }

    /// Frees the text; returns the place of the next one, for an `out string`.
    #[allow(dead_code, reason = "only components with such a method need it")]
    fn receive(&mut self) -> *mut *mut c_char {
        *self = Self::default();
        &raw mut self.0
    }

    /// Returns the place of the text, for an `inout string`: the call frees it and puts another there.
    #[allow(dead_code, reason = "only components with such a method need it")]
    fn pass(&mut self) -> *mut *mut c_char {
        if self.0.is_null() {
            self.0 = text_for_c(c"");
            assert!(!self.0.is_null(), "C's heap has no memory for a text");
        }
        &raw mut self.0
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

impl Default for Text {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

impl From<&CStr> for Text {
    fn from(text: &CStr) -> Self {
        Self::copy_of(text)
    }
}

unsafe extern "C" {
    fn malloc(bytes: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: by the contract of `new`, `malloc` returned it.
        unsafe { free(self.0.cast()) };
    }
}

/// Array in C's memory, which is freed with it: one that a call gave as an `out T[]`, or that a method of a provided procedure
/// gives.
pub struct Array<T: Plain> {
    start: *mut T,
    length: usize,
}

impl<T: Plain> Array<T> {
    /// Takes over the `length` elements at `start`.
    ///
    /// # Safety
    ///
    /// `start` is null, or `malloc` returned it and so many elements are there; nothing else frees it.
    #[must_use]
    pub const unsafe fn new(start: *mut T, length: usize) -> Self {
        Self { start, length }
    }

    /// Copies elements into C's memory. Without enough left, the array is empty.
    #[must_use]
    pub fn copy_of(elements: &[T]) -> Self {
        // SAFETY: any size may be asked for.
        let start: *mut T = unsafe { malloc(size_of_val(elements)) }.cast();
        if start.is_null() {
            return Self::default();
        }
        // SAFETY: the block has so many bytes, is new, and aligned for any type of C's.
        unsafe { ptr::copy_nonoverlapping(elements.as_ptr(), start, elements.len()) };
        Self {
            start,
            length: elements.len(),
        }
    }

    /// Returns the memory, which C's `free` takes back, and the number of elements.
    #[must_use]
    pub fn into_raw(self) -> (*mut T, usize) {
        let array = ManuallyDrop::new(self);
        (array.start, array.length)
    }

    /// Frees the elements; returns the places of the next ones, for an `out T[]`.
    #[allow(dead_code, reason = "only components with such a method need it")]
    fn receive(&mut self) -> (*mut usize, *mut *mut T) {
        *self = Self::default();
        self.pass()
    }

    /// Returns the places of the elements, for an `inout T[]`: the call frees them and puts others there.
    #[allow(dead_code, reason = "only components with such a method need it")]
    fn pass(&mut self) -> (*mut usize, *mut *mut T) {
        (&raw mut self.length, &raw mut self.start)
    }
}

impl<T: Plain> Default for Array<T> {
    fn default() -> Self {
        Self {
            start: ptr::null_mut(),
            length: 0,
        }
    }
}

impl<T: Plain> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: by the contract of `new`, so many elements are there, and any bytes are one.
        unsafe { slice(self.start, self.length) }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Plain> Drop for Array<T> {
    fn drop(&mut self) {
        // SAFETY: by the contract of `new`, `malloc` returned it.
        unsafe { free(self.start.cast()) };
    }
}

/// Returns the elements of an array of C's, for the functions that `provide_…!` exports.
///
/// # Safety
///
/// `start` is null, or so many elements are there, and nothing writes to them.
#[doc(hidden)]
#[must_use]
pub unsafe fn slice<'a, T: Plain>(start: *const T, length: usize) -> &'a [T] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: by the contract of this function.
    unsafe { core::slice::from_raw_parts(start, length) }
}

/// Returns a copy of `text` in C's memory, for a function that CAmkES calls and whose result it frees: one of a provided
/// procedure that returns a `string`. Null where C's heap has no more memory, which CAmkES takes for a failed call.
#[must_use]
pub fn text_for_c(text: &CStr) -> *mut c_char {
    let bytes = text.to_bytes_with_nul();
    // SAFETY: any size may be asked for.
    let block: *mut u8 = unsafe { malloc(bytes.len()) }.cast();
    if !block.is_null() {
        // SAFETY: the block has so many bytes, and is new.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len()) };
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
    fn registers_are_read_and_written_at_their_offsets() {
        let mut memory = [0_u32; 4];
        // SAFETY: `memory` is used through the dataport alone.
        let port = unsafe { Dataport::<c_void>::new((&raw mut memory).cast(), 16) };
        port.write_at(4, 7_u32);
        assert_eq!((port.read_at::<u32>(4), port.read_at::<u32>(8)), (7, 0));
    }

    #[test]
    #[should_panic(expected = "a value of 4 bytes is not aligned at 2")]
    fn a_register_at_an_odd_offset_is_refused() {
        let mut memory = [0_u32; 4];
        // SAFETY: `memory` is used through the dataport alone.
        let port = unsafe { Dataport::<c_void>::new((&raw mut memory).cast(), 16) };
        port.write_at(2, 7_u32);
    }

    #[test]
    fn texts_and_arrays_are_received_and_passed() {
        let mut text = Text::default();
        // SAFETY: the place is that of the text, which is null.
        unsafe { *text.receive() = text_for_c(c"one") };
        assert_eq!(text.as_c_str(), c"one");
        // SAFETY: as before; the old text is freed, as CAmkES does.
        unsafe {
            let place = text.pass();
            free((*place).cast());
            *place = text_for_c(c"two");
        }
        assert_eq!(text.as_c_str(), c"two");
        // SAFETY: `into_raw` gives a text of malloc's.
        let empty = unsafe { Text::new(Text::default().into_raw()) };
        assert_eq!(empty.as_c_str(), c"");

        let (start, length) = Array::copy_of(&[1_u32, 2, 3]).into_raw();
        // SAFETY: `into_raw` gives an array of malloc's.
        let mut array = unsafe { Array::new(start, length) };
        assert_eq!(*array, [1, 2, 3]);
        // SAFETY: the places are those of the array.
        unsafe { assert_eq!(array.receive().0.read(), 0) };
        assert!(array.is_empty());
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
