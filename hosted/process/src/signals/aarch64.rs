// SPDX-License-Identifier: BSD-2-Clause

//! What a signal handler finds of the processor on aarch64.

use std::ffi::c_int;
use std::ptr;

use libc::mcontext_t;
use sel4_hosted_kernel::{Fault, Register};

use super::Trouble;
use crate::switch::{self, FpState, Frame};

/// General registers by their numbers.
const REGISTERS: [(Register, usize); 31] = {
    use Register::*;
    [
        (X0, 0),
        (X1, 1),
        (X2, 2),
        (X3, 3),
        (X4, 4),
        (X5, 5),
        (X6, 6),
        (X7, 7),
        (X8, 8),
        (X16, 16),
        (X17, 17),
        (X18, 18),
        (X29, 29),
        (X30, 30),
        (X9, 9),
        (X10, 10),
        (X11, 11),
        (X12, 12),
        (X13, 13),
        (X14, 14),
        (X15, 15),
        (X19, 19),
        (X20, 20),
        (X21, 21),
        (X22, 22),
        (X23, 23),
        (X24, 24),
        (X25, 25),
        (X26, 26),
        (X27, 27),
        (X28, 28),
    ]
};

/// Records of further state that Linux gives to a handler, by the magic words they begin with, and
/// the bytes of those that are used here.
const FLOATING_POINT: (u32, usize) = (0x4650_8001, 528);
const SYNDROME: (u32, usize) = (0x4553_5201, 16);
/// Says that there are more records elsewhere.
const EXTRA: (u32, usize) = (0x4558_5401, 16);

/// Bytes that records have.
const ROOM: usize = size_of::<FpState>();

/// Where it was interrupted.
pub fn ip(machine: &mcontext_t) -> usize {
    machine.pc as usize
}

/// Where Linux has further state: records, each of which begins with its magic word and its size.
fn records(machine: &mut mcontext_t) -> *mut u8 {
    // From Linux' <asm/sigcontext.h>; libc keeps it to itself.
    const OFFSET: usize = 288;
    (&raw mut *machine).cast::<u8>().wrapping_add(OFFSET)
}

/// One of the records at `start`.
///
/// # Safety
///
/// There is the room for records.
unsafe fn record(start: *mut u8, (magic, bytes): (u32, usize)) -> Option<*mut u8> {
    let mut at = 0;
    while at + 8 <= ROOM {
        // SAFETY: within the room.
        let [found, size] = unsafe { start.add(at).cast::<[u32; 2]>().read() };
        if found == magic && size as usize >= bytes {
            return Some(start.wrapping_add(at));
        }
        if found == 0 || size == 0 {
            return None;
        }
        at += size as usize;
    }
    None
}

/// Gives a thread its floating-point registers, as they were kept, and those of longer vectors.
///
/// # Safety
///
/// Records were kept at `from`, and Linux has some at `to`.
unsafe fn give_fp(to: *mut u8, from: *mut u8) {
    // SAFETY: as the caller promises.
    unsafe {
        // What goes on elsewhere is elsewhere no more.
        let whole = [to, from]
            .into_iter()
            .all(|records| record(records, EXTRA).is_none());
        if whole {
            to.copy_from_nonoverlapping(from, ROOM);
        } else if let (Some(to), Some(from)) =
            (record(to, FLOATING_POINT), record(from, FLOATING_POINT))
        {
            to.copy_from_nonoverlapping(from, FLOATING_POINT.1);
        }
    }
}

/// Whether the host wants a thread to go on, which then does when the handler returns.
///
/// # Safety
///
/// The frame has the context of a thread that makes sense to it.
pub unsafe fn resumes(frame: &mut Frame, machine: &mut mcontext_t) -> bool {
    if machine.pc as usize != switch::resume as *const () as usize {
        return false;
    }
    // SAFETY: as the caller promises.
    let context = unsafe { &*frame.context };
    for (register, number) in REGISTERS {
        machine.regs[number] = context[register] as u64;
    }
    machine.sp = context[Register::Sp] as u64;
    machine.pc = context.next as u64;
    // Of the flags those that user level has.
    const CONDITIONS: u64 = 0xf << 28;
    machine.pstate = context[Register::Spsr] as u64 & CONDITIONS;
    if frame.fp_restores != 0 {
        // SAFETY: the frame has what was kept.
        unsafe { give_fp(records(machine), frame.fp.cast()) };
    }
    frame.fp_restores = 0;
    frame.in_thread = 1;
    true
}

