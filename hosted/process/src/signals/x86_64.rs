// SPDX-License-Identifier: BSD-2-Clause

//! The processor's state in a signal handler, on x86_64.

use std::ffi::c_int;

use libc::mcontext_t;
use sel4_hosted_kernel::{Fault, Register};

use super::Trap;
use crate::switch::{self, FpState, Frame};

/// Number of the page fault exception.
const PAGE_FAULT: i64 = 14;
/// Bit of a page fault's error code: the access was an instruction fetch.
const FETCH: usize = 1 << 4;

/// Returns the address of the interrupted instruction.
pub fn ip(machine: &mcontext_t) -> usize {
    machine.gregs[libc::REG_RIP as usize] as usize
}

/// Returns `false`: on x86_64 no signal is needed to resume a thread.
pub fn load_thread(_: &mut Frame, _: &mut mcontext_t) -> bool {
    false
}

/// Returns the fault that the processor would report to a kernel.
pub fn fault(signal: c_int, machine: &mcontext_t) -> Fault {
    let registers = &machine.gregs;
    let number = registers[libc::REG_TRAPNO as usize];
    let code = registers[libc::REG_ERR as usize] as usize;
    if number == PAGE_FAULT || signal == libc::SIGBUS {
        Fault::Vm {
            address: registers[libc::REG_CR2 as usize] as usize,
            // The processor sets this bit only with no-execute pages, which seL4 does not use.
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

/// Saves the registers of the running thread and has the handler return to the host.
///
/// # Safety
///
/// `machine` holds the state of the frame's running thread.
pub unsafe fn save_thread(frame: &mut Frame, machine: &mut mcontext_t, trap: Trap) {
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
    if matches!(trap, Trap::Syscall) {
        // A restarted thread repeats the instruction, which has two bytes.
        context[Rip] = context.next - 2;
    }
    registers[libc::REG_RIP as usize] = switch::signal_return as *const () as i64;
    registers[libc::REG_RSP as usize] = frame.stack as i64;
    registers[libc::REG_RDI as usize] = (&raw mut *frame) as i64;
    // No direction flag, no trap flag.
    registers[libc::REG_EFL as usize] = 0x202;
    if frame.unmodified != 0 {
        // SAFETY: Linux has put the state there.
        unsafe { save_fp(frame.fp, machine.fpregs.cast()) };
    }
}

/// Saves the floating-point state that Linux has put at `from`, in the layout of `xsave`.
///
/// # Safety
///
/// Linux has put the state there.
unsafe fn save_fp(to: *mut FpState, from: *const u8) {
    /// Offset of the bitmap of the components present.
    const PARTS: usize = 512;
    const HEADER_END: usize = 576;
    /// Offset at which Linux stores the size of the state.
    const SIZE: usize = 480;
    // SAFETY: as the caller promises; no more bytes than `FpState` has.
    unsafe {
        let behind = from.add(PARTS).cast::<u64>().read() & !3 != 0;
        let size = from.add(SIZE).cast::<u32>().read() as usize;
        let bytes = if behind { size } else { HEADER_END };
        to.cast::<u8>()
            .copy_from_nonoverlapping(from, bytes.min(size_of::<FpState>()));
    }
}
