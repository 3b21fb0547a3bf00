// SPDX-License-Identifier: BSD-2-Clause

//! Access to the IPC buffer.

use core::ffi::c_int;

use super::{seL4_CPtr, seL4_IPCBuffer, seL4_Word};
use crate::host::host;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_SetIPCBuffer(ipc_buffer: *mut seL4_IPCBuffer) {
    // SAFETY: the host lives as long as its kernel runs.
    unsafe { (*host()).ipc_buffer.set(ipc_buffer) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_GetIPCBuffer() -> *mut seL4_IPCBuffer {
    // SAFETY: the host lives as long as its kernel runs.
    unsafe { (*host()).ipc_buffer.get() }
}

macro_rules! accessors {
    ($($get:ident $set:ident $field:ident $($index:ident)?: $type:ty;)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get($($index: c_int)?) -> $type {
            // SAFETY: the caller has an IPC buffer, and the index is within it.
            unsafe { (&raw const (*seL4_GetIPCBuffer()).$field).cast::<$type>() $(.offset($index as isize))? .read() }
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set($($index: c_int,)? value: $type) {
            // SAFETY: the caller has an IPC buffer, and the index is within it.
            unsafe { (&raw mut (*seL4_GetIPCBuffer()).$field).cast::<$type>() $(.offset($index as isize))? .write(value) }
        }
    )*};
}

accessors! {
    seL4_GetMR seL4_SetMR msg i: seL4_Word;
    seL4_GetCap seL4_SetCap caps_or_badges i: seL4_CPtr;
    seL4_GetUserData seL4_SetUserData userData: seL4_Word;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_GetBadge(i: c_int) -> seL4_Word {
    // SAFETY: as the caller promises; badges and capabilities share a field.
    unsafe { seL4_GetCap(i) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_GetCapReceivePath(
    cnode: *mut seL4_CPtr,
    index: *mut seL4_CPtr,
    depth: *mut seL4_Word,
) {
    // SAFETY: the caller has an IPC buffer, and its pointers are null or right.
    unsafe {
        let buffer = seL4_GetIPCBuffer();
        for (to, value) in [
            (cnode, (*buffer).receiveCNode),
            (index, (*buffer).receiveIndex),
            (depth, (*buffer).receiveDepth),
        ] {
            if !to.is_null() {
                *to = value;
            }
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_SetCapReceivePath(
    cnode: seL4_CPtr,
    index: seL4_CPtr,
    depth: seL4_Word,
) {
    // SAFETY: the caller has an IPC buffer.
    unsafe {
        let buffer = seL4_GetIPCBuffer();
        (*buffer).receiveCNode = cnode;
        (*buffer).receiveIndex = index;
        (*buffer).receiveDepth = depth;
    }
}
