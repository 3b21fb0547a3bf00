// SPDX-License-Identifier: BSD-2-Clause

//! System calls, and the host that receives them.
//!
//! A system call uses the same registers as on hardware, with a function call in place of the trap
//! instruction. So the model decodes these calls and those of unmodified images alike.
//!
//! | | x86_64 | aarch64 |
//! |---|---|---|
//! | number | rdx | x7 |
//! | capability in, badge out | rdi | x0 |
//! | message info | rsi | x1 |
//! | message registers 0 to 3 | r10, r8, r9, r15 | x2 to x5 |
//! | reply object (MCS) | r12 | x6 |
//! | second capability (MCS) | r13 | x8 |

use std::arch::asm;
use std::cell::Cell;
use std::ptr;

use crate::api::{seL4_IPCBuffer, seL4_Syscall_ID, seL4_Word};

/// Interface between libsel4 and the thread of the host that runs a kernel.
#[repr(C)]
pub struct Host {
    /// Kernel entry, called with the registers of a system call and the address of this `Host` in rax (x9).
    /// Preserves all registers but those of the answer, rax, rcx and r11 (x9, x30), and the floating-point
    /// registers.
    pub entry: unsafe extern "C" fn(),
    /// IPC buffer of the running seL4 thread. The host changes it with the thread.
    pub ipc_buffer: Cell<*mut seL4_IPCBuffer>,
}

thread_local! {
    static HOST: Cell<*const Host> = const { Cell::new(ptr::null()) };
}

/// Sends this thread's system calls to `host`. With null, system calls panic.
///
/// # Safety
///
/// `host` is null, or lives and does not move until another is installed.
pub unsafe fn install(host: *const Host) {
    HOST.set(host);
}

/// Returns the host installed in this thread; null if there is none.
#[inline(always)]
pub fn current() -> *const Host {
    HOST.get()
}

/// Returns the host installed in this thread. Panics if there is none.
#[inline(always)]
pub(crate) fn host() -> *const Host {
    let host = HOST.get();
    if host.is_null() {
        absent();
    }
    host
}

#[cold]
#[inline(never)]
fn absent() -> ! {
    panic!(
        "a function of libsel4 was called, but no kernel runs in this thread\n\
         help: call it inside sel4_hosted::run, or in a test with #[sel4_hosted::test]"
    );
}

/// Registers of a system call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Registers {
    /// Capability of the call; badge of the answer.
    pub cap: seL4_Word,
    pub info: seL4_Word,
    pub mrs: [seL4_Word; 4],
    pub reply: seL4_Word,
    /// Destination of a call that sends to one capability and receives from another.
    pub dest: seL4_Word,
}

/// Makes a system call.
///
/// # Safety
///
/// The caller keeps the contract of the system call.
#[inline(always)]
pub(crate) unsafe fn trap(number: seL4_Syscall_ID, registers: Registers) -> Registers {
    let Registers {
        mut cap,
        mut info,
        mrs: [mut mr0, mut mr1, mut mr2, mut mr3],
        reply,
        dest,
    } = registers;
    // SAFETY: the host's entry preserves the registers that are not named here.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "ldr x10, [x9]",
            "blr x10",
            inout("x9") host() => _,
            inout("x7") number => _,
            inout("x0") cap,
            inout("x1") info,
            inout("x2") mr0,
            inout("x3") mr1,
            inout("x4") mr2,
            inout("x5") mr3,
            inout("x6") reply => _,
            inout("x8") dest => _,
            clobber_abi("C"),
        );
    }
    // SAFETY: the host's entry preserves the registers that are not named here.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "call [rax]",
            inout("rax") host() => _,
            inout("rdx") number => _,
            inout("rdi") cap,
            inout("rsi") info,
            inout("r10") mr0,
            inout("r8") mr1,
            inout("r9") mr2,
            inout("r15") mr3,
            in("r12") reply,
            in("r13") dest,
            clobber_abi("C"),
        );
    }
    Registers {
        cap,
        info,
        mrs: [mr0, mr1, mr2, mr3],
        reply,
        dest,
    }
}
