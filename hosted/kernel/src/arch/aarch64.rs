// SPDX-License-Identifier: GPL-2.0-only

//! aarch64: registers, sizes and numbers, as of kernels that run at EL1 on boards with a GICv2.

use core::ops::{Index, IndexMut};

use super::{ObjectType, ROOT_LEVEL, USER_TOP};
use crate::invocation::Invocation;
use crate::vspace::Walk;

/// Register, in the order of `seL4_UserContext`.
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
    /// Address of the next instruction, for messages about unknown system calls.
    Next,
}

use Register::*;

/// Registers of a thread.
///
/// A thread continues at `next`. `Pc` is the instruction that entered the kernel. A kernel entry
/// sets both; the restart of a thread sets `next` to `Pc`.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Context {
    registers: [usize; Context::NUM_REGISTERS],
    /// Address of the next instruction.
    pub next: usize,
}

impl Context {
    /// Number of registers that other threads can read.
    pub const NUM_REGISTERS: usize = 36;
    /// Number of frame registers, the first ones; the others are integer registers.
    pub(crate) const NUM_FRAME_REGISTERS: usize = 17;

    pub(crate) const fn new() -> Self {
        let mut registers = [0; Context::NUM_REGISTERS];
        registers[Spsr as usize] = USER_SPSR;
        Context { registers, next: 0 }
    }

    /// Returns all registers, in order.
    #[must_use]
    pub const fn registers(&self) -> &[usize; Context::NUM_REGISTERS] {
        &self.registers
    }

    /// Sets a register to a value from user level.
    pub(crate) fn set(&mut self, index: usize, value: usize) {
        if let Some(register) = self.registers.get_mut(index) {
            *register = sanitise_register(index, value);
        }
    }

