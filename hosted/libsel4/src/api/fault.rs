// SPDX-License-Identifier: BSD-2-Clause

//! Faults, as a fault handler receives them.

use super::*;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_getFault(tag: seL4_MessageInfo_t) -> seL4_Fault_t {
    // SAFETY: the caller has an IPC buffer, which holds the fault of this tag.
    unsafe {
        match label(tag) {
            seL4_Fault_CapFault => message(
                seL4_Fault_CapFault,
                seL4_CapFault_GuardMismatch_BitsFound + 1,
            ),
            _ => seL4_getArchFault(tag),
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_getArchFault(tag: seL4_MessageInfo_t) -> seL4_Fault_t {
    // SAFETY: the caller has an IPC buffer, which holds the fault of this tag.
    unsafe {
        match label(tag) {
            seL4_Fault_UnknownSyscall => {
                message(seL4_Fault_UnknownSyscall, seL4_UnknownSyscall_Length)
            }
            seL4_Fault_UserException => {
                message(seL4_Fault_UserException, seL4_UserException_Length)
            }
            seL4_Fault_VMFault => message(seL4_Fault_VMFault, seL4_VMFault_Length),
            #[cfg(feature = "mcs")]
            seL4_Fault_Timeout => message(seL4_Fault_Timeout, seL4_Timeout_Length),
            _ => seL4_Fault_NullFault_new(),
        }
    }
}

fn label(tag: seL4_MessageInfo_t) -> usize {
    // SAFETY: the function accesses no memory.
    unsafe { seL4_MessageInfo_get_label(tag) as usize }
}

/// Makes a fault of `kind`, whose `length` fields are the first words of the message.
///
/// # Safety
///
/// The caller has an IPC buffer.
unsafe fn message(kind: usize, length: usize) -> seL4_Fault_t {
    let mut fault = seL4_Fault::default();
    fault.words[0] = kind as seL4_Uint64;
    for index in 0..length {
        // The first field is the highest word. SAFETY: as the caller promises.
        fault.words[length - index] = unsafe { seL4_GetMR(index as _) } as seL4_Uint64;
    }
    fault
}

macro_rules! tags {
    ($($name:ident $kind:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(tag: seL4_MessageInfo_t) -> seL4_Bool {
            (label(tag) == $kind).into()
        }
    )*};
}

tags! {
    seL4_isVMFault_tag seL4_Fault_VMFault;
    seL4_isUnknownSyscall_tag seL4_Fault_UnknownSyscall;
    seL4_isUserException_tag seL4_Fault_UserException;
    seL4_isNullFault_tag seL4_Fault_NullFault;
    seL4_isCapFault_tag seL4_Fault_CapFault;
}

#[cfg(feature = "mcs")]
tags! {
    seL4_isTimeoutFault_tag seL4_Fault_Timeout;
}

#[cfg(feature = "mcs")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_TimeoutReply_new(
    resume: seL4_Bool,
    regs: seL4_UserContext,
    length: seL4_Word,
) -> seL4_MessageInfo_t {
    let registers = (&raw const regs).cast::<seL4_Word>();
    // SAFETY: the caller has an IPC buffer, and asks for no more registers than there are.
    unsafe {
        for index in 0..length {
            seL4_SetMR(index as _, registers.add(index).read());
        }
        seL4_MessageInfo_new((resume == 0).into(), 0, 0, length as seL4_Uint64)
    }
}
