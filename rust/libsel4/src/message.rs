// SPDX-License-Identifier: BSD-2-Clause

//! The message in the IPC buffer: registers, values of Rust's types, capabilities.
//!
//! The buffer belongs to the thread, and every system call may change it. So nothing here lends a
//! reference to it or keeps its address: each access asks C where it is, and each read reads.
//! Invocations use the same registers: write a message last before sending it, and read it
//! first after receiving it.

use core::mem::MaybeUninit;

use libsel4_sys as sys;

use crate::cap::{Cap, Slot};
use crate::kind::Kind;
use crate::slot::EmptySlot;
use crate::value::{Badge, MessageInfo};

/// Corresponds to `seL4_MsgMaxLength`. How many message registers there are.
#[doc(alias = "seL4_MsgMaxLength")]
pub const REGISTERS: usize = sys::seL4_MsgMaxLength;

/// Corresponds to `seL4_MsgMaxExtraCaps`. How many capabilities a message can carry.
#[doc(alias = "seL4_MsgMaxExtraCaps")]
pub const CAPS: usize = sys::seL4_MsgMaxExtraCaps;

/// Corresponds to `seL4_GetMR`. Returns the register with this index, 0 if there is none.
#[doc(alias = "seL4_GetMR")]
#[inline]
pub fn register(index: usize) -> usize {
    if index >= REGISTERS {
        return 0;
    }
    // SAFETY: there is such a register.
    unsafe { sys::seL4_GetMR(index as core::ffi::c_int) }
}

/// The first of the registers, which are the running thread's until it makes a system call.
fn registers() -> *mut usize {
    // SAFETY: a read of where this thread's buffer is.
    let buffer = unsafe { sys::seL4_GetIPCBuffer() };
    debug_assert!(
        !buffer.is_null(),
        "this thread has no IPC buffer: it begins with set_ipc_buffer()"
    );
    // SAFETY: it stays within the buffer.
    unsafe { (&raw mut (*buffer).msg).cast() }
}

/// Corresponds to `seL4_GetMR`. The register `INDEX`, below [`REGISTERS`]; the compiler sees to that.
///
/// ```compile_fail,E0080
/// let value = libsel4::message::get_mr::<{ libsel4::message::REGISTERS }>();
/// ```
#[doc(alias = "seL4_GetMR")]
#[inline]
pub fn get_mr<const INDEX: usize>() -> usize {
    const { assert!(INDEX < REGISTERS, "there is no such message register") };
    register(INDEX)
}

/// Corresponds to `seL4_SetMR`. Sets the register `INDEX`, below [`REGISTERS`]; the compiler sees to that.
#[doc(alias = "seL4_SetMR")]
#[inline]
pub fn set_mr<const INDEX: usize>(value: usize) {
    const { assert!(INDEX < REGISTERS, "there is no such message register") };
    // SAFETY: there is such a register.
    unsafe { sys::seL4_SetMR(INDEX as core::ffi::c_int, value) }
}

/// Corresponds to `seL4_SetMR`. Sets the register with this index, which may be computed.
///
/// # Panics
///
/// If there is no such register.
#[doc(alias = "seL4_SetMR")]
#[inline]
pub fn set_register(index: usize, value: usize) {
    assert!(index < REGISTERS, "there is no such message register");
    // SAFETY: there is such a register.
    unsafe { sys::seL4_SetMR(index as core::ffi::c_int, value) }
}

/// Copies words into the registers from 0 on, and describes them as a message with this label.
/// Words beyond [`REGISTERS`] are left out; the length of the result is the number of words written.
#[inline]
pub fn write(label: usize, words: &[usize]) -> MessageInfo {
    let length = words.len().min(REGISTERS);
    // SAFETY: there are that many words and registers, and nobody has a reference to the latter.
    unsafe { registers().copy_from_nonoverlapping(words.as_ptr(), length) };
    MessageInfo::new(label, 0, 0, length)
}

