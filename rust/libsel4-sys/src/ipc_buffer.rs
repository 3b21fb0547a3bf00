// SPDX-License-Identifier: BSD-2-Clause

//! Access to the message registers, for builds that call C's functions: a call takes several times what the
//! access takes in C, which inlines it. These do what C's do, and stand in their place.
//!
//! C's thread-local variable `__sel4_ipc_buffer` leads to the buffer.

#![allow(non_snake_case)]

use core::arch::asm;
use core::ffi::c_int;

use crate::{seL4_IPCBuffer, seL4_Word};

/// Returns the address of C's variable in the running thread. The linker computes its distance from the
/// thread pointer, and refuses a variable that is missing or is not thread-local.
#[inline]
fn variable() -> *const *mut seL4_IPCBuffer {
    let address;
    // SAFETY: the instructions read the thread pointer, which stays the same as long as the thread runs,
    // and change nothing but the register of the result.
    unsafe {
        #[cfg(target_arch = "aarch64")]
        asm!(
            "mrs {0}, tpidr_el0",
            "add {0}, {0}, :tprel_hi12:__sel4_ipc_buffer",
            "add {0}, {0}, :tprel_lo12_nc:__sel4_ipc_buffer",
            out(reg) address,
            options(pure, nomem, nostack, preserves_flags)
        );
        // The distance lies beside the instructions: elsewhere it might be too far from them.
        #[cfg(target_arch = "arm")]
        asm!(
            "b 3f",
            ".p2align 2",
            "2: .long __sel4_ipc_buffer(tpoff)",
            "3: ldr {0}, 2b",
            "mrc p15, 0, {1}, c13, c0, 3",
            "add {0}, {0}, {1}",
            out(reg) address,
            out(reg) _,
            options(pure, nomem, nostack, preserves_flags)
        );
        #[cfg(target_arch = "riscv64")]
        asm!(
            "lui {0}, %tprel_hi(__sel4_ipc_buffer)",
            "add {0}, {0}, tp, %tprel_add(__sel4_ipc_buffer)",
            "addi {0}, {0}, %tprel_lo(__sel4_ipc_buffer)",
            out(reg) address,
            options(pure, nomem, nostack, preserves_flags)
        );
        #[cfg(target_arch = "x86_64")]
        asm!(
            "mov {0}, qword ptr fs:[0]",
            "lea {0}, [{0} + __sel4_ipc_buffer@TPOFF]",
            out(reg) address,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    address
}

/// Returns the address of the running thread's IPC buffer.
///
/// # Safety
///
/// The thread's thread-local storage is set up.
#[inline]
pub unsafe extern "C" fn seL4_GetIPCBuffer() -> *mut seL4_IPCBuffer {
    // SAFETY: the thread has the variable, and only the thread itself writes it.
    unsafe { *variable() }
}

/// Returns message register `i` of the running thread.
///
/// # Safety
///
/// The thread has an IPC buffer, and there is such a register.
#[inline]
pub unsafe extern "C" fn seL4_GetMR(i: c_int) -> seL4_Word {
    // SAFETY: the register is in the buffer, which is the thread's own.
    unsafe {
        (&raw const (*seL4_GetIPCBuffer()).msg)
            .cast::<seL4_Word>()
            .offset(i as isize)
            .read()
    }
}

/// Sets message register `i` of the running thread.
///
/// # Safety
///
/// The thread has an IPC buffer, and there is such a register.
#[inline]
pub unsafe extern "C" fn seL4_SetMR(i: c_int, mr: seL4_Word) {
    // SAFETY: the register is in the buffer, which is the thread's own.
    unsafe {
        (&raw mut (*seL4_GetIPCBuffer()).msg)
            .cast::<seL4_Word>()
            .offset(i as isize)
            .write(mr)
    }
}
