// SPDX-License-Identifier: BSD-2-Clause

//! System calls from Rust, for a C root server: the raw layer, under C's own names.

#![no_std]

use libsel4_sys::*;

/// CNode of the root server, for calls that take a CNode with index and depth.
const ROOT: seL4_CNode = seL4_CapInitThreadCNode;
const DEPTH: seL4_Uint8 = seL4_WordBits as seL4_Uint8;

/// Values that Rust reads from BootInfo.
#[repr(C)]
pub struct Summary {
    /// Address of the IPC buffer.
    pub ipc_buffer: *mut seL4_IPCBuffer,
    /// The first free slot.
    pub first_free: seL4_Word,
    /// Number of untypeds.
    pub untypeds: seL4_Word,
    /// The sum of their sizes, in bytes, modulo a word.
    pub bytes: seL4_Word,
    /// `CONFIG_ROOT_CNODE_SIZE_BITS` as Rust knows it.
    pub root_cnode_size_bits: seL4_Word,
    /// Set if Rust was compiled for an MCS kernel.
    pub mcs: bool,
}

/// # Safety
///
/// `info` is the root server's BootInfo.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscalls_read(info: *const seL4_BootInfo) -> Summary {
    // SAFETY: the caller says so, and nobody writes to it.
    let info = unsafe { &*info };
    let used = info.untyped.end - info.untyped.start;
    let untypeds = &info.untypedList[..used];
    Summary {
        ipc_buffer: info.ipcBuffer,
        first_free: info.empty.start,
        untypeds: untypeds.len(),
        bytes: untypeds.iter().fold(0, |sum: seL4_Word, untyped| {
            sum.wrapping_add(1 << untyped.sizeBits)
        }),
        root_cnode_size_bits: config::CONFIG_ROOT_CNODE_SIZE_BITS,
        mcs: cfg!(CONFIG_KERNEL_MCS),
    }
}

/// Makes an endpoint and a notification in the slots `slot` and `slot + 1`, out of an untyped that is
/// large enough for both, and in `slot + 2` a copy of the notification with `badge`.
///
/// # Safety
///
/// `info` is the root server's BootInfo, and the slots are free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscalls_make(
    info: *const seL4_BootInfo,
    slot: seL4_CPtr,
    badge: seL4_Word,
) -> seL4_Error {
    // SAFETY: the caller says so.
    let info = unsafe { &*info };
    let used = info.untyped.end - info.untyped.start;
    let found = info.untypedList[..used].iter().position(|untyped| {
        untyped.isDevice == 0 && seL4_Word::from(untyped.sizeBits) > seL4_NotificationBits
    });
    let Some(index) = found else {
        return seL4_NotEnoughMemory;
    };
    let untyped = info.untyped.start + index;
    for (kind, slot) in [
        (seL4_EndpointObject, slot),
        (seL4_NotificationObject, slot + 1),
    ] {
        // SAFETY: the slot is free; endpoints and notifications are no memory of this program.
        let error = unsafe { seL4_Untyped_Retype(untyped, kind, 0, ROOT, 0, 0, slot, 1) };
        if error != seL4_NoError {
            return error;
        }
    }
    // SAFETY: the slot is free.
    unsafe {
        let rights = seL4_CapRights_new(0, 0, 1, 1);
        seL4_CNode_Mint(ROOT, slot + 2, DEPTH, ROOT, slot + 1, DEPTH, rights, badge)
    }
}

/// Signals `to`, and takes from `from` what is pending then: the badge. Takes once more, for nothing.
///
/// # Safety
///
/// Both are capabilities to one notification, on which nobody else waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscalls_signal(to: seL4_CPtr, from: seL4_CPtr) -> seL4_Word {
    let (mut first, mut second) = (0, 0);
    // SAFETY: both variables outlive the calls.
    unsafe {
        seL4_Signal(to);
        seL4_Poll(from, &mut first);
        seL4_Poll(from, &mut second);
        // What was pending is cleared by the taking.
        if second != 0 { 0 } else { first }
    }
}

/// Message registers, written and read by Rust, of which C sees the same buffer: the sum of the first `count`.
#[unsafe(no_mangle)]
pub extern "C" fn syscalls_sum(count: seL4_Word) -> seL4_Word {
    let registers = 0..count.min(seL4_MsgMaxLength) as core::ffi::c_int;
    // SAFETY: the indices are those of message registers.
    registers.map(|index| unsafe { seL4_GetMR(index) }).sum()
}

/// Error of the kernel for a retype of too many objects.
#[repr(C)]
pub struct Refusal {
    /// The error.
    pub error: seL4_Error,
    /// Lower bound of a `seL4_RangeError`.
    pub least: seL4_Word,
    /// Upper bound of a `seL4_RangeError`.
    pub most: seL4_Word,
}

/// Asks for `count` endpoints at once in free slots from `slot` on, and reports the refusal.
/// Makes an invalid retype. C's stub puts the details of the error into the IPC buffer.
///
/// # Safety
///
/// `untyped` is a capability to an untyped; `count` is too large.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscalls_refused(
    untyped: seL4_CPtr,
    slot: seL4_CPtr,
    count: seL4_Word,
) -> Refusal {
    // SAFETY: the kernel makes nothing; the registers are those of an error.
    unsafe {
        let error = seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ROOT, 0, 0, slot, count);
        Refusal {
            error,
            least: seL4_GetMR(0),
            most: seL4_GetMR(1),
        }
    }
}

/// Gives the root server's thread the name `name` in the kernel's messages, where the kernel can do that.
///
/// # Safety
///
/// `name` is a C string.
#[cfg_attr(not(CONFIG_DEBUG_BUILD), expect(unused_variables))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscalls_name(name: *const core::ffi::c_char) -> bool {
    #[cfg(CONFIG_DEBUG_BUILD)]
    // SAFETY: a string, as the caller says, and the kernel copies it.
    unsafe {
        seL4_DebugNameThread(seL4_CapInitThreadTCB, name);
    }
    cfg!(CONFIG_DEBUG_BUILD)
}
