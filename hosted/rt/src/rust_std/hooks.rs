// SPDX-License-Identifier: BSD-2-Clause

//! The functions of `<sel4std.h>`: the application's, if it defines them.

use std::arch::global_asm;
use std::ffi::{c_int, c_void};

use libc::timespec;
use sel4_hosted_libsel4::api::{seL4_CPtr, seL4_CapNull, seL4_MaxPrio, seL4_Word};

use super::threads;

// References that may stay open: then the address is 0.
global_asm!(
    ".weak sel4std_entropy, sel4std_wall_clock, sel4std_stdin, sel4std_exit",
    ".weak sel4std_new_object, sel4std_fault_endpoint, sel4std_priority",
    ".pushsection .data.rel.sel4_hosted_hooks, \"aw\"",
    ".balign 8",
    ".globl sel4_hosted_hooks",
    "sel4_hosted_hooks:",
    ".8byte sel4std_entropy",
    ".8byte sel4std_wall_clock",
    ".8byte sel4std_stdin",
    ".8byte sel4std_exit",
    ".8byte sel4std_new_object",
    ".8byte sel4std_fault_endpoint",
    ".8byte sel4std_priority",
    ".popsection",
);

/// The table above.
#[repr(C)]
struct Hooks {
    entropy: Option<unsafe extern "C" fn(*mut c_void, usize) -> c_int>,
    wall_clock: Option<unsafe extern "C" fn(*mut timespec) -> c_int>,
    stdin: Option<unsafe extern "C" fn(*mut c_void, usize) -> isize>,
    exit: Option<unsafe extern "C" fn(c_int)>,
    new_object: Option<unsafe extern "C" fn(seL4_Word, seL4_Word) -> seL4_CPtr>,
    fault_endpoint: Option<unsafe extern "C" fn(c_int) -> seL4_CPtr>,
    priority: Option<unsafe extern "C" fn(c_int) -> seL4_Word>,
}

unsafe extern "C" {
    static sel4_hosted_hooks: Hooks;
}

fn hooks() -> &'static Hooks {
    // SAFETY: the linker has filled it in, and it stays as it is.
    unsafe { std::hint::black_box(&sel4_hosted_hooks) }
}

/// Fills the bytes with what nobody can guess; what else there is for it, if the application has nothing.
pub(super) fn entropy(bytes: *mut c_void, count: usize) -> Option<bool> {
    // SAFETY: as the header says.
    hooks()
        .entropy
        .map(|hook| unsafe { hook(bytes, count) } == 0)
}

/// The date, if the application knows it.
pub(super) fn wall_clock(now: *mut timespec) -> bool {
    // SAFETY: as the header says.
    hooks()
        .wall_clock
        .is_some_and(|hook| unsafe { hook(now) } == 0)
}

/// Standard input; without the application's there is none.
pub(super) fn stdin(bytes: *mut c_void, count: usize) -> isize {
    // SAFETY: as the header says.
    hooks()
        .stdin
        .map_or(0, |hook| unsafe { hook(bytes, count) })
}

/// Whether kernel objects are the application's business.
pub(super) fn gives_objects() -> bool {
    hooks().new_object.is_some()
}

/// A kernel object of the application's.
pub(super) fn new_object(kind: seL4_Word, size_bits: seL4_Word) -> seL4_CPtr {
    let none = seL4_CapNull as seL4_CPtr;
    // SAFETY: as the header says.
    hooks()
        .new_object
        .map_or(none, |hook| unsafe { hook(kind, size_bits) })
}

/// Where faults of a thread are sent.
pub(super) fn fault_endpoint(number: c_int) -> seL4_CPtr {
    let none = seL4_CapNull as seL4_CPtr;
    // SAFETY: as the header says.
    hooks()
        .fault_endpoint
        .map_or(none, |hook| unsafe { hook(number) })
}

/// The priority of a thread.
pub(super) fn priority(number: c_int) -> seL4_Word {
    // SAFETY: as the header says.
    hooks()
        .priority
        .map_or(seL4_MaxPrio as seL4_Word, |hook| unsafe { hook(number) })
}

/// The end of the program by `exit`, when C's handlers have run.
pub(crate) fn leave(code: c_int) -> ! {
    if let Some(hook) = hooks().exit {
        // SAFETY: as the header says.
        unsafe { hook(code) };
    } else if code != 0 {
        eprintln!("The program ended with exit code {code}");
    }
    threads::suspend_all()
}
