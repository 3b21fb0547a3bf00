// SPDX-License-Identifier: BSD-2-Clause

//! The processor's state in a signal handler, on aarch64.

use std::ffi::c_int;
use std::ptr;

use libc::mcontext_t;
use sel4_hosted_kernel::{Fault, Register};

use super::Trap;
use crate::switch::{self, FpState, Frame};

/// General registers and their numbers.
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

/// Records of Linux' signal frame that are used here: magic word and size in bytes.
const FLOATING_POINT: (u32, usize) = (0x4650_8001, 528);
const SYNDROME: (u32, usize) = (0x4553_5201, 16);
/// Record that refers to further records elsewhere.
const EXTRA: (u32, usize) = (0x4558_5401, 16);

/// Bytes reserved for records.
const ROOM: usize = size_of::<FpState>();

/// Returns the address of the interrupted instruction.
pub fn ip(machine: &mcontext_t) -> usize {
    machine.pc as usize
}

/// Returns the records of the signal frame, each of which begins with its magic word and its size.
fn records(machine: &mut mcontext_t) -> *mut u8 {
    // From Linux' <asm/sigcontext.h>; the field is private in the crate libc.
    const OFFSET: usize = 288;
    (&raw mut *machine).cast::<u8>().wrapping_add(OFFSET)
}

/// Finds a record among those at `start`.
///
/// # Safety
///
/// `start` has `ROOM` bytes.
unsafe fn record(start: *mut u8, (magic, bytes): (u32, usize)) -> Option<*mut u8> {
    let mut at = 0;
    while at + 8 <= ROOM {
        // SAFETY: within the bytes reserved.
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

/// Restores floating-point and vector registers from saved records.
///
/// # Safety
///
/// `from` has saved records, and `to` those of a signal frame.
unsafe fn restore_fp(to: *mut u8, from: *mut u8) {
    // SAFETY: as the caller promises.
    unsafe {
        // Records outside the frame no longer exist, so a frame with such cannot be copied as a whole.
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

/// Loads a thread's registers for the return from the handler, if the signal comes from [`switch::resume`].
/// Returns whether it does.
///
/// # Safety
///
/// The frame's context holds registers with which the thread can continue.
pub unsafe fn load_thread(frame: &mut Frame, machine: &mut mcontext_t) -> bool {
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
    // User level may set the condition flags only.
    const CONDITIONS: u64 = 0xf << 28;
    machine.pstate = context[Register::Spsr] as u64 & CONDITIONS;
    if frame.fp_restores != 0 {
        // SAFETY: the frame has saved records.
        unsafe { restore_fp(records(machine), frame.fp.cast()) };
    }
    frame.fp_restores = 0;
    frame.in_thread = 1;
    true
}

/// Returns the fault that the processor would report to a kernel.
pub fn fault(signal: c_int, machine: &mut mcontext_t) -> Fault {
    /// Exception syndromes of an undefined instruction and of a breakpoint.
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
            // SAFETY: Linux has put the records there.
            let status = match unsafe { record(records(machine), SYNDROME) } {
                // SAFETY: the syndrome is behind the record's header.
                Some(at) => unsafe { at.add(8).cast::<u64>().read() as usize },
                // QEMU's user mode, among others, has no such record.
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

/// Returns whether an instruction that accesses memory writes to it, by the encoding of loads and stores
/// in the Arm Architecture Reference Manual.
fn writes(instruction: u32) -> bool {
    let bits = |low: u32, count: u32| instruction >> low & ((1 << count) - 1);
    let (loads, vector) = (bits(22, 1) == 1, bits(26, 1) == 1);
    match bits(27, 3) {
        // Exclusives and vector structures; literals; pairs.
        0b001 => !loads,
        0b011 => false,
        0b101 => !loads,
        // Atomics read and write. Others are stores if `opc` is 0, or 2 for vectors.
        0b111 if bits(24, 1) == 0 && bits(21, 1) == 1 && bits(10, 2) == 0 => true,
        0b111 => bits(22, 2) == 0 || vector && bits(22, 2) == 2,
        _ => false,
    }
}

/// Saves the state of the running thread and has the handler return to the host.
///
/// # Safety
///
/// `machine` holds the state of the frame's running thread.
pub unsafe fn save_thread(frame: &mut Frame, machine: &mut mcontext_t, _: Trap) {
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
    // SAFETY: both have `ROOM` bytes.
    unsafe {
        frame
            .fp
            .cast::<u8>()
            .copy_from_nonoverlapping(records(machine), ROOM);
    }
    machine.pc = switch::signal_return as *const () as u64;
    machine.sp = frame.stack as u64;
    machine.pstate = 0;
}
