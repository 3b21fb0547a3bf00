// SPDX-License-Identifier: BSD-2-Clause

//! What a signal handler finds of the processor on x86_64.

use std::ffi::c_int;

use libc::mcontext_t;
use sel4_hosted_kernel::{Fault, Register};

use super::Trouble;
use crate::switch::{self, FpState, Frame};

/// Processor exceptions, by their numbers.
const PAGE_FAULT: i64 = 14;
/// In the code of a page fault: an instruction was fetched.
const FETCH: usize = 1 << 4;

/// Where it was interrupted.
pub fn ip(machine: &mcontext_t) -> usize {
    machine.gregs[libc::REG_RIP as usize] as usize
}

/// No signal is needed to resume a thread.
pub fn resumes(_: &mut Frame, _: &mut mcontext_t) -> bool {
    false
}

/// What the processor would tell a kernel.
pub fn fault(signal: c_int, machine: &mcontext_t) -> Fault {
    let registers = &machine.gregs;
    let number = registers[libc::REG_TRAPNO as usize];
    let code = registers[libc::REG_ERR as usize] as usize;
    if number == PAGE_FAULT || signal == libc::SIGBUS {
        Fault::Vm {
            address: registers[libc::REG_CR2 as usize] as usize,
            // Where pages can forbid execution the processor tells of fetches; seL4's cannot.
            status: code & !FETCH,
            instruction: false,
        }
    } else {
        Fault::UserException {
            number: number as usize,
            code,
        }
    }
}

/// Takes the registers of the running thread, and has the handler return into the host.
///
/// # Safety
///
/// They are those of the thread that the frame tells of.
pub unsafe fn leave_thread(frame: &mut Frame, machine: &mut mcontext_t, trouble: Trouble) {
    use Register::*;
    let registers = &mut machine.gregs;
    // SAFETY: the frame has the context of the running thread.
    let context = unsafe { &mut *frame.context };
    for (register, index) in [
        (Rip, libc::REG_RIP),
        (Rsp, libc::REG_RSP),
        (Rflags, libc::REG_EFL),
        (Rax, libc::REG_RAX),
        (Rbx, libc::REG_RBX),
        (Rcx, libc::REG_RCX),
        (Rdx, libc::REG_RDX),
        (Rsi, libc::REG_RSI),
        (Rdi, libc::REG_RDI),
        (Rbp, libc::REG_RBP),
        (R8, libc::REG_R8),
        (R9, libc::REG_R9),
        (R10, libc::REG_R10),
        (R11, libc::REG_R11),
        (R12, libc::REG_R12),
        (R13, libc::REG_R13),
        (R14, libc::REG_R14),
        (R15, libc::REG_R15),
    ] {
        context[register] = registers[index as usize] as usize;
    }
    context.next = context[Rip];
    if matches!(trouble, Trouble::Syscall) {
        // A thread that is restarted begins with the instruction, which has two bytes.
        context[Rip] = context.next - 2;
    }
    registers[libc::REG_RIP as usize] = switch::returned as *const () as i64;
    registers[libc::REG_RSP as usize] = frame.stack as i64;
    registers[libc::REG_RDI as usize] = (&raw mut *frame) as i64;
    // No direction flag, no trap flag.
    registers[libc::REG_EFL as usize] = 0x202;
    if frame.foreign != 0 {
        // SAFETY: Linux has put it there.
        unsafe { keep_fp(frame.fp, machine.fpregs.cast()) };
    }
}

/// Keeps the state of floating-point numbers that Linux has put at `from`, in the form of `xsave`.
///
/// # Safety
///
/// Linux has put it there.
unsafe fn keep_fp(to: *mut FpState, from: *const u8) {
    /// Where the parts are named that are there: x87 and SSE, and others behind these.
    const PARTS: usize = 512;
    const HEADER_END: usize = 576;
    /// Where Linux tells how much there is.
    const SIZE: usize = 480;
    // SAFETY: as the caller promises; the state's own room is respected.
    unsafe {
        let behind = from.add(PARTS).cast::<u64>().read() & !3 != 0;
        let size = from.add(SIZE).cast::<u32>().read() as usize;
        let bytes = if behind { size } else { HEADER_END };
        to.cast::<u8>()
            .copy_from_nonoverlapping(from, bytes.min(size_of::<FpState>()));
    }
}
