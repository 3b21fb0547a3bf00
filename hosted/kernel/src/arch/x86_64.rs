// SPDX-License-Identifier: GPL-2.0-only

//! x86_64: registers, sizes and numbers.

use core::ops::{Index, IndexMut};

use super::{ObjectType, ROOT_LEVEL, USER_TOP};
use crate::invocation::Invocation;
use crate::vspace::Walk;

/// Register, in the order of `seL4_UserContext`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Register {
    Rip,
    Rsp,
    Rflags,
    Rax,
    Rbx,
    Rcx,
    Rdx,
    Rsi,
    Rdi,
    Rbp,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    FsBase,
    GsBase,
}

use Register::*;

/// Registers of a thread.
///
/// A thread continues at `next`. `Rip` is the instruction that entered the kernel. A kernel entry
/// sets both; the restart of a thread sets `next` to `Rip`.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Context {
    registers: [usize; Context::NUM_REGISTERS],
    /// Address of the next instruction.
    pub next: usize,
}

impl Context {
    /// Number of registers that other threads can read.
    pub const NUM_REGISTERS: usize = 20;
    /// Number of frame registers, the first ones; the others are integer registers.
    pub(crate) const NUM_FRAME_REGISTERS: usize = 18;

    pub(crate) const fn new() -> Self {
        let mut registers = [0; Context::NUM_REGISTERS];
        registers[Rflags as usize] = FLAGS_IF | FLAGS_HIGH;
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
        &self.registers[register as usize]
    }
}

impl IndexMut<Register> for Context {
    #[inline]
    fn index_mut(&mut self, register: Register) -> &mut usize {
        &mut self.registers[register as usize]
    }
}

const FLAGS_IF: usize = 1 << 9;
const FLAGS_TF: usize = 1 << 8;
const FLAGS_HIGH: usize = 1 << 1;
const FLAGS_LOW: usize = 1 << 3 | 1 << 5;

/// Returns the value that a register gets if user level asks for `value`.
fn sanitise_register(index: usize, value: usize) -> usize {
    const FIRST_NOT_CANONICAL: usize = 0x8000_0000_0000;
    const LAST_NOT_CANONICAL: usize = 0xffff_7fff_ffff_ffff;
    let not_canonical = FIRST_NOT_CANONICAL..=LAST_NOT_CANONICAL;
    match index {
        _ if index == Rflags as usize => {
            (value | FLAGS_HIGH | FLAGS_IF) & !(FLAGS_LOW | FLAGS_TF) & 0xfff
        }
        _ if [Rip as usize, FsBase as usize, GsBase as usize].contains(&index)
            && not_canonical.contains(&value) =>
        {
            0
        }
        _ => value,
    }
}

/// Returns whether a thread can have this address as its TLS base.
pub(crate) fn is_tls_base(value: usize) -> bool {
    sanitise_register(FsBase as usize, value) == value
}

/// Instruction that entered the kernel.
pub(crate) const IP: Register = Rip;
/// Address of the invoked capability; in the result, the badge.
pub(crate) const CAP: Register = Rdi;
/// Message info.
pub(crate) const INFO: Register = Rsi;
/// First words of a message.
pub(crate) const MESSAGE: [Register; 4] = [R10, R8, R9, R15];
/// Address of the reply object, with mixed-criticality scheduling.
pub(crate) const REPLY: Register = R12;
/// Address of the capability to send to, in a system call that sends and receives.
pub(crate) const DESTINATION: Register = R13;
/// Base of thread-local storage.
pub(crate) const TLS_BASE: Register = FsBase;

/// Returns the tag of VM faults.
pub(crate) const fn vm_fault(mcs: bool) -> usize {
    if mcs { 6 } else { 5 }
}

/// Returns the error code for a VM fault, and whether it was an instruction fetch. Bit 0 says
/// whether a frame is mapped. Fetches look like reads, since nothing forbids execution.
pub(crate) const fn vm_fault_status(
    status: usize,
    _instruction: bool,
    _address: usize,
    walk: Walk,
) -> (usize, bool) {
    const MAPPED: usize = 1;
    const FETCH: usize = 1 << 4;
    let mapped = matches!(walk, Walk::Frame(_));
    (status & !(FETCH | MAPPED) | mapped as usize, false)
}

