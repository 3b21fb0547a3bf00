// SPDX-License-Identifier: GPL-2.0-only

//! aarch64: registers, sizes and numbers, as of kernels that run at EL1 on boards with a GICv2.

use core::ops::{Index, IndexMut};

use super::{ObjectType, ROOT_LEVEL, USER_TOP};
use crate::invocation::Invocation;
use crate::vspace::Walk;

/// Registers, in the order of `seL4_UserContext`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Register {
    Pc,
    Sp,
    Spsr,
    X0,
    X1,
    X2,
    X3,
    X4,
    X5,
    X6,
    X7,
    X8,
    X16,
    X17,
    X18,
    X29,
    X30,
    X9,
    X10,
    X11,
    X12,
    X13,
    X14,
    X15,
    X19,
    X20,
    X21,
    X22,
    X23,
    X24,
    X25,
    X26,
    X27,
    X28,
    TpidrEl0,
    TpidrroEl0,
    /// The instruction that is next, which messages about unknown system calls have.
    Next,
}

use Register::*;

/// The registers of a thread.
///
/// A thread goes on at `next`. `Pc` is the instruction by which it entered the kernel: who enters
/// it sets both, and a thread that is restarted has `next` set to it.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Context {
    registers: [usize; Context::REGISTERS],
    /// The instruction that is next.
    pub next: usize,
}

impl Context {
    /// How many registers a thread has that other threads can read.
    pub const REGISTERS: usize = 36;
    /// The first so many are read and written even of threads that only go on elsewhere.
    pub(crate) const FRAME_REGISTERS: usize = 17;

    pub(crate) const fn new() -> Self {
        let mut registers = [0; Context::REGISTERS];
        registers[Spsr as usize] = FLAGS_OF_USER;
        Context { registers, next: 0 }
    }

    /// All of them, in order.
    #[must_use]
    pub const fn registers(&self) -> &[usize; Context::REGISTERS] {
        &self.registers
    }

    pub(crate) fn set(&mut self, index: usize, value: usize) {
        if let Some(register) = self.registers.get_mut(index) {
            *register = sanitised(index, value);
        }
    }

    /// Sets it exactly.
    pub(crate) fn copy(&mut self, index: usize, value: usize) {
        if let Some(register) = self.registers.get_mut(index) {
            *register = value;
        }
    }
}

impl Index<Register> for Context {
    type Output = usize;

    #[inline]
    fn index(&self, register: Register) -> &usize {
        match register {
            Next => &self.next,
            register => &self.registers[register as usize],
        }
    }
}

impl IndexMut<Register> for Context {
    #[inline]
    fn index_mut(&mut self, register: Register) -> &mut usize {
        match register {
            Next => &mut self.next,
            register => &mut self.registers[register as usize],
        }
    }
}

/// User level, with fast interrupts masked.
const FLAGS_OF_USER: usize = 1 << 6;
/// The condition flags.
const CONDITIONS: usize = 0xf << 28;

/// What the kernel makes of a value that user level wants in a register.
fn sanitised(index: usize, value: usize) -> usize {
    match index {
        _ if index == Spsr as usize => value & CONDITIONS | FLAGS_OF_USER,
        _ => value,
    }
}

/// Whether a thread may have this address as its TLS base.
pub(crate) const fn is_tls_base(_value: usize) -> bool {
    true
}

/// The instruction by which it entered the kernel.
pub(crate) const IP: Register = Pc;
/// The capability that is invoked; then the badge.
pub(crate) const CAP: Register = X0;
/// The message info.
pub(crate) const INFO: Register = X1;
/// The first words of a message.
pub(crate) const MESSAGE: [Register; 4] = [X2, X3, X4, X5];
/// The reply object, with mixed-criticality scheduling.
pub(crate) const REPLY: Register = X6;
/// What is sent to, where another is received from.
pub(crate) const DESTINATION: Register = X8;
/// Where thread-local storage is.
pub(crate) const TLS_BASE: Register = TpidrEl0;

/// The label of a message about memory.
pub(crate) const fn vm_fault(mcs: bool) -> usize {
    if mcs { 6 } else { 5 }
}

