// SPDX-License-Identifier: GPL-2.0-only

//! x86_64: registers, sizes and numbers.

use core::ops::{Index, IndexMut};

use super::{ObjectType, ROOT_LEVEL, USER_TOP};
use crate::invocation::Invocation;
use crate::vspace::Walk;

/// Registers, in the order of `seL4_UserContext`.
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

/// The registers of a thread.
///
/// A thread goes on at `next`. `Rip` is the instruction by which it entered the kernel: who enters
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
    pub const REGISTERS: usize = 20;
    /// The first so many are read and written even of threads that only go on elsewhere.
    pub(crate) const FRAME_REGISTERS: usize = 18;

    pub(crate) const fn new() -> Self {
        let mut registers = [0; Context::REGISTERS];
        registers[Rflags as usize] = FLAGS_IF | FLAGS_HIGH;
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

/// What the kernel makes of a value that user level wants in a register.
fn sanitised(index: usize, value: usize) -> usize {
    const FIRST_THAT_IS_NOT_CANONICAL: usize = 0x8000_0000_0000;
    const LAST_THAT_IS_NOT_CANONICAL: usize = 0xffff_7fff_ffff_ffff;
    let not_canonical = FIRST_THAT_IS_NOT_CANONICAL..=LAST_THAT_IS_NOT_CANONICAL;
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

/// Whether a thread may have this address as its TLS base.
pub(crate) fn is_tls_base(value: usize) -> bool {
    sanitised(FsBase as usize, value) == value
}

/// The instruction by which it entered the kernel.
pub(crate) const IP: Register = Rip;
/// The capability that is invoked; then the badge.
pub(crate) const CAP: Register = Rdi;
/// The message info.
pub(crate) const INFO: Register = Rsi;
/// The first words of a message.
pub(crate) const MESSAGE: [Register; 4] = [R10, R8, R9, R15];
/// The reply object, with mixed-criticality scheduling.
pub(crate) const REPLY: Register = R12;
/// What is sent to, where another is received from.
pub(crate) const DESTINATION: Register = R13;
/// Where thread-local storage is.
pub(crate) const TLS_BASE: Register = FsBase;

/// The label of a message about memory.
pub(crate) const fn vm_fault(mcs: bool) -> usize {
    if mcs { 6 } else { 5 }
}

/// What the processor says of a fault: that a frame is mapped is bit 0. Fetching is not told
/// apart, as nothing forbids execution.
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

/// Registers in a message about an unknown system call.
pub(crate) const SYSCALL_MESSAGE: [Register; 18] = [
    Rax, Rbx, Rcx, Rdx, Rsi, Rdi, Rbp, R8, R9, R10, R11, R12, R13, R14, R15, Rip, Rsp, Rflags,
];
/// Registers in a message about an exception.
pub(crate) const EXCEPTION_MESSAGE: [Register; 3] = [Rip, Rsp, Rflags];

/// Registers in a reply to a timeout.
pub(crate) const TIMEOUT_REPLY: [Register; 19] = [
    Rip, Rsp, Rflags, Rax, Rbx, Rcx, Rdx, Rsi, Rdi, Rbp, R8, R9, R10, R11, R12, R13, R14, R15,
    FsBase,
];

/// How many ASID pools there can be.
pub(crate) const ASID_POOLS: usize = 8;

/// What untyped memory can become beside the objects that all architectures have, in the order of libsel4's numbers.
pub(crate) const OBJECTS: &[ObjectType] = &[
    ObjectType::Table(3),
    ObjectType::Table(ROOT_LEVEL),
    ObjectType::Frame(30),
    ObjectType::Frame(12),
    ObjectType::Frame(21),
    ObjectType::Table(1),
    ObjectType::Table(2),
];

/// Whether this maps a paging structure of a level.
pub(crate) const fn maps_table(invocation: Invocation, level: u8) -> bool {
    use Invocation::*;
    matches!(
        (invocation, level),
        (X86PageTableMap, 1) | (X86PageDirectoryMap, 2) | (X86PDPTMap, 3)
    )
}

/// Whether this unmaps a paging structure of a level.
pub(crate) const fn unmaps_table(invocation: Invocation, level: u8) -> bool {
    use Invocation::*;
    matches!(
        (invocation, level),
        (X86PageTableUnmap, 1) | (X86PageDirectoryUnmap, 2) | (X86PDPTUnmap, 3)
    )
}

/// What is asked of frames and of identifiers of address spaces.
pub(crate) const PAGE_MAP: Invocation = Invocation::X86PageMap;
pub(crate) const PAGE_UNMAP: Invocation = Invocation::X86PageUnmap;
pub(crate) const PAGE_ADDRESS: Invocation = Invocation::X86PageGetAddress;
pub(crate) const MAKE_POOL: Invocation = Invocation::X86ASIDControlMakePool;
pub(crate) const ASSIGN: Invocation = Invocation::X86ASIDPoolAssign;

/// The first invocation that only this architecture has.
pub(crate) const FIRST_INVOCATION: Invocation = Invocation::X86PDPTMap;
/// What the names of another architecture's invocations begin with.
pub(crate) const FOREIGN_PREFIX: &str = "ARM";

/// A paging structure is of one level. Otherwise it becomes what is missing where it is mapped.
pub(crate) const TABLES_HAVE_LEVELS: bool = true;

/// Whether a frame can be mapped there; that it is aligned is looked at elsewhere.
pub(crate) const fn has_room(vaddr: usize, size_bits: u8) -> bool {
    vaddr <= USER_TOP && vaddr.wrapping_add(1 << size_bits) <= USER_TOP
}

/// Whether a frame that is mapped so can be executed: always.
pub(crate) const fn executes(_attributes: usize) -> bool {
    true
}

/// The kernel's tag of a capability to a table.
pub(crate) const fn table_tag(level: u8) -> usize {
    level as usize * 2 + 1
}

/// Whether there are I/O ports.
pub(crate) const IO_PORTS: bool = true;
/// Levels of the page tables for devices, in the BootInfo: there are none.
pub(crate) const IO_TABLE_LEVELS: usize = usize::MAX;

/// Interrupts that user level can have: those of the I/O APIC and of messages.
pub(crate) const USER_IRQS: core::ops::RangeInclusive<usize> = 16..=123;
/// The timer's interrupt, which is the kernel's own.
pub(crate) const TIMER_IRQ: usize = 125;
/// All interrupts.
pub(crate) const IRQS: usize = 126;
/// Pins of the I/O APIC.
pub(crate) const IOAPIC_PINS: usize = 24;
