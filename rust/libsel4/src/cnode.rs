// SPDX-License-Identifier: BSD-2-Clause

//! Operations on slots: C's invocations of CNodes.

use libsel4_sys as sys;

use crate::cap::{Cap, Slot};
use crate::error::{Result, check};
#[cfg(not(CONFIG_KERNEL_MCS))]
use crate::ipc::SavedCaller;
use crate::kind::Kind;
use crate::slot::{EmptySlot, FillError};
use crate::value::{Badge, CapRights};

/// Invocations that fill an empty slot.
impl EmptySlot {
    /// Corresponds to `seL4_CNode_Copy`. Fills this slot with a copy of `source`, with at most `rights`.
    ///
    /// # Errors
    ///
    /// [`RevokeFirst`](crate::Error::RevokeFirst) for an untyped that objects are made of.
    #[doc(alias = "seL4_CNode_Copy")]
    #[inline]
    pub fn cnode_copy<T: Kind>(
        self,
        source: Cap<T>,
        rights: CapRights,
    ) -> Result<Cap<T>, FillError> {
        let source = self.slot().root().slot_of(source);
        // SAFETY: nothing names this slot, so no `Cap` changes.
        let copied = unsafe { self.slot().cnode_copy(source, rights) };
        // SAFETY: a copy is of the same kind.
        unsafe { self.filled_if(copied) }
    }

    /// Corresponds to `seL4_CNode_Mint`. Fills this slot with a copy of `source`, with at most `rights`
    /// and with a badge; for a CNode the badge is the word of a [`Guard`](crate::Guard).
    ///
    /// # Errors
    ///
    /// [`IllegalOperation`](crate::Error::IllegalOperation) where `source` has a badge already, and those of
    /// [`cnode_copy`](Self::cnode_copy).
    #[doc(alias = "seL4_CNode_Mint")]
    #[inline]
    pub fn cnode_mint<T: Kind>(
        self,
        source: Cap<T>,
        rights: CapRights,
        badge: Badge,
    ) -> Result<Cap<T>, FillError> {
        let source = self.slot().root().slot_of(source);
        // SAFETY: nothing names this slot, so no `Cap` changes.
        let minted = unsafe { self.slot().cnode_mint(source, rights, badge) };
        // SAFETY: a copy is of the same kind.
        unsafe { self.filled_if(minted) }
    }

    /// Corresponds to `seL4_CNode_SaveCaller`. Fills this slot with the capability to reply to the last
    /// caller.
    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[doc(alias = "seL4_CNode_SaveCaller")]
    #[inline]
    pub fn cnode_save_caller(self) -> Result<SavedCaller, FillError> {
        let slot = self.slot();
        // SAFETY: nothing names this slot, so no `Cap` changes.
        let code =
            unsafe { sys::seL4_CNode_SaveCaller(slot.root().word(), slot.index(), slot.depth()) };
        match check(code) {
            Ok(()) => Ok(SavedCaller::new(self)),
            Err(error) => Err(FillError { error, slot: self }),
        }
    }
}

/// Invocations of slots by their address. Those that fill one share a contract.
///
/// # Safety
///
/// Filling a slot by its address requires that no [`Cap`] leads to it that was made for a capability of
/// another kind or for another object, that no [`EmptySlot`] names it, and that it is not slot 0 of a
/// CSpace nor another one where the kernel looks for a capability that a thread does not have.
impl Slot {
    /// Corresponds to `seL4_CNode_Copy`. Fills this slot with a copy of what is in `source`, with at
    /// most `rights`. [`EmptySlot::cnode_copy`] is the safe form.
    ///
    /// # Safety
    ///
    /// No [`Cap`] or [`EmptySlot`] names this slot, and it is no thread's slot 0.
    #[doc(alias = "seL4_CNode_Copy")]
    #[inline]
    pub unsafe fn cnode_copy(self, source: Slot, rights: CapRights) -> Result<()> {
        // SAFETY: filling the slot changes no `Cap`, by the contract of this function.
        check(unsafe {
            sys::seL4_CNode_Copy(
                self.root().word(),
                self.index(),
                self.depth(),
                source.root().word(),
                source.index(),
                source.depth(),
                rights.into(),
            )
        })
    }

    /// Corresponds to `seL4_CNode_Mint`. Fills this slot with a copy of what is in `source`, with at
    /// most `rights` and with a badge, or the word of a [`Guard`](crate::Guard).
    /// [`EmptySlot::cnode_mint`] is the safe form.
    ///
    /// # Safety
    ///
    /// Those of [`cnode_copy`](Self::cnode_copy).
    #[doc(alias = "seL4_CNode_Mint")]
    #[inline]
    pub unsafe fn cnode_mint(self, source: Slot, rights: CapRights, badge: Badge) -> Result<()> {
        // SAFETY: filling the slot changes no `Cap`, by the contract of this function.
        check(unsafe {
            sys::seL4_CNode_Mint(
                self.root().word(),
                self.index(),
                self.depth(),
                source.root().word(),
                source.index(),
                source.depth(),
                rights.into(),
                badge,
            )
        })
    }