/// What the processor says of a fault: its syndrome register. Of `status` only the bit counts that
/// says whether something was to be written.
pub(crate) const fn vm_fault_status(
    status: usize,
    instruction: bool,
    address: usize,
    walk: Walk,
) -> (usize, bool) {
    const DATA: usize = 0x24 << 26 | 1 << 25;
    const FETCH: usize = 0x20 << 26 | 1 << 25;
    const WRITE: usize = 1 << 6;
    const NOT_MAPPED: usize = 0b100;
    const NOT_PERMITTED: usize = 0b1100;
    /// The kernel's own addresses, mapped in large frames.
    const KERNEL: core::ops::Range<usize> = 0xffff_ff80_0000_0000..0xffff_ffff_c000_0000;
    let head = if instruction {
        FETCH
    } else {
        DATA | status & WRITE
    };
    // The processor counts levels from the root.
    let why = if address >= KERNEL.start && address < KERNEL.end {
        NOT_PERMITTED | 2
    } else if address > USER_TOP {
        NOT_MAPPED
    } else {
        match walk {
            Walk::Frame(level) => NOT_PERMITTED | (ROOT_LEVEL - level) as usize,
            Walk::Missing(level) => NOT_MAPPED | (ROOT_LEVEL - level) as usize,
        }
    };
    (head | why, instruction)
}

/// Registers in a message about an unknown system call.
pub(crate) const SYSCALL_MESSAGE: [Register; 12] =
    [X0, X1, X2, X3, X4, X5, X6, X7, Pc, Sp, Next, Spsr];
/// Registers in a message about an exception.
pub(crate) const EXCEPTION_MESSAGE: [Register; 3] = [Pc, Sp, Spsr];

/// Registers in a reply to a timeout.
pub(crate) const TIMEOUT_REPLY: [Register; 34] = [
    Pc, Sp, Spsr, X0, X1, X2, X3, X4, X5, X6, X7, X8, X16, X17, X18, X29, X30, X9, X10, X11, X12,
    X13, X14, X15, X19, X20, X21, X22, X23, X24, X25, X26, X27, X28,
];

/// How many ASID pools there can be.
pub(crate) const ASID_POOLS: usize = 128;

/// What untyped memory can become beside the objects that all architectures have, in the order of libsel4's numbers.
pub(crate) const OBJECTS: &[ObjectType] = &[
    ObjectType::Frame(30),
    ObjectType::Table(ROOT_LEVEL),
    ObjectType::Frame(12),
    ObjectType::Frame(21),
    // Its level is that where it is mapped.
    ObjectType::Table(1),
];

/// Whether this maps a paging structure, of whatever level.
pub(crate) const fn maps_table(invocation: Invocation, _level: u8) -> bool {
    matches!(invocation, Invocation::ARMPageTableMap)
}

/// Whether this unmaps a paging structure, of whatever level.
pub(crate) const fn unmaps_table(invocation: Invocation, _level: u8) -> bool {
    matches!(invocation, Invocation::ARMPageTableUnmap)
}

/// What is asked of frames and of identifiers of address spaces.
pub(crate) const PAGE_MAP: Invocation = Invocation::ARMPageMap;
pub(crate) const PAGE_UNMAP: Invocation = Invocation::ARMPageUnmap;
pub(crate) const PAGE_ADDRESS: Invocation = Invocation::ARMPageGetAddress;
pub(crate) const MAKE_POOL: Invocation = Invocation::ARMASIDControlMakePool;
pub(crate) const ASSIGN: Invocation = Invocation::ARMASIDPoolAssign;

/// The first invocation that only this architecture has.
pub(crate) const FIRST_INVOCATION: Invocation = Invocation::ARMVSpaceClean_Data;
/// What the names of another architecture's invocations begin with.
pub(crate) const FOREIGN_PREFIX: &str = "X86";

/// A paging structure is of one level. Otherwise it becomes what is missing where it is mapped.
pub(crate) const TABLES_HAVE_LEVELS: bool = false;

/// Whether a frame can be mapped there; that it is aligned is looked at elsewhere.
pub(crate) const fn has_room(vaddr: usize, size_bits: u8) -> bool {
    vaddr.wrapping_add((1 << size_bits) - 1) <= USER_TOP
}

/// Whether a frame that is mapped so can be executed.
pub(crate) const fn executes(attributes: usize) -> bool {
    const EXECUTE_NEVER: usize = 1 << 2;
    attributes & EXECUTE_NEVER == 0
}

/// The kernel's tag of a capability to a table.
pub(crate) const fn table_tag(_level: u8) -> usize {
    3
}

/// Whether there are I/O ports.
pub(crate) const IO_PORTS: bool = false;
/// Levels of the page tables for devices, in the BootInfo: there are none.
pub(crate) const IO_TABLE_LEVELS: usize = 0;

/// The timer's interrupt, which is the kernel's own.
pub(crate) const TIMER_IRQ: usize = 27;
/// The first ones are made by software.
pub(crate) const SGIS: usize = 16;
/// Processors that the interrupt controller can send them to.
pub(crate) const SGI_TARGETS: usize = 8;
/// All interrupts.
pub(crate) const IRQS: usize = 160;
