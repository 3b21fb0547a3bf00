// SPDX-License-Identifier: BSD-2-Clause

//! Virtual machines on x86.

use libsel4_sys as sys;

use crate::arch::IoPort;
use crate::cap::Cap;
use crate::error::{Result, check, check_int};
use crate::kind::{Page, Tcb, kinds};
use crate::message;
use crate::value::{Badge, CapRights};

kinds! {
    /// A virtual CPU: `seL4_X86_VCPU`.
    #[doc(alias = "seL4_X86_VCPU")]
    Vcpu: fixed(sys::seL4_X86_VCPUObject, sys::seL4_X86_VCPUBits);
    /// The memory of a guest: the top of its extended page tables.
    #[doc(alias = "seL4_X86_EPTPML4")]
    EptPml4: fixed(sys::seL4_X86_EPTPML4Object, sys::seL4_X86_EPTPML4Bits);
    /// An extended page-directory-pointer table.
    #[doc(alias = "seL4_X86_EPTPDPT")]
    EptPdpt: fixed(sys::seL4_X86_EPTPDPTObject, sys::seL4_X86_EPTPDPTBits);
    /// An extended page directory.
    #[doc(alias = "seL4_X86_EPTPD")]
    EptPd: fixed(sys::seL4_X86_EPTPDObject, sys::seL4_X86_EPTPDBits);
    /// An extended page table.
    #[doc(alias = "seL4_X86_EPTPT")]
    EptPt: fixed(sys::seL4_X86_EPTPTObject, sys::seL4_X86_EPTPTBits);
}

/// Corresponds to `seL4_X86_EPT_VMAttributes`. How a guest's page is cached.
#[doc(alias = "seL4_X86_EPT_VMAttributes")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct EptVmAttributes(sys::seL4_X86_EPT_VMAttributes);

impl EptVmAttributes {
    /// Corresponds to `seL4_X86_EPT_Default_VMAttributes`: cached, written back.
    #[doc(alias = "seL4_X86_EPT_Default_VMAttributes")]
    #[doc(alias = "seL4_X86_EPT_WriteBack")]
    pub const DEFAULT: Self = Self(sys::seL4_X86_EPT_Default_VMAttributes);
    /// Corresponds to `seL4_X86_EPT_Uncacheable`: not cached, for device registers.
    #[doc(alias = "seL4_X86_EPT_Uncacheable")]
    pub const DEVICE: Self = Self(sys::seL4_X86_EPT_Uncacheable);
    /// Corresponds to `seL4_X86_EPT_WriteCombining`: for frame buffers.
    #[doc(alias = "seL4_X86_EPT_WriteCombining")]
    pub const WRITE_COMBINING: Self = Self(sys::seL4_X86_EPT_WriteCombining);
    /// Corresponds to `seL4_X86_EPT_WriteThrough`.
    #[doc(alias = "seL4_X86_EPT_WriteThrough")]
    pub const WRITE_THROUGH: Self = Self(sys::seL4_X86_EPT_WriteThrough);
    /// Corresponds to `seL4_X86_EPT_WriteProtected`.
    #[doc(alias = "seL4_X86_EPT_WriteProtected")]
    pub const WRITE_PROTECTED: Self = Self(sys::seL4_X86_EPT_WriteProtected);
}

/// Methods of the tables below the top.
macro_rules! tables {
    ($($kind:ident: $map:ident = $c_map:ident $map_name:literal, $unmap:ident = $c_unmap:ident $unmap_name:literal;)*) => {$(
        impl Cap<$kind> {
            #[doc = concat!("Corresponds to `", $map_name, "`. Puts the table where the guest's `address` has none yet.")]
            #[doc(alias = $map_name)]
            #[inline]
            pub fn $map(
                self,
                guest: Cap<EptPml4>,
                address: usize,
                attributes: EptVmAttributes,
            ) -> Result<()> {
                // SAFETY: the table is empty, and where a table or page is, the kernel refuses another.
                check(unsafe { sys::$c_map(self.word(), guest.word(), address, attributes.0) })
            }

            #[doc = concat!("Corresponds to `", $unmap_name, "`. The guest then reaches nothing through it.")]
            #[doc(alias = $unmap_name)]
            #[inline]
            pub fn $unmap(self) -> Result<()> {
                // SAFETY: it takes memory from the guest only.
                check(unsafe { sys::$c_unmap(self.word()) })
            }
        }
    )*};
}

