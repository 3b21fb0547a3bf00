// SPDX-License-Identifier: BSD-2-Clause

//! Virtual machines on ARM.

use libsel4_sys as sys;

use crate::cap::Cap;
use crate::error::{Result, check, check_int};
use crate::kind::{Tcb, kinds};

kinds! {
    /// A virtual CPU: `seL4_ARM_VCPU`.
    #[doc(alias = "seL4_ARM_VCPU")]
    #[doc(alias = "seL4_ARM_VCPUObject")]
    Vcpu: fixed(sys::seL4_ARM_VCPUObject, sys::seL4_ARM_VCPUBits);
}

/// Corresponds to `seL4_VCPUReg`. A register of a virtual CPU: one of C's `seL4_VCPUReg_…`.
#[doc(alias = "seL4_VCPUReg")]
pub type VcpuReg = sys::seL4_VCPUReg;

impl Cap<Vcpu> {
    /// Corresponds to `seL4_ARM_VCPU_SetTCB`. Makes a thread the virtual machine's.
    ///
    /// # Safety
    ///
    /// The thread does not run, and what it runs later is a guest: its VSpace has no memory that this
    /// program uses as its own, for the guest's registers and interrupts decide what becomes of it.
    #[doc(alias = "seL4_ARM_VCPU_SetTCB")]
    #[inline]
    pub unsafe fn vcpu_set_tcb(self, tcb: Cap<Tcb>) -> Result<()> {
        // SAFETY: the thread is stopped, and its VSpace has no memory of this program, by the contract of this function.
        check(unsafe { sys::seL4_ARM_VCPU_SetTCB(self.word(), tcb.word()) })
    }

    /// Corresponds to `seL4_ARM_VCPU_InjectIRQ`. Gives the guest the interrupt `irq`, with a priority
    /// from 0 to 31, in group 0 or 1, through the list register `index`.
    ///
    /// # Errors
    ///
    /// [`RangeError`](crate::Error::RangeError) where one of them is out of range,
    /// [`DeleteFirst`](crate::Error::DeleteFirst) where the list register has an interrupt that
    /// the guest is handling.
    #[doc(alias = "seL4_ARM_VCPU_InjectIRQ")]
    #[inline]
    pub fn vcpu_inject_irq(self, irq: u16, priority: u8, group: u8, index: u8) -> Result<()> {
        // SAFETY: it touches the guest alone.
        check(unsafe { sys::seL4_ARM_VCPU_InjectIRQ(self.word(), irq, priority, group, index) })
    }

    /// Corresponds to `seL4_ARM_VCPU_ReadRegs`.
    #[doc(alias = "seL4_ARM_VCPU_ReadRegs")]
    #[inline]
    pub fn vcpu_read_regs(self, register: VcpuReg) -> Result<usize> {
        // SAFETY: it only reads.
        let answer = unsafe { sys::seL4_ARM_VCPU_ReadRegs(self.word(), register) };
        check_int(answer.error)?;
        Ok(answer.value)
    }

    /// Corresponds to `seL4_ARM_VCPU_WriteRegs`.
    #[doc(alias = "seL4_ARM_VCPU_WriteRegs")]
    #[inline]
    pub fn vcpu_write_regs(self, register: VcpuReg, value: usize) -> Result<()> {
        // SAFETY: it touches the guest alone.
        check(unsafe { sys::seL4_ARM_VCPU_WriteRegs(self.word(), register, value) })
    }

    /// Corresponds to `seL4_ARM_VCPU_AckVPPI`. Lets a private interrupt, such as that of the virtual
    /// timer, come to the guest again.
    #[doc(alias = "seL4_ARM_VCPU_AckVPPI")]
    #[inline]
    pub fn vcpu_ack_vppi(self, irq: usize) -> Result<()> {
        // SAFETY: it touches the guest alone.
        check(unsafe { sys::seL4_ARM_VCPU_AckVPPI(self.word(), irq) })
    }
}
