// SPDX-License-Identifier: BSD-2-Clause

//! A safe, typed API over libsel4, as this build has it.
//!
//! | here | |
//! |---|---|
//! | [`Cap`], [`CPtr`], [`Slot`], [`Slots`] | capabilities with the kind of their object, and where they lie |
//! | [`EmptySlot`], [`EmptySlots`], [`FillError`] | slots for new capabilities, each used once |
//! | [`Received`], [`Event`], [`ReplyAuthority`] | messages, and signals that come instead |
//! | [`Space`], [`SchedParams`], [`FaultEndpoint`] | what threads are given |
//! | [`Error`], [`LookupFailure`] | why the kernel refused, with what it tells about it |
//! | [`MessageInfo`], [`CapRights`], [`Guard`], [`Badge`] | words that mean something |
//! | [`message`] | message registers, values and capabilities in messages |
//! | [`BootInfo`] | what the root server has from the beginning |
//! | [`Allocator`], [`Devices`] | objects out of its untypeds, and pages of devices |
//! | [`Fault`], [`UserContext`], [`entry_context`] | threads and what becomes of them |
//! | [`debug`] | the kernel's help for those who look for an error |
//!
//! A kernel that is configured for them has virtual CPUs (`Vcpu`), address spaces of devices (`IoSpace`,
//! `Sid`), breakpoints (`Breakpoint`) and measurements (`benchmark`) as well.
//!
//! Invocations are methods of `Cap<…>` and `Slot`, under libsel4's names in snake case: what C calls
//! `seL4_TCB_Suspend(tcb)` is `tcb.tcb_suspend()`. rustdoc finds them by C's names. All go through
//! [`libsel4_sys`]: the system call is C's, and so is the IPC buffer.
//!
//! # What is `unsafe`
//!
//! Calls that may change or remove Rust's own memory: unmapping, deleting and revoking, writing
//! the registers of threads, giving them an address space or an IPC buffer, calling devices and the
//! secure monitor. Making an endpoint one for [faults](FaultEndpoint), for who answers a fault writes
//! registers. And what lets a [`Cap`] lead to an object of another kind, for there even a message may be
//! an invocation that does one of those: so filling a slot by its number is `unsafe` as well.
//!
//! Making objects is not `unsafe`: the kernel gives only memory that nothing is made of, and an
//! [`EmptySlot`] is named by no `Cap` and filled once.
//!
//! Safe code can hand capabilities on: [`message::set_cap`] and a message give the receiver a thread, a
//! VSpace or a CNode of one's own, with which that may unmap or rewrite this program's memory. As with
//! `/proc/self/mem` under Linux, that is the receiver's doing, and a program sends such capabilities only
//! to those whom it trusts with its memory.
//!
//! # Threads
//!
//! Every thread that calls something here has an IPC buffer that C knows of: those of C's runtime do,
//! others begin with [`message::set_ipc_buffer`]. C keeps its address in thread-local storage; a libsel4
//! without, where all threads share one buffer, is refused when the crate is built.

#![no_std]

mod allocator;
mod arch;
#[cfg(CONFIG_ENABLE_BENCHMARKS)]
pub mod benchmark;
mod bootinfo;
#[cfg(CONFIG_HARDWARE_DEBUG_API)]
mod breakpoint;
mod cap;
mod cnode;
pub mod debug;
mod device;
mod domain;
mod error;
mod fault;
#[cfg(any(CONFIG_IOMMU, CONFIG_TK1_SMMU))]
mod iospace;
mod ipc;
mod irq;
mod kind;
pub mod message;
#[cfg(CONFIG_KERNEL_MCS)]
mod sched;
mod slot;
mod tcb;
mod untyped;
mod value;
mod vspace;

pub use libsel4_sys;

pub use allocator::{AllocationError, Allocator};
pub use arch::{LargePage, PageTable, SmallPage, VSpace, VmAttributes, entry_context};
pub use bootinfo::{BootInfo, Extra, ExtraBootInfo, UntypedDesc};
pub use cap::{CPtr, Cap, Slot, Slots};
pub use device::Devices;
pub use error::{Error, LookupFailure, Result};
pub use fault::Fault;
pub use ipc::{Event, Received, ReplyAuthority, ReplyHandle, reply, yield_now};
pub use kind::{
    AsidControl, AsidPool, CNode, Domain, Endpoint, FixedSize, IrqControl, IrqHandler, Kind,
    Notification, Page, Retype, Tcb, Untyped,
};
pub use slot::{EmptySlot, EmptySlots, FillError};
pub use tcb::{FaultEndpoint, IpcBuffer, SchedParams, Space, UserContext};
pub use value::{Badge, CapRights, Guard, MessageInfo, Priority};

#[cfg(CONFIG_KERNEL_MCS)]
pub use {
    kind::{Reply, SchedContext, SchedControl},
    sched::{Budget, MIN_SCHED_CONTEXT_BITS, Schedulable, max_extra_refills},
};

#[cfg(not(CONFIG_KERNEL_MCS))]
pub use ipc::{LastCaller, SavedCaller};

#[cfg(any(CONFIG_ARCH_AARCH64, CONFIG_ARCH_RISCV64, CONFIG_ARCH_X86_64))]
pub use arch::HugePage;

#[cfg(CONFIG_ARCH_ARM)]
pub use arch::SgiSignal;

#[cfg(CONFIG_ALLOW_SMC_CALLS)]
pub use arch::Smc;

#[cfg(CONFIG_ARCH_AARCH32)]
pub use arch::{Section, SuperSection};

#[cfg(CONFIG_ARCH_X86)]
pub use {
    arch::{IoPort, IoPortControl},
    irq::{IoApicPin, Msi},
};

#[cfg(CONFIG_ARCH_X86_64)]
pub use arch::{PageDirectory, Pdpt};

#[cfg(CONFIG_HARDWARE_DEBUG_API)]
pub use breakpoint::{Access, Breakpoint};

#[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
pub use arch::{Vcpu, VcpuReg};

#[cfg(CONFIG_ARM_SMMU)]
pub use arch::{Cb, CbControl, CbFault, Sid, SidControl, SidFault};

#[cfg(CONFIG_VTX)]
pub use arch::{
    EptPd, EptPdpt, EptPml4, EptPt, EptVmAttributes, Vcpu, VcpuContext, VmExit, VmFault, VmState,
    vm_enter,
};

#[cfg(any(CONFIG_IOMMU, CONFIG_TK1_SMMU))]
pub use iospace::{IoPageTable, IoSpace};

#[cfg(CONFIG_IOMMU)]
pub use iospace::io_space_cap_data;

#[cfg(CONFIG_KERNEL_MCS)]
pub use fault::timeout_reply;

#[cfg(CONFIG_SET_TLS_BASE_SELF)]
pub use tcb::set_tls_base;
