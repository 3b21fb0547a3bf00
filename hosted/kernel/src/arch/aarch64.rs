// SPDX-License-Identifier: BSD-2-Clause

//! aarch64: registers, sizes and numbers, as of kernels that run at EL1 on boards with a GICv2.

use core::ops::{Index, IndexMut};

use crate::invocation::Invocation;
use crate::objects::Table;
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

pub(crate) const SLOT_BITS: u8 = 5;
pub(crate) const TCB_BITS: u8 = 11;
pub(crate) const ENDPOINT_BITS: u8 = 4;
pub(crate) const REPLY_BITS: u8 = 5;
pub(crate) const MIN_SCHED_CONTEXT_BITS: u8 = 7;
pub(crate) const TABLE_BITS: u8 = 12;
pub(crate) const ASID_POOL_BITS: u8 = 12;
pub(crate) const MIN_UNTYPED_BITS: u8 = 4;
pub(crate) const MAX_UNTYPED_BITS: u8 = 47;
pub(crate) const fn notification_bits(mcs: bool) -> u8 {
    if mcs { 6 } else { 5 }
}

/// Where an IPC buffer must be aligned.
pub(crate) const IPC_BUFFER_BITS: u8 = 10;

/// The level of the root of an address space.
pub(crate) const ROOT_LEVEL: u8 = 4;
/// The last address of user level.
pub(crate) const USER_TOP: usize = 0x7fff_ffff_ffff;

/// How many ASID pools there can be.
pub(crate) const ASID_POOLS: usize = 128;
/// Address spaces of a pool, as a power of two.
pub(crate) const ASID_LOW_BITS: u32 = 9;

/// Bits of an address below those that index a table of this level.
pub(crate) const fn level_shift(level: u8) -> u32 {
    12 + 9 * (level as u32 - 1)
}

/// The level of the table that maps frames of this size.
pub(crate) const fn frame_level(size_bits: u8) -> u8 {
    (size_bits - 12) / 9 + 1
}

/// Which entry of a table of this level an address has.
pub(crate) const fn table_index(level: u8, vaddr: usize) -> u16 {
    (vaddr >> level_shift(level)) as u16 & 0x1ff
}

/// What untyped memory can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectType {
    Untyped,
    Tcb,
    Endpoint,
    Notification,
    CNode,
    /// A frame of so many bits.
    Frame(u8),
    /// A paging structure of this level.
    Table(u8),
    SchedContext,
    Reply,
}

impl ObjectType {
    /// By libsel4's number.
    pub fn from_number(number: usize, mcs: bool) -> Option<Self> {
        let number = match (mcs, number) {
            (true, 5) => return Some(ObjectType::SchedContext),
            (true, 6) => return Some(ObjectType::Reply),
            (true, 7..) => number - 2,
            _ => number,
        };
        Some(match number {
            0 => ObjectType::Untyped,
            1 => ObjectType::Tcb,
            2 => ObjectType::Endpoint,
            3 => ObjectType::Notification,
            4 => ObjectType::CNode,
            5 => ObjectType::Frame(30),
            6 => ObjectType::Table(ROOT_LEVEL),
            7 => ObjectType::Frame(12),
            8 => ObjectType::Frame(21),
            // Its level is that where it is mapped.
            9 => ObjectType::Table(1),
            _ => return None,
        })
    }
}

impl Table {
    /// The bits of an address that are missing where a table of this level is.
    pub(crate) const fn bits_missing(level: u8) -> usize {
        level_shift(level + 1) as usize
    }
}

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
pub(crate) const FOREIGN_INVOCATIONS: &str = "X86";

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
/// All interrupts.
pub(crate) const IRQS: usize = 160;