    /// Sets a register without sanitising the value.
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

/// Initial status register: user level, with fast interrupts masked.
const USER_SPSR: usize = 1 << 6;
/// Condition flags, which user level can set.
const CONDITIONS: usize = 0xf << 28;

/// Returns the value that a register gets if user level asks for `value`.
fn sanitise_register(index: usize, value: usize) -> usize {
    match index {
        _ if index == Spsr as usize => value & CONDITIONS | USER_SPSR,
        _ => value,
    }
}

/// Returns whether a thread can have this address as its TLS base.
pub(crate) const fn is_tls_base(_value: usize) -> bool {
    true
}

/// Instruction that entered the kernel.
pub(crate) const IP: Register = Pc;
/// Address of the invoked capability; in the result, the badge.
pub(crate) const CAP: Register = X0;
/// Message info.
pub(crate) const INFO: Register = X1;
/// First words of a message.
pub(crate) const MESSAGE: [Register; 4] = [X2, X3, X4, X5];
/// Address of the reply object, with mixed-criticality scheduling.
pub(crate) const REPLY: Register = X6;
/// Address of the capability to send to, in a system call that sends and receives.
pub(crate) const DESTINATION: Register = X8;
/// Base of thread-local storage.
pub(crate) const TLS_BASE: Register = TpidrEl0;

/// Returns the tag of VM faults.
pub(crate) const fn vm_fault(mcs: bool) -> usize {
    if mcs { 6 } else { 5 }
}

/// Returns the syndrome register for a VM fault, and whether it was an instruction fetch. Only the
/// bit for writes is taken from `status`.
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
    /// Addresses of the kernel, which maps large frames there.
    const KERNEL: core::ops::Range<usize> = 0xffff_ff80_0000_0000..0xffff_ffff_c000_0000;
    let head = if instruction {
        FETCH
    } else {
        DATA | status & WRITE
    };
    // The syndrome register counts levels from the root.
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

/// Registers in a message about an unknown system call, and in the reply.
pub(crate) const SYSCALL_MESSAGE: [Register; 12] =
    [X0, X1, X2, X3, X4, X5, X6, X7, Pc, Sp, Next, Spsr];
/// Registers in a message about a user exception, and in the reply.
pub(crate) const EXCEPTION_MESSAGE: [Register; 3] = [Pc, Sp, Spsr];

/// Registers in a reply to a timeout fault.
pub(crate) const TIMEOUT_REPLY: [Register; 34] = [
    Pc, Sp, Spsr, X0, X1, X2, X3, X4, X5, X6, X7, X8, X16, X17, X18, X29, X30, X9, X10, X11, X12,
    X13, X14, X15, X19, X20, X21, X22, X23, X24, X25, X26, X27, X28,
];

/// Maximum number of ASID pools.
pub(crate) const ASID_POOLS: usize = 128;

/// Object types of this architecture only, in the order of libsel4's numbers.
pub(crate) const OBJECTS: &[ObjectType] = &[
    ObjectType::Frame(30),
    ObjectType::PageTable(ROOT_LEVEL),
    ObjectType::Frame(12),
    ObjectType::Frame(21),
    // Mapping it sets the level.
    ObjectType::PageTable(1),
];

/// Returns whether the invocation maps a paging structure, of any level.
pub(crate) const fn is_page_table_map(invocation: Invocation, _level: u8) -> bool {
    matches!(invocation, Invocation::ARMPageTableMap)
}

/// Returns whether the invocation unmaps a paging structure, of any level.
pub(crate) const fn is_page_table_unmap(invocation: Invocation, _level: u8) -> bool {
    matches!(invocation, Invocation::ARMPageTableUnmap)
}

// This architecture's names of invocations of frames, the ASID control and ASID pools.
pub(crate) const PAGE_MAP: Invocation = Invocation::ARMPageMap;
pub(crate) const PAGE_UNMAP: Invocation = Invocation::ARMPageUnmap;
pub(crate) const PAGE_GET_ADDRESS: Invocation = Invocation::ARMPageGetAddress;
pub(crate) const ASID_CONTROL_MAKE_POOL: Invocation = Invocation::ARMASIDControlMakePool;
pub(crate) const ASID_POOL_ASSIGN: Invocation = Invocation::ARMASIDPoolAssign;

/// First invocation that exists on this architecture only.
pub(crate) const FIRST_INVOCATION: Invocation = Invocation::ARMVSpaceClean_Data;
/// Prefix of the names of the other architecture's invocations.
pub(crate) const FOREIGN_PREFIX: &str = "X86";

/// Set if a paging structure has a fixed level. Otherwise mapping it sets the level, to that which
/// is missing at the address.
pub(crate) const TABLES_HAVE_LEVELS: bool = false;

/// Returns whether a frame at this address is within the addresses of user level.
pub(crate) const fn is_in_user_range(vaddr: usize, size_bits: u8) -> bool {
    vaddr.wrapping_add((1 << size_bits) - 1) <= USER_TOP
}

/// Returns whether a frame with these attributes can be executed.
pub(crate) const fn is_executable(attributes: usize) -> bool {
    const EXECUTE_NEVER: usize = 1 << 2;
    attributes & EXECUTE_NEVER == 0
}

/// Returns the kernel's number of the type of capabilities to paging structures.
pub(crate) const fn page_table_cap_type(_level: u8) -> usize {
    3
}

/// Set if the architecture has I/O ports.
pub(crate) const IO_PORTS: bool = false;
/// Number of levels of IOMMU page tables, in the BootInfo; there is no IOMMU.
pub(crate) const IO_TABLE_LEVELS: usize = 0;

/// Timer's interrupt, which the kernel reserves.
pub(crate) const TIMER_IRQ: usize = 27;
/// Number of software-generated interrupts, the first ones.
pub(crate) const SGIS: usize = 16;
/// Number of cores that the interrupt controller can send software-generated interrupts to.
pub(crate) const SGI_TARGETS: usize = 8;
/// Number of interrupts.
pub(crate) const IRQS: usize = 160;