/// Registers in a message about an unknown system call, and in the reply.
pub(crate) const SYSCALL_MESSAGE: [Register; 18] = [
    Rax, Rbx, Rcx, Rdx, Rsi, Rdi, Rbp, R8, R9, R10, R11, R12, R13, R14, R15, Rip, Rsp, Rflags,
];
/// Registers in a message about a user exception, and in the reply.
pub(crate) const EXCEPTION_MESSAGE: [Register; 3] = [Rip, Rsp, Rflags];

/// Registers in a reply to a timeout fault.
pub(crate) const TIMEOUT_REPLY: [Register; 19] = [
    Rip, Rsp, Rflags, Rax, Rbx, Rcx, Rdx, Rsi, Rdi, Rbp, R8, R9, R10, R11, R12, R13, R14, R15,
    FsBase,
];

/// Maximum number of ASID pools.
pub(crate) const ASID_POOLS: usize = 8;

/// Object types of this architecture only, in the order of libsel4's numbers.
pub(crate) const OBJECTS: &[ObjectType] = &[
    ObjectType::PageTable(3),
    ObjectType::PageTable(ROOT_LEVEL),
    ObjectType::Frame(30),
    ObjectType::Frame(12),
    ObjectType::Frame(21),
    ObjectType::PageTable(1),
    ObjectType::PageTable(2),
];

/// Returns whether the invocation maps a paging structure of this level.
pub(crate) const fn is_page_table_map(invocation: Invocation, level: u8) -> bool {
    use Invocation::*;
    matches!(
        (invocation, level),
        (X86PageTableMap, 1) | (X86PageDirectoryMap, 2) | (X86PDPTMap, 3)
    )
}

/// Returns whether the invocation unmaps a paging structure of this level.
pub(crate) const fn is_page_table_unmap(invocation: Invocation, level: u8) -> bool {
    use Invocation::*;
    matches!(
        (invocation, level),
        (X86PageTableUnmap, 1) | (X86PageDirectoryUnmap, 2) | (X86PDPTUnmap, 3)
    )
}

// This architecture's names of invocations of frames, the ASID control and ASID pools.
pub(crate) const PAGE_MAP: Invocation = Invocation::X86PageMap;
pub(crate) const PAGE_UNMAP: Invocation = Invocation::X86PageUnmap;
pub(crate) const PAGE_GET_ADDRESS: Invocation = Invocation::X86PageGetAddress;
pub(crate) const ASID_CONTROL_MAKE_POOL: Invocation = Invocation::X86ASIDControlMakePool;
pub(crate) const ASID_POOL_ASSIGN: Invocation = Invocation::X86ASIDPoolAssign;

/// First invocation that exists on this architecture only.
pub(crate) const FIRST_INVOCATION: Invocation = Invocation::X86PDPTMap;
/// Prefix of the names of the other architecture's invocations.
pub(crate) const FOREIGN_PREFIX: &str = "ARM";

/// Set if a paging structure has a fixed level. Otherwise mapping it sets the level, to that which
/// is missing at the address.
pub(crate) const TABLES_HAVE_LEVELS: bool = true;

/// Returns whether a frame at this address is within the addresses of user level.
pub(crate) const fn is_in_user_range(vaddr: usize, size_bits: u8) -> bool {
    vaddr <= USER_TOP && vaddr.wrapping_add(1 << size_bits) <= USER_TOP
}

/// Returns whether a frame with these attributes can be executed: always.
pub(crate) const fn is_executable(_attributes: usize) -> bool {
    true
}

/// Returns the kernel's number of the type of capabilities to paging structures.
pub(crate) const fn page_table_cap_type(level: u8) -> usize {
    level as usize * 2 + 1
}

/// Set if the architecture has I/O ports.
pub(crate) const IO_PORTS: bool = true;
/// Number of levels of IOMMU page tables, in the BootInfo; there is no IOMMU.
pub(crate) const IO_TABLE_LEVELS: usize = usize::MAX;

/// Interrupts of the I/O APIC and MSIs, which user level can have.
pub(crate) const USER_IRQS: core::ops::RangeInclusive<usize> = 16..=123;
/// Timer's interrupt, which the kernel reserves.
pub(crate) const TIMER_IRQ: usize = 125;
/// Number of interrupts.
pub(crate) const IRQS: usize = 126;
/// Number of pins of the I/O APIC.
pub(crate) const IOAPIC_PINS: usize = 24;