/// Copies the registers of a message that came into `words`, and returns how many there were for it.
#[inline]
pub fn read(info: MessageInfo, words: &mut [usize]) -> usize {
    let length = words.len().min(info.length()).min(REGISTERS);
    // SAFETY: there are that many words and registers, and nobody has a reference to the latter.
    unsafe { registers().copy_to_nonoverlapping(words.as_mut_ptr(), length) };
    length
}

/// A type whose values can be sent as they lie in memory. C's side of it is a structure that is
/// copied from or to the message registers of `seL4_IPCBuffer`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::message::{self, Plain};
///
/// #[derive(Clone, Copy, PartialEq, Debug)]
/// #[repr(C)]
/// struct Point {
///     x: u32,
///     y: u32,
/// }
/// // SAFETY: two integers without padding.
/// unsafe impl Plain for Point {}
///
/// let info = message::put(0, &Point { x: 3, y: 4 });
/// assert_eq!(message::take(info), Some(Point { x: 3, y: 4 }));
/// # Ok(()) }) }
/// ```
///
/// # Safety
///
/// The type has no bytes that are padding, any pattern of bits is a value of it, and it has no
/// pointers or references.
pub unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($type:ty),*) => {$(
        // SAFETY: an integer or float has none of what is forbidden.
        unsafe impl Plain for $type {}
    )*};
}

plain!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    ()
);

// SAFETY: an array has no bytes but those of its elements.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

const WORD: usize = size_of::<usize>();

/// Returns the number of registers for a `T`.
const fn registers_of<T>() -> usize {
    size_of::<T>().div_ceil(WORD)
}

/// Writes `value` into the registers from 0 on, and describes it as a message with this label. That
/// it fits, the compiler sees to:
///
/// ```compile_fail,E0080
/// let info = libsel4::message::put(0, &[0_u64; 1000]);
/// ```
#[inline]
pub fn put<T: Plain>(label: usize, value: &T) -> MessageInfo {
    const { assert!(registers_of::<T>() <= REGISTERS, "too large for a message") };
    if size_of::<T>() > 0 {
        let registers = registers();
        // SAFETY: the registers hold as much, and nobody has a reference to them. None of the value's
        // bytes is padding, as `Plain` says, and what it leaves of the last register is 0.
        unsafe {
            if align_of::<T>() < align_of::<usize>() {
                registers.add(registers_of::<T>() - 1).write(0);
                registers.cast::<T>().write(*value);
            } else {
                // It may be aligned to more than a word, as the registers are not.
                let words = (&raw const *value).cast::<usize>();
                registers.copy_from_nonoverlapping(words, registers_of::<T>());
            }
        }
    }
    MessageInfo::new(label, 0, 0, registers_of::<T>())
}

/// The value in a message that came, from register 0 on; `None` if the message is shorter than that.
#[inline]
pub fn take<T: Plain>(info: MessageInfo) -> Option<T> {
    const { assert!(registers_of::<T>() <= REGISTERS, "too large for a message") };
    if info.length() < registers_of::<T>() {
        return None;
    }
    if align_of::<T>() < align_of::<usize>() {
        // SAFETY: the registers hold as much, and any bits are a value, as `Plain` says.
        return Some(unsafe { registers().cast::<T>().read() });
    }
    let mut value = MaybeUninit::<T>::uninit();
    let words = value.as_mut_ptr().cast::<usize>();
    // SAFETY: as above; it consists of words.
    unsafe {
        registers().copy_to_nonoverlapping(words, registers_of::<T>());
        Some(value.assume_init())
    }
}

/// Corresponds to `seL4_SetCap`. Sets extra capability `INDEX`, below [`CAPS`], of the next message
/// whose [`MessageInfo::extra_caps`] counts it, through an endpoint capability with the right to grant.
#[doc(alias = "seL4_SetCap")]
#[inline]
pub fn set_cap<const INDEX: usize, T: Kind>(cap: Cap<T>) {
    const { assert!(INDEX < CAPS, "a message carries fewer capabilities") };
    // SAFETY: there is such an entry.
    unsafe { sys::seL4_SetCap(INDEX as core::ffi::c_int, cap.word()) }
}

