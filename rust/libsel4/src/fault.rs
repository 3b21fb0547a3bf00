// SPDX-License-Identifier: BSD-2-Clause

//! Messages of the kernel to fault handlers.

use core::fmt;

use libsel4_sys as sys;

use crate::error::LookupFailure;
use crate::message;
#[cfg(CONFIG_KERNEL_MCS)]
use crate::tcb::UserContext;
use crate::value::MessageInfo;

/// Corresponds to `seL4_Fault_t`. Why a thread does not go on, in the message that comes to its fault
/// endpoint. A reply lets it go on: with label 0, and length 0 for unchanged registers. Others set them,
/// as those who gave the thread its fault endpoint have promised: soundly.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Fault, MessageInfo};
///
/// // A message with the label of no fault.
/// let fault = Fault::of(MessageInfo::default());
/// match fault {
///     Fault::Vm { ip, address, .. } => println!("{ip:#x} wanted {address:#x}"),
///     other => assert_eq!(other, Fault::Null),
/// }
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_Fault_t")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Corresponds to `seL4_Fault_NullFault`: no fault, but a message with label 0.
    #[doc(alias = "seL4_Fault_NullFault")]
    Null,
    /// Corresponds to `seL4_Fault_CapFault`. A capability that a system call needs is not there.
    #[doc(alias = "seL4_Fault_CapFault")]
    Cap {
        /// Instruction pointer of the thread.
        ip: usize,
        /// The address in its CSpace.
        address: usize,
        /// Set if the thread was in the receive phase.
        in_receive_phase: bool,
        /// Why the address leads nowhere.
        failure: LookupFailure,
    },
    /// Corresponds to `seL4_Fault_UnknownSyscall`. The other registers of the thread are message
    /// registers, as C's `seL4_UnknownSyscall_…` number them.
    #[doc(alias = "seL4_Fault_UnknownSyscall")]
    UnknownSyscall {
        /// Instruction pointer of the thread.
        ip: usize,
        /// Stack pointer of the thread.
        sp: usize,
        /// Number of the system call.
        syscall: usize,
    },
    /// Corresponds to `seL4_Fault_UserException`, such as an undefined instruction.
    #[doc(alias = "seL4_Fault_UserException")]
    UserException {
        /// Instruction pointer of the thread.
        ip: usize,
        /// Stack pointer of the thread.
        sp: usize,
        /// Which exception, as the architecture numbers them.
        number: usize,
        /// More about it, as the architecture gives it.
        code: usize,
    },
    /// Corresponds to `seL4_Fault_VMFault`. Memory is not there, or not for this.
    #[doc(alias = "seL4_Fault_VMFault")]
    Vm {
        /// Instruction pointer of the thread.
        ip: usize,
        /// The address that it wanted.
        address: usize,
        /// Set for an instruction fetch.
        instruction: bool,
        /// Fault status, as the architecture gives it.
        fsr: usize,
    },
    /// Corresponds to `seL4_Fault_Timeout`. The budget is used up.
    #[cfg(CONFIG_KERNEL_MCS)]
    #[doc(alias = "seL4_Fault_Timeout")]
    Timeout {
        /// The badge that the scheduling context was configured with.
        data: usize,
        /// Time consumed since the last query, in microseconds.
        consumed: u64,
    },
    /// Corresponds to `seL4_Fault_DebugException`. A breakpoint, or a step.
    #[cfg(CONFIG_HARDWARE_DEBUG_API)]
    #[doc(alias = "seL4_Fault_DebugException")]
    DebugException {
        /// Instruction pointer of the thread.
        ip: usize,
        /// Why: one of C's `seL4_InstructionBreakpoint`, `seL4_DataBreakpoint`, `seL4_SingleStep` and
        /// `seL4_SoftwareBreakRequest`.
        reason: usize,
        /// The address of what it was stopped at, where that is known.
        address: usize,
        /// The number of the breakpoint, where it was one.
        number: usize,
    },
    /// Corresponds to `seL4_Fault_VGICMaintenance`. A guest has taken an interrupt, or its list register
    /// is free for another reason.
    #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
    #[doc(alias = "seL4_Fault_VGICMaintenance")]
    VgicMaintenance {
        /// The list register, if it is known.
        index: Option<usize>,
    },
    /// Corresponds to `seL4_Fault_VCPUFault`. A guest did what it may not do by itself.
    #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
    #[doc(alias = "seL4_Fault_VCPUFault")]
    Vcpu {
        /// The syndrome, as the architecture gives it.
        hsr: usize,
    },
    /// Corresponds to `seL4_Fault_VPPIEvent`. A private interrupt of a guest, such as that of its
    /// virtual timer.
    #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
    #[doc(alias = "seL4_Fault_VPPIEvent")]
    VppiEvent {
        /// Number of the interrupt.
        irq: usize,
    },
    /// A kind that has no name here, with its registers in the message.
    Other {
        /// C's `seL4_Fault_tag`.
        label: usize,
    },
}

