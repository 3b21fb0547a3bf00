// SPDX-License-Identifier: BSD-2-Clause

//! The SMMU of ARM, version 2: which memory devices reach.

use libsel4_sys as sys;

use crate::arch::VSpace;
use crate::cap::Cap;
use crate::error::{Result, check, check_int};
use crate::kind::kinds;
use crate::slot::{EmptySlot, FillError};

kinds! {
    /// Authority over all streams: `seL4_ARM_SIDControl`.
    #[doc(alias = "seL4_ARM_SIDControl")]
    SidControl;
    /// Transfers of one device: `seL4_ARM_SID`.
    #[doc(alias = "seL4_ARM_SID")]
    Sid;
    /// Authority over all context banks: `seL4_ARM_CBControl`.
    #[doc(alias = "seL4_ARM_CBControl")]
    CbControl;
    /// A context bank, where the SMMU has an address space: `seL4_ARM_CB`.
    #[doc(alias = "seL4_ARM_CB")]
    Cb;
}

/// Corresponds to `seL4_ARM_SIDControl_GetFault_t`. Registers with a fault of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SidFault {
    /// Fault status.
    pub status: usize,
    /// Syndrome, first half.
    pub syndrome_0: usize,
    /// Syndrome, second half.
    pub syndrome_1: usize,
}

/// Corresponds to `seL4_ARM_CB_CBGetFault_t`. Registers with a fault of a context bank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CbFault {
    /// Fault status.
    pub status: usize,
    /// The address that the device wanted.
    pub address: usize,
}

impl Cap<SidControl> {
    /// Corresponds to `seL4_ARM_SIDControl_GetSID`. Fills `slot` with the stream `sid`.
    #[doc(alias = "seL4_ARM_SIDControl_GetSID")]
    #[inline]
    pub fn sid_control_get_sid(self, sid: usize, slot: EmptySlot) -> Result<Cap<Sid>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_ARM_SIDControl_GetSID(self.word(), sid, root, index, depth)
            })
        }
    }

    /// Corresponds to `seL4_ARM_SIDControl_GetFault`.
    #[doc(alias = "seL4_ARM_SIDControl_GetFault")]
    #[inline]
    pub fn sid_control_get_fault(self) -> Result<SidFault> {
        // SAFETY: it only reads.
        let answer = unsafe { sys::seL4_ARM_SIDControl_GetFault(self.word()) };
        check_int(answer.error)?;
        Ok(SidFault {
            status: answer.status,
            syndrome_0: answer.syndrome_0,
            syndrome_1: answer.syndrome_1,
        })
    }

    /// Corresponds to `seL4_ARM_SIDControl_ClearFault`.
    #[doc(alias = "seL4_ARM_SIDControl_ClearFault")]
    #[inline]
    pub fn sid_control_clear_fault(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_ARM_SIDControl_ClearFault(self.word()) })
    }
}

impl Cap<Sid> {
    /// Corresponds to `seL4_ARM_SID_BindCB`. The device then has the address space of the context bank.
    ///
    /// # Safety
    ///
    /// The device does not write to memory of that address space that this program uses as its own.
    #[doc(alias = "seL4_ARM_SID_BindCB")]
    #[inline]
    pub unsafe fn sid_bind_cb(self, cb: Cap<Cb>) -> Result<()> {
        // SAFETY: the device leaves alone what this program uses as its own, by the contract of this function.
        check(unsafe { sys::seL4_ARM_SID_BindCB(self.word(), cb.word()) })
    }

    /// Corresponds to `seL4_ARM_SID_UnbindCB`. The device then reaches no memory.
    #[doc(alias = "seL4_ARM_SID_UnbindCB")]
    #[inline]
    pub fn sid_unbind_cb(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_ARM_SID_UnbindCB(self.word()) })
    }
}

impl Cap<CbControl> {
    /// Corresponds to `seL4_ARM_CBControl_GetCB`. Fills `slot` with the context bank `cb`.
    #[doc(alias = "seL4_ARM_CBControl_GetCB")]
    #[inline]
    pub fn cb_control_get_cb(self, cb: usize, slot: EmptySlot) -> Result<Cap<Cb>, FillError> {
        // SAFETY: nothing else names the slot, so no `Cap` changes, and the kernel puts such a capability there.
        unsafe {
            slot.fill(|root, index, depth| {
                sys::seL4_ARM_CBControl_GetCB(self.word(), cb, root, index, depth)
            })
        }
    }

    /// Corresponds to `seL4_ARM_CBControl_TLBInvalidateAll`. The SMMU looks all mappings up anew.
    #[doc(alias = "seL4_ARM_CBControl_TLBInvalidateAll")]
    #[inline]
    pub fn cb_control_tlb_invalidate_all(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_ARM_CBControl_TLBInvalidateAll(self.word()) })
    }
}

impl Cap<Cb> {
    /// Corresponds to `seL4_ARM_CB_AssignVspace`. The address space of the devices that are bound.
    ///
    /// # Safety
    ///
    /// Those of [`sid_bind_cb`](Cap::sid_bind_cb), for each of those devices.
    #[doc(alias = "seL4_ARM_CB_AssignVspace")]
    #[inline]
    pub unsafe fn cb_assign_vspace(self, vspace: Cap<VSpace>) -> Result<()> {
        // SAFETY: the bound devices leave alone what this program uses as its own, by the contract of this function.
        check(unsafe { sys::seL4_ARM_CB_AssignVspace(self.word(), vspace.word()) })
    }

    /// Corresponds to `seL4_ARM_CB_UnassignVspace`. Its devices then reach no memory.
    #[doc(alias = "seL4_ARM_CB_UnassignVspace")]
    #[inline]
    pub fn cb_unassign_vspace(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_ARM_CB_UnassignVspace(self.word()) })
    }

    /// Corresponds to `seL4_ARM_CB_TLBInvalidate`. The SMMU looks the mappings of its address space up
    /// anew.
    #[doc(alias = "seL4_ARM_CB_TLBInvalidate")]
    #[inline]
    pub fn cb_tlb_invalidate(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_ARM_CB_TLBInvalidate(self.word()) })
    }

    /// Corresponds to `seL4_ARM_CB_CBGetFault`.
    #[doc(alias = "seL4_ARM_CB_CBGetFault")]
    #[inline]
    pub fn cb_get_fault(self) -> Result<CbFault> {
        // SAFETY: it only reads.
        let answer = unsafe { sys::seL4_ARM_CB_CBGetFault(self.word()) };
        check_int(answer.error)?;
        Ok(CbFault {
            status: answer.status,
            address: answer.address,
        })
    }

    /// Corresponds to `seL4_ARM_CB_CBClearFault`.
    #[doc(alias = "seL4_ARM_CB_CBClearFault")]
    #[inline]
    pub fn cb_clear_fault(self) -> Result<()> {
        // SAFETY: it touches no memory.
        check(unsafe { sys::seL4_ARM_CB_CBClearFault(self.word()) })
    }
}