tables! {
    EptPdpt: ept_pdpt_map = seL4_X86_EPTPDPT_Map "seL4_X86_EPTPDPT_Map",
             ept_pdpt_unmap = seL4_X86_EPTPDPT_Unmap "seL4_X86_EPTPDPT_Unmap";
    EptPd: ept_pd_map = seL4_X86_EPTPD_Map "seL4_X86_EPTPD_Map",
           ept_pd_unmap = seL4_X86_EPTPD_Unmap "seL4_X86_EPTPD_Unmap";
    EptPt: ept_pt_map = seL4_X86_EPTPT_Map "seL4_X86_EPTPT_Map",
           ept_pt_unmap = seL4_X86_EPTPT_Unmap "seL4_X86_EPTPT_Unmap";
}

impl<T: Page> Cap<T> {
    /// Corresponds to `seL4_X86_Page_MapEPT`. Maps the page at the guest's physical `address`;
    /// [`page_unmap`](Self::page_unmap) ends it.
    ///
    /// # Safety
    ///
    /// While the page is mapped, the guest reads and writes the page as `rights` allow: this program
    /// uses it by volatile accesses only, or when the guest does not run.
    #[doc(alias = "seL4_X86_Page_MapEPT")]
    #[inline]
    pub unsafe fn page_map_ept(
        self,
        guest: Cap<EptPml4>,
        address: usize,
        rights: CapRights,
        attributes: EptVmAttributes,
    ) -> Result<()> {
        // SAFETY: accesses are volatile, or made while the guest stands still, by the contract of this function.
        check(unsafe {
            sys::seL4_X86_Page_MapEPT(
                self.word(),
                guest.word(),
                address,
                rights.into(),
                attributes.0,
            )
        })
    }
}

impl Cap<Tcb> {
    /// Corresponds to `seL4_TCB_SetEPTRoot`. The memory of the guest that the thread runs by
    /// [`vm_enter`].
    #[doc(alias = "seL4_TCB_SetEPTRoot")]
    #[inline]
    pub fn tcb_set_ept_root(self, guest: Cap<EptPml4>) -> Result<()> {
        // SAFETY: what the guest reaches, page_map_ept has decided.
        check(unsafe { sys::seL4_TCB_SetEPTRoot(self.word(), guest.word()) })
    }
}

/// Corresponds to `seL4_VCPUContext`. The general registers of a guest.
#[doc(alias = "seL4_VCPUContext")]
pub type VcpuContext = sys::seL4_VCPUContext;

impl Cap<Vcpu> {
    /// Corresponds to `seL4_X86_VCPU_SetTCB`. The thread that runs it by [`vm_enter`].
    #[doc(alias = "seL4_X86_VCPU_SetTCB")]
    #[inline]
    pub fn vcpu_set_tcb(self, tcb: Cap<Tcb>) -> Result<()> {
        // SAFETY: it touches the guest alone.
        check(unsafe { sys::seL4_X86_VCPU_SetTCB(self.word(), tcb.word()) })
    }

    /// Corresponds to `seL4_X86_VCPU_ReadVMCS`. A field of the guest's control structure, as Intel
    /// numbers them.
    #[doc(alias = "seL4_X86_VCPU_ReadVMCS")]
    #[inline]
    pub fn vcpu_read_vmcs(self, field: usize) -> Result<usize> {
        // SAFETY: it only reads.
        let answer = unsafe { sys::seL4_X86_VCPU_ReadVMCS(self.word(), field) };
        check_int(answer.error)?;
        Ok(answer.value)
    }