impl Fault {
    /// Corresponds to `seL4_getFault`. The fault in the message that was just received. Ask before the
    /// next system call, and only what came from the kernel: the badge tells that.
    #[doc(alias = "seL4_getFault")]
    pub fn of(info: MessageInfo) -> Self {
        Self::decode(info, message::register)
    }

    fn decode(info: MessageInfo, register: impl Fn(usize) -> usize) -> Self {
        match info.label() {
            sys::seL4_Fault_NullFault => Self::Null,
            sys::seL4_Fault_CapFault => Self::Cap {
                ip: register(sys::seL4_CapFault_IP),
                address: register(sys::seL4_CapFault_Addr),
                in_receive_phase: register(sys::seL4_CapFault_InRecvPhase) != 0,
                failure: LookupFailure::decode(|index| {
                    register(sys::seL4_CapFault_LookupFailureType + index)
                }),
            },
            sys::seL4_Fault_UnknownSyscall => Self::UnknownSyscall {
                ip: register(sys::seL4_UnknownSyscall_FaultIP),
                sp: register(sys::seL4_UnknownSyscall_SP),
                syscall: register(sys::seL4_UnknownSyscall_Syscall),
            },
            sys::seL4_Fault_UserException => Self::UserException {
                ip: register(sys::seL4_UserException_FaultIP),
                sp: register(sys::seL4_UserException_SP),
                number: register(sys::seL4_UserException_Number),
                code: register(sys::seL4_UserException_Code),
            },
            sys::seL4_Fault_VMFault => Self::Vm {
                ip: register(sys::seL4_VMFault_IP),
                address: register(sys::seL4_VMFault_Addr),
                instruction: register(sys::seL4_VMFault_PrefetchFault) != 0,
                fsr: register(sys::seL4_VMFault_FSR),
            },
            #[cfg(CONFIG_KERNEL_MCS)]
            sys::seL4_Fault_Timeout => Self::Timeout {
                data: register(sys::seL4_Timeout_Data),
                consumed: time_at(sys::seL4_Timeout_Data + 1, register),
            },
            #[cfg(CONFIG_HARDWARE_DEBUG_API)]
            sys::seL4_Fault_DebugException => Self::DebugException {
                ip: register(sys::seL4_DebugException_FaultIP),
                reason: register(sys::seL4_DebugException_ExceptionReason),
                address: register(sys::seL4_DebugException_TriggerAddress),
                number: register(sys::seL4_DebugException_BreakpointNumber),
            },
            #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
            sys::seL4_Fault_VGICMaintenance => {
                let index = register(sys::seL4_VGICMaintenance_IDX);
                Self::VgicMaintenance {
                    index: (index != usize::MAX).then_some(index),
                }
            }
            #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
            sys::seL4_Fault_VCPUFault => Self::Vcpu {
                hsr: register(sys::seL4_VCPUFault_HSR),
            },
            #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
            sys::seL4_Fault_VPPIEvent => Self::VppiEvent {
                irq: register(sys::seL4_VPPIEvent_IRQ),
            },
            label => Self::Other { label },
        }
    }
}

/// A time takes one register of 64 bits or two of 32. Of the two the kernel writes the lower half first
/// (`mode_setTimeArg`), although libsel4 calls that register `seL4_Timeout_Consumed_HighBits`.
#[cfg(CONFIG_KERNEL_MCS)]
fn time_at(index: usize, register: impl Fn(usize) -> usize) -> u64 {
    let low = register(index) as u64;
    if usize::BITS == 32 {
        low | (register(index + 1) as u64) << 32
    } else {
        low
    }
}

