// SPDX-License-Identifier: BSD-2-Clause

//! Debugging system calls of the kernel.

use core::ffi::{CStr, c_char};

use super::{
    seL4_CPtr, seL4_GetIPCBuffer, seL4_MsgMaxLength, seL4_SysDebugCapIdentify,
    seL4_SysDebugDumpScheduler, seL4_SysDebugHalt, seL4_SysDebugNameThread, seL4_SysDebugPutChar,
    seL4_SysDebugSnapshot, seL4_SysSetTLSBase, seL4_Syscall_ID, seL4_Uint32, seL4_Word,
};
use crate::host::{Registers, trap};

/// # Safety
///
/// The caller keeps the contract of the system call.
unsafe fn simple(number: seL4_Syscall_ID, argument: seL4_Word) -> seL4_Word {
    // SAFETY: as the caller promises.
    unsafe {
        trap(
            number,
            Registers {
                cap: argument,
                ..Default::default()
            },
        )
        .cap
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_DebugPutChar(c: c_char) {
    // SAFETY: the call accesses no memory of the caller.
    unsafe { simple(seL4_SysDebugPutChar, c as u8 as usize) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_DebugPutString(text: *mut c_char) {
    // SAFETY: the caller passes a C string.
    unsafe {
        for byte in CStr::from_ptr(text).to_bytes() {
            seL4_DebugPutChar(*byte as c_char);
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_DebugDumpScheduler() {
    // SAFETY: the call accesses no memory of the caller.
    unsafe { simple(seL4_SysDebugDumpScheduler, 0) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_DebugHalt() {
    // SAFETY: the call accesses no memory of the caller.
    unsafe { simple(seL4_SysDebugHalt, 0) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_DebugSnapshot() {
    // SAFETY: the call accesses no memory of the caller.
    unsafe { simple(seL4_SysDebugSnapshot, 0) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_DebugCapIdentify(cap: seL4_CPtr) -> seL4_Uint32 {
    // SAFETY: the call accesses no memory of the caller.
    unsafe { simple(seL4_SysDebugCapIdentify, cap) as seL4_Uint32 }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_DebugNameThread(tcb: seL4_CPtr, name: *const c_char) {
    // SAFETY: the caller has an IPC buffer; a name that does not fit is truncated.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes();
        let name = &name[..name
            .len()
            .min(seL4_MsgMaxLength * size_of::<seL4_Word>() - 1)];
        let to = (&raw mut (*seL4_GetIPCBuffer()).msg).cast::<u8>();
        to.copy_from_nonoverlapping(name.as_ptr(), name.len());
        to.add(name.len()).write(0);
        simple(seL4_SysDebugNameThread, tcb);
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_SetTLSBase(tls_base: seL4_Word) {
    // SAFETY: as the caller promises.
    unsafe { simple(seL4_SysSetTLSBase, tls_base) };
}