/// What the processor would tell a kernel.
pub fn fault(signal: c_int, machine: &mut mcontext_t) -> Fault {
    /// The processor's syndrome for an instruction that there is not, and for a breakpoint.
    const UNKNOWN: usize = 1 << 25;
    const BREAKPOINT: usize = 0x3c << 26 | 1 << 25;
    const WRITE: usize = 1 << 6;
    let instruction = || {
        // SAFETY: the processor has just fetched it.
        unsafe { ptr::with_exposed_provenance::<u32>(machine.pc as usize).read() }
    };
    match signal {
        libc::SIGSEGV | libc::SIGBUS => {
            let address = machine.fault_address as usize;
            let fetched = address == machine.pc as usize;
            // SAFETY: Linux has them there.
            let status = match unsafe { record(records(machine), SYNDROME) } {
                // SAFETY: behind the head is the word.
                Some(at) => unsafe { at.add(8).cast::<u64>().read() as usize },
                // Not everywhere, QEMU's user mode among them.
                None if fetched => 0,
                None => {
                    let at = ptr::with_exposed_provenance::<u32>(machine.pc as usize);
                    // SAFETY: the processor has just executed it.
                    usize::from(writes(unsafe { at.read() })) * WRITE
                }
            };
            Fault::Vm {
                address,
                status: status & WRITE,
                instruction: fetched,
            }
        }
        libc::SIGTRAP => Fault::UserException {
            number: BREAKPOINT | instruction() as usize >> 5 & 0xffff,
            code: 0,
        },
        _ => Fault::UserException {
            number: UNKNOWN,
            code: 0,
        },
    }
}

/// Whether an instruction that accesses memory writes there; from the encoding of loads and stores in
/// the Arm Architecture Reference Manual.
fn writes(instruction: u32) -> bool {
    let bits = |low: u32, count: u32| instruction >> low & ((1 << count) - 1);
    let (loads, vector) = (bits(22, 1) == 1, bits(26, 1) == 1);
    match bits(27, 3) {
        // Exclusive ones and those of vector structures, the literals, and pairs.
        0b001 => !loads,
        0b011 => false,
        0b101 => !loads,
        // Atomic ones read and write; of the others those are stores whose `opc` is 0, and of
        // vectors 2, too.
        0b111 if bits(24, 1) == 0 && bits(21, 1) == 1 && bits(10, 2) == 0 => true,
        0b111 => bits(22, 2) == 0 || vector && bits(22, 2) == 2,
        _ => false,
    }
}

/// Takes all that the running thread has, and has the handler return into the host.
///
/// # Safety
///
/// It is that of the thread that the frame tells of.
pub unsafe fn leave_thread(frame: &mut Frame, machine: &mut mcontext_t, _: Trouble) {
    const FLAGS_OF_USER: usize = 1 << 6;
    // SAFETY: the frame has the context of the running thread.
    let context = unsafe { &mut *frame.context };
    for (register, number) in REGISTERS {
        context[register] = machine.regs[number] as usize;
    }
    context[Register::Sp] = machine.sp as usize;
    context[Register::Pc] = machine.pc as usize;
    context[Register::Spsr] = machine.pstate as usize & (0xf << 28) | FLAGS_OF_USER;
    context.next = machine.pc as usize;
    // SAFETY: both have the room.
    unsafe {
        frame
            .fp
            .cast::<u8>()
            .copy_from_nonoverlapping(records(machine), ROOM);
    }
    machine.pc = switch::returned as *const () as u64;
    machine.sp = frame.stack as u64;
    machine.pstate = 0;
}
