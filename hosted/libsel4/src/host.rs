// SPDX-License-Identifier: BSD-2-Clause

//! Where a system call goes.
//!
//! It has the form that it has on hardware, with a call in the place of the processor's instruction.
//! So the model behind it has one decoder for calls and for unmodified code.
//!
//! | | x86_64 | aarch64 |
//! |---|---|---|
//! | number | rdx | x7 |
//! | capability; then the badge | rdi | x0 |
//! | the message's description | rsi | x1 |
//! | its first words | r10, r8, r9, r15 | x2 to x5 |
//! | the reply object, on kernels with MCS | r12 | x6 |
//! | the second capability, there | r13 | x8 |

use std::arch::asm;
use std::cell::Cell;
use std::ptr;

use crate::api::{seL4_IPCBuffer, seL4_Syscall_ID, seL4_Word};

/// What a thread of the host that runs a kernel gives to libsel4.
#[repr(C)]
pub struct Host {
    /// Enters the kernel: called with the registers of a system call, and in rax (x9) the address of
    /// this. It keeps all registers but those of the answer, rax, rcx, r11 (x9, x30), and those of
    /// floating-point numbers.
    pub entry: unsafe extern "C" fn(),
    /// The IPC buffer, as the running seL4 thread has set it: the kernel gives each its own.
    pub ipc_buffer: Cell<*mut seL4_IPCBuffer>,
}

thread_local! {
    static HOST: Cell<*const Host> = const { Cell::new(ptr::null()) };
}

/// Sends this thread's system calls to `host`, or with null nowhere.
///
/// # Safety
///
/// It lives, and in its place, until another is installed.
pub unsafe fn install(host: *const Host) {
    HOST.set(host);
}

/// What was installed last in this thread; null if nothing was.
#[inline(always)]
pub fn current() -> *const Host {
    HOST.get()
}

/// The same; a program without a kernel ends here.
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
        "a function of libsel4 was called, and no kernel runs in this thread\n\
         help: run seL4 code inside sel4_hosted::run, a test with #[sel4_hosted::test]"
    );
}

/// The registers of a system call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Registers {
    /// A capability; the badge afterwards.
    pub cap: seL4_Word,
    pub info: seL4_Word,
    pub mrs: [seL4_Word; 4],
    pub reply: seL4_Word,
    /// Of a call that sends to one capability and receives from another, the first.
    pub dest: seL4_Word,
}

/// Makes a system call.
///
/// # Safety
///
/// What the call does is the caller's to answer for.
#[inline(always)]
pub(crate) unsafe fn trap(number: seL4_Syscall_ID, registers: Registers) -> Registers {
    let Registers {
        mut cap,
        mut info,
        mrs: [mut mr0, mut mr1, mut mr2, mut mr3],
        reply,
        dest,
    } = registers;
    // SAFETY: the host's entry keeps what is not named here.
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
    // SAFETY: the host's entry keeps what is not named here.
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
