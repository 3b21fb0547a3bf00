// SPDX-License-Identifier: BSD-2-Clause
//! Enters the kernel through functions that libsel4 inlines in C.
#![cfg_attr(not(feature = "std"), no_std)]

/// Prints a line and raises the priority of the root server by nothing. Returns the kernel's answer.
#[unsafe(no_mangle)]
pub extern "C" fn greet() -> libsel4_sys::seL4_Error {
    #[cfg(feature = "std")]
    println!("Hello from std");
    // SAFETY: the initial thread has its TCB's capability in this slot, and an IPC buffer.
    unsafe {
        for letter in b"Hello from Rust\n" {
            libsel4_sys::seL4_DebugPutChar(*letter as _);
        }
        libsel4_sys::seL4_TCB_SetPriority(
            libsel4_sys::seL4_CapInitThreadTCB as _,
            libsel4_sys::seL4_CapInitThreadTCB as _,
            libsel4_sys::seL4_MaxPrio as _,
        )
    }
}