/// Corresponds to `seL4_TimeoutReply_new`. A reply to [`Fault::Timeout`] that sets the thread's registers,
/// and lets it run if `resume` says so. It is in the message registers: put it there last.
///
/// # Safety
///
/// If it is sent as such a reply, what [`tcb_write_registers`](crate::Cap::tcb_write_registers) asks for
/// holds.
#[cfg(CONFIG_KERNEL_MCS)]
#[doc(alias = "seL4_TimeoutReply_new")]
pub unsafe fn timeout_reply(resume: bool, context: &UserContext) -> MessageInfo {
    const WORDS: usize = size_of::<UserContext>() / size_of::<usize>();
    // SAFETY: C takes the context by value, and has that many words of it.
    unsafe { sys::seL4_TimeoutReply_new(resume.into(), *context, WORDS) }.into()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("no fault"),
            Self::Cap {
                ip,
                address,
                in_receive_phase,
                failure,
            } => {
                let phase = if *in_receive_phase { "receive" } else { "send" };
                write!(
                    f,
                    "capability fault at {ip:#x}: {phase} through {address:#x}, {failure}"
                )
            }
            Self::UnknownSyscall { ip, syscall, .. } => {
                write!(f, "unknown system call {:#x} at {ip:#x}", *syscall)
            }
            Self::UserException {
                ip, number, code, ..
            } => write!(f, "user exception {number:#x} at {ip:#x}, code {code:#x}"),
            Self::Vm {
                ip,
                address,
                instruction,
                fsr,
            } => {
                let what = if *instruction { "instruction" } else { "data" };
                write!(
                    f,
                    "memory fault at {ip:#x}: no {what} at {address:#x}, status {fsr:#x}"
                )
            }
            #[cfg(CONFIG_KERNEL_MCS)]
            Self::Timeout { data, consumed } => {
                write!(f, "timeout of {data:#x} after {consumed} microseconds")
            }
            #[cfg(CONFIG_HARDWARE_DEBUG_API)]
            Self::DebugException {
                ip,
                reason,
                address,
                number,
            } => match *reason {
                sys::seL4_SingleStep => write!(f, "a step, now at {ip:#x}"),
                sys::seL4_SoftwareBreakRequest => write!(f, "a break instruction at {ip:#x}"),
                _ => write!(f, "breakpoint {number} at {ip:#x}, for {address:#x}"),
            },
            #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
            Self::VgicMaintenance { index: Some(index) } => {
                write!(f, "list register {index} of the guest is free")
            }
            #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
            Self::VgicMaintenance { index: None } => {
                f.write_str("a list register of the guest is free")
            }
            #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
            Self::Vcpu { hsr } => write!(f, "guest fault, syndrome {hsr:#x}"),
            #[cfg(CONFIG_ARM_HYPERVISOR_SUPPORT)]
            Self::VppiEvent { irq } => write!(f, "private interrupt {irq} of the guest"),
            Self::Other { label } => write!(f, "fault {label}"),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    fn decoded(label: usize) -> Fault {
        Fault::decode(MessageInfo::new(label, 0, 0, 4), |index| index + 0x10)
    }

    #[test]
    fn each_kind_finds_its_registers() {
        let vm = decoded(sys::seL4_Fault_VMFault);
        assert_eq!(
            vm,
            Fault::Vm {
                ip: 0x10,
                address: 0x11,
                instruction: true,
                fsr: 0x13
            }
        );
        assert_eq!(
            vm.to_string(),
            "memory fault at 0x10: no instruction at 0x11, status 0x13"
        );
        let Fault::Cap { failure, .. } = decoded(sys::seL4_Fault_CapFault) else {
            panic!("another kind");
        };
        assert_eq!(failure, LookupFailure::Unknown(0x13));
        assert_eq!(decoded(sys::seL4_Fault_NullFault), Fault::Null);
        assert_eq!(decoded(99), Fault::Other { label: 99 });
    }
}