    /// Corresponds to `seL4_CNode_Move`. Fills this slot with what is in `source`, which is then empty.
    ///
    /// # Safety
    ///
    /// No [`Cap`] of what was in `source` is used any more. For this slot the conditions of
    /// [`cnode_copy`](Self::cnode_copy) hold.
    #[doc(alias = "seL4_CNode_Move")]
    #[inline]
    pub unsafe fn cnode_move(self, source: Slot) -> Result<()> {
        // SAFETY: no `Cap` or `EmptySlot` depends on what is in the two slots, by the contract of this function.
        check(unsafe {
            sys::seL4_CNode_Move(
                self.root().word(),
                self.index(),
                self.depth(),
                source.root().word(),
                source.index(),
                source.depth(),
            )
        })
    }

    /// Corresponds to `seL4_CNode_Mutate`. The same, with what C calls a badge: for a CNode the word of
    /// its new [`Guard`](crate::Guard); most others take no notice of it.
    ///
    /// # Errors
    ///
    /// [`IllegalOperation`](crate::Error::IllegalOperation) for endpoints and notifications, whose badge
    /// only a copy gets, by [`cnode_mint`](Self::cnode_mint).
    ///
    /// # Safety
    ///
    /// Those of [`cnode_move`](Self::cnode_move).
    #[doc(alias = "seL4_CNode_Mutate")]
    #[inline]
    pub unsafe fn cnode_mutate(self, source: Slot, badge: Badge) -> Result<()> {
        // SAFETY: no `Cap` or `EmptySlot` depends on what is in the two slots, by the contract of this function.
        check(unsafe {
            sys::seL4_CNode_Mutate(
                self.root().word(),
                self.index(),
                self.depth(),
                source.root().word(),
                source.index(),
                source.depth(),
                badge,
            )
        })
    }

    /// Corresponds to `seL4_CNode_Rotate`. Moves what is in `pivot` here, and what is in `source` to
    /// `pivot`, each with a badge as for [`cnode_mutate`](Self::cnode_mutate). This slot is empty, or is
    /// `source`.
    ///
    /// # Errors
    ///
    /// [`IllegalOperation`](crate::Error::IllegalOperation) for endpoints and notifications,
    /// [`DeleteFirst`](crate::Error::DeleteFirst) where this slot is neither.
    ///
    /// # Safety
    ///
    /// No [`Cap`] of what was in `pivot` or `source` is used any more. For this slot the conditions of
    /// [`cnode_copy`](Self::cnode_copy) hold.
    #[doc(alias = "seL4_CNode_Rotate")]
    #[inline]
    pub unsafe fn cnode_rotate(
        self,
        badge: Badge,
        pivot: Slot,
        pivot_badge: Badge,
        source: Slot,
    ) -> Result<()> {
        // SAFETY: no `Cap` or `EmptySlot` depends on what is in the three slots, by the contract of this function.
        check(unsafe {
            sys::seL4_CNode_Rotate(
                self.root().word(),
                self.index(),
                self.depth(),
                badge,
                pivot.root().word(),
                pivot.index(),
                pivot.depth(),
                pivot_badge,
                source.root().word(),
                source.index(),
                source.depth(),
            )
        })
    }

    /// Corresponds to `seL4_CNode_Delete`. Empties this slot, and destroys the object if this was the
    /// last capability to it.
    ///
    /// # Safety
    ///
    /// No [`Cap`] of what was in it is used any more. Where it is a page, nobody uses the
    /// memory where it was mapped through this capability; where it is a page table, a VSpace or an
    /// ASID pool, nobody uses memory that is mapped with it; where it is a CNode, the same holds for
    /// all that is in it.
    #[doc(alias = "seL4_CNode_Delete")]
    #[inline]
    pub unsafe fn cnode_delete(self) -> Result<()> {
        // SAFETY: no `Cap` of it is used any more, nor memory mapped through it, by the contract of this function.
        check(unsafe { sys::seL4_CNode_Delete(self.root().word(), self.index(), self.depth()) })
    }

    /// Corresponds to `seL4_CNode_Revoke`. Deletes all capabilities that come from the one in this
    /// slot, wherever they are. An untyped is whole again then.
    ///
    /// # Safety
    ///
    /// Those of [`cnode_delete`](Self::cnode_delete), for each of those capabilities.
    #[doc(alias = "seL4_CNode_Revoke")]
    #[inline]
    pub unsafe fn cnode_revoke(self) -> Result<()> {
        // SAFETY: no `Cap` that comes of it is used, nor memory mapped through one, by the contract of this function.
        check(unsafe { sys::seL4_CNode_Revoke(self.root().word(), self.index(), self.depth()) })
    }

    /// Corresponds to `seL4_CNode_CancelBadgedSends`. Cancels what threads are waiting to send through
    /// the badge of the endpoint capability in this slot.
    #[doc(alias = "seL4_CNode_CancelBadgedSends")]
    #[inline]
    pub fn cnode_cancel_badged_sends(self) -> Result<()> {
        // SAFETY: it touches no memory of this program and no slot.
        check(unsafe {
            sys::seL4_CNode_CancelBadgedSends(self.root().word(), self.index(), self.depth())
        })
    }
}