    /// Corresponds to `seL4_X86_VCPU_WriteVMCS`. Returns what was written: the kernel decides some bits.
    #[doc(alias = "seL4_X86_VCPU_WriteVMCS")]
    #[inline]
    pub fn vcpu_write_vmcs(self, field: usize, value: usize) -> Result<usize> {
        // SAFETY: it touches the guest alone, for the kernel keeps the fields that would do more.
        let answer = unsafe { sys::seL4_X86_VCPU_WriteVMCS(self.word(), field, value) };
        check_int(answer.error)?;
        Ok(answer.written)
    }

    /// Corresponds to `seL4_X86_VCPU_ReadMSR`. A model-specific register of the guest.
    #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
    #[doc(alias = "seL4_X86_VCPU_ReadMSR")]
    #[inline]
    pub fn vcpu_read_msr(self, field: usize) -> Result<usize> {
        // SAFETY: it only reads.
        let answer = unsafe { sys::seL4_X86_VCPU_ReadMSR(self.word(), field) };
        check_int(answer.error)?;
        Ok(answer.value)
    }

    /// Corresponds to `seL4_X86_VCPU_WriteMSR`. Returns what was written.
    #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
    #[doc(alias = "seL4_X86_VCPU_WriteMSR")]
    #[inline]
    pub fn vcpu_write_msr(self, field: usize, value: usize) -> Result<usize> {
        // SAFETY: it touches the guest alone.
        let answer = unsafe { sys::seL4_X86_VCPU_WriteMSR(self.word(), field, value) };
        check_int(answer.error)?;
        Ok(answer.written)
    }

    /// Corresponds to `seL4_X86_VCPU_EnableIOPort`. The guest then reaches the ports from `low` to
    /// `high` without asking.
    ///
    /// # Safety
    ///
    /// The devices' reactions to the guest do not change the memory of this program.
    #[doc(alias = "seL4_X86_VCPU_EnableIOPort")]
    #[inline]
    pub unsafe fn vcpu_enable_io_port(self, ports: Cap<IoPort>, low: u16, high: u16) -> Result<()> {
        // SAFETY: the devices' reactions leave this program's memory as it is, by the contract of this function.
        check(unsafe {
            sys::seL4_X86_VCPU_EnableIOPort(self.word(), ports.word(), low.into(), high.into())
        })
    }

    /// Corresponds to `seL4_X86_VCPU_DisableIOPort`. The guest no longer reaches the ports from `low` to
    /// `high`.
    #[doc(alias = "seL4_X86_VCPU_DisableIOPort")]
    #[inline]
    pub fn vcpu_disable_io_port(self, low: u16, high: u16) -> Result<()> {
        // SAFETY: it touches the guest alone.
        check(unsafe { sys::seL4_X86_VCPU_DisableIOPort(self.word(), low.into(), high.into()) })
    }

    /// Corresponds to `seL4_X86_VCPU_WriteRegisters`. The guest's general registers.
    #[doc(alias = "seL4_X86_VCPU_WriteRegisters")]
    #[inline]
    pub fn vcpu_write_registers(self, context: &VcpuContext) -> Result<()> {
        // SAFETY: it touches the guest alone; C reads through the pointer and does not write.
        check(unsafe {
            sys::seL4_X86_VCPU_WriteRegisters(self.word(), (&raw const *context).cast_mut())
        })
    }
}

/// State with which a guest continues, and in which it stopped.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct VmState {
    /// Instruction pointer of the guest.
    pub eip: usize,
    /// Primary processor-based controls, as Intel has them.
    pub control_ppc: usize,
    /// An interrupt to begin with, as Intel has it in the field `VM-entry interruption-information`.
    pub interrupt_info: usize,
}

/// Why a guest does not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VmExit {
    /// Corresponds to `SEL4_VMENTER_RESULT_NOTIF`. The notification bound to the thread was signalled.
    #[doc(alias = "SEL4_VMENTER_RESULT_NOTIF")]
    Notification(Badge),
    /// Corresponds to `SEL4_VMENTER_RESULT_FAULT`. The guest did what it may not do by itself.
    #[doc(alias = "SEL4_VMENTER_RESULT_FAULT")]
    Fault(VmFault),
}