/// Corresponds to `seL4_GetBadge`. The badge of capability `INDEX`, below [`CAPS`], of a message that
/// came, where [`MessageInfo::caps_unwrapped`] says that it was unwrapped.
#[doc(alias = "seL4_GetBadge")]
#[inline]
pub fn get_badge<const INDEX: usize>() -> Badge {
    const { assert!(INDEX < CAPS, "a message carries fewer capabilities") };
    // SAFETY: there is such an entry.
    unsafe { sys::seL4_GetBadge(INDEX as core::ffi::c_int) }
}

/// Corresponds to `seL4_SetCapReceivePath`. Names the slot for a capability that comes with a message to
/// the running thread. The kernel fills it only while it is empty, and keeps the first capability that
/// is not unwrapped.
#[doc(alias = "seL4_SetCapReceivePath")]
#[inline]
pub fn set_cap_receive_path(slot: EmptySlot) -> ReceiveSlot {
    let to = slot.slot();
    // SAFETY: the numbers are only read when something is received, and no `Cap` names the slot.
    unsafe {
        sys::seL4_SetCapReceivePath(to.root().word(), to.index(), usize::from(to.depth()));
    }
    ReceiveSlot { slot }
}

/// Slot that a message fills: the receive path of a thread, from [`set_cap_receive_path`] on.
///
/// Any kind of capability may come to lie there, and only the program knows which senders it trusts to
/// send one kind. So giving it a type is `unsafe`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::message::{self, ReceiveSlot};
///
/// let path: ReceiveSlot = message::set_cap_receive_path(objects.slot()?);
/// assert_ne!(path.slot().index(), 0);
/// # Ok(()) }) }
/// ```
#[derive(PartialEq, Eq, Debug)]
pub struct ReceiveSlot {
    slot: EmptySlot,
}

impl ReceiveSlot {
    /// Returns the address of the slot.
    #[inline]
    pub const fn slot(&self) -> Slot {
        self.slot.slot()
    }

    /// Returns the capability that came.
    ///
    /// # Safety
    ///
    /// Those of [`Cap::from_word`]: a message has brought a capability to an object of the kind `T`, and
    /// as long as the result or a copy of it is used, no capability of another kind follows it there,
    /// which would take deleting this one first.
    #[inline]
    pub const unsafe fn cap<T: Kind>(&self) -> Cap<T> {
        // SAFETY: the contract is the same.
        unsafe { self.slot.slot().cap() }
    }

    /// Returns the slot, which may then be filled otherwise.
    ///
    /// # Safety
    ///
    /// Those of [`EmptySlot::from_slot`]. In particular the receive path of the thread is another one by
    /// now.
    #[inline]
    pub unsafe fn into_empty(self) -> EmptySlot {
        self.slot
    }
}

/// Corresponds to `seL4_GetUserData`. A word of the IPC buffer that is free for the program.
#[doc(alias = "seL4_GetUserData")]
#[inline]
pub fn get_user_data() -> usize {
    // SAFETY: a read of the own buffer.
    unsafe { sys::seL4_GetUserData() }
}

/// Corresponds to `seL4_SetUserData`.
#[doc(alias = "seL4_SetUserData")]
#[inline]
pub fn set_user_data(value: usize) {
    // SAFETY: a write to the own buffer.
    unsafe { sys::seL4_SetUserData(value) }
}

/// Corresponds to `seL4_SetIPCBuffer`. Tells C, and with it this crate, where the IPC buffer of the
/// running thread is. A thread that did not come from C's runtime does this first.
///
/// # Safety
///
/// The thread's thread-local storage is set up. `buffer` is the address that the thread's IPC buffer
/// was configured with, and mapped there for reading and writing as long as the thread runs; nobody
/// else uses the memory.
#[doc(alias = "seL4_SetIPCBuffer")]
#[inline]
pub unsafe fn set_ipc_buffer(buffer: *mut sys::seL4_IPCBuffer) {
    // SAFETY: the buffer is the running thread's, and mapped as long as the thread runs, by the contract of this function.
    unsafe { sys::seL4_SetIPCBuffer(buffer) }
}