/// Information about a stopped guest, under Intel's names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VmFault {
    /// Exit reason.
    pub reason: usize,
    /// Exit qualification.
    pub qualification: usize,
    /// Length of the instruction.
    pub instruction_len: usize,
    /// The physical address that the guest wanted.
    pub guest_physical: usize,
    /// Flags of the guest.
    pub rflags: usize,
    /// Interruptibility state of the guest.
    pub guest_int: usize,
    /// Page tables of the guest.
    pub cr3: usize,
    /// General registers of the guest.
    pub registers: VcpuContext,
}

/// Corresponds to `seL4_VMEnter`. Runs the guest of this thread, which has a VCPU and a
/// [root of memory](Cap::tcb_set_ept_root), until it faults or the thread's notification is signalled.
#[doc(alias = "seL4_VMEnter")]
pub fn vm_enter(state: &mut VmState) -> VmExit {
    use sys::*;

    message::set_mr::<{ SEL4_VMENTER_CALL_EIP_MR }>(state.eip);
    message::set_mr::<{ SEL4_VMENTER_CALL_CONTROL_PPC_MR }>(state.control_ppc);
    message::set_mr::<{ SEL4_VMENTER_CALL_INTERRUPT_INFO_MR }>(state.interrupt_info);
    let mut badge: Badge = 0;
    // SAFETY: a system call; it writes the badge and the IPC buffer of this thread. What the guest
    // reaches, page_map_ept has decided.
    let result = unsafe { seL4_VMEnter(&raw mut badge) };
    let register = message::register;
    *state = VmState {
        eip: register(SEL4_VMENTER_CALL_EIP_MR),
        control_ppc: register(SEL4_VMENTER_CALL_CONTROL_PPC_MR),
        interrupt_info: register(SEL4_VMENTER_CALL_INTERRUPT_INFO_MR),
    };
    if result == SEL4_VMENTER_RESULT_NOTIF {
        return VmExit::Notification(badge);
    }
    VmExit::Fault(VmFault {
        reason: register(SEL4_VMENTER_FAULT_REASON_MR),
        qualification: register(SEL4_VMENTER_FAULT_QUALIFICATION_MR),
        instruction_len: register(SEL4_VMENTER_FAULT_INSTRUCTION_LEN_MR),
        guest_physical: register(SEL4_VMENTER_FAULT_GUEST_PHYSICAL_MR),
        rflags: register(SEL4_VMENTER_FAULT_RFLAGS_MR),
        guest_int: register(SEL4_VMENTER_FAULT_GUEST_INT_MR),
        cr3: register(SEL4_VMENTER_FAULT_CR3_MR),
        registers: VcpuContext {
            eax: register(SEL4_VMENTER_FAULT_EAX),
            ebx: register(SEL4_VMENTER_FAULT_EBX),
            ecx: register(SEL4_VMENTER_FAULT_ECX),
            edx: register(SEL4_VMENTER_FAULT_EDX),
            esi: register(SEL4_VMENTER_FAULT_ESI),
            edi: register(SEL4_VMENTER_FAULT_EDI),
            ebp: register(SEL4_VMENTER_FAULT_EBP),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r8: register(SEL4_VMENTER_FAULT_R8),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r9: register(SEL4_VMENTER_FAULT_R9),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r10: register(SEL4_VMENTER_FAULT_R10),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r11: register(SEL4_VMENTER_FAULT_R11),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r12: register(SEL4_VMENTER_FAULT_R12),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r13: register(SEL4_VMENTER_FAULT_R13),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r14: register(SEL4_VMENTER_FAULT_R14),
            #[cfg(CONFIG_X86_64_VTX_64BIT_GUESTS)]
            r15: register(SEL4_VMENTER_FAULT_R15),
        },
    })
}
