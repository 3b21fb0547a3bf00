// SPDX-License-Identifier: BSD-2-Clause

//! Operations on slots: C's invocations of CNodes.

use libsel4_sys as sys;

use crate::cap::Slot;
use crate::error::{Result, check};
use crate::value::{Badge, CapRights};

impl Slot {
    /// Corresponds to `seL4_CNode_Copy`. Fills this slot with a copy of what is in `source`, with at
    /// most `rights`.
    #[doc(alias = "seL4_CNode_Copy")]
    pub fn cnode_copy(self, source: Slot, rights: CapRights) -> Result<()> {
        // SAFETY: only an empty slot is filled.
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

    /// Corresponds to `seL4_CNode_Mint`. The same, with a badge, or the word of a [`Guard`](crate::Guard).
    #[doc(alias = "seL4_CNode_Mint")]
    pub fn cnode_mint(self, source: Slot, rights: CapRights, badge: Badge) -> Result<()> {
        // SAFETY: only an empty slot is filled.
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
    /// No [`Cap`](crate::Cap) of what was in `source` is used any more.
    #[doc(alias = "seL4_CNode_Move")]
    pub unsafe fn cnode_move(self, source: Slot) -> Result<()> {
        // SAFETY: the caller promises it.
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
    pub unsafe fn cnode_mutate(self, source: Slot, badge: Badge) -> Result<()> {
        // SAFETY: the caller promises it.
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
    /// No [`Cap`](crate::Cap) of what was in `pivot` or `source` is used any more.
    #[doc(alias = "seL4_CNode_Rotate")]
    pub unsafe fn cnode_rotate(
        self,
        badge: Badge,
        pivot: Slot,
        pivot_badge: Badge,
        source: Slot,
    ) -> Result<()> {
        // SAFETY: the caller promises it.
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
    /// No [`Cap`](crate::Cap) of what was in it is used any more. Where it is a page, nobody uses the
    /// memory where it was mapped through this capability; where it is a page table, a VSpace or an
    /// ASID pool, nobody uses memory that is mapped with it; where it is a CNode, the same holds for
    /// all that is in it.
    #[doc(alias = "seL4_CNode_Delete")]
    pub unsafe fn cnode_delete(self) -> Result<()> {
        // SAFETY: the caller promises it.
        check(unsafe { sys::seL4_CNode_Delete(self.root().word(), self.index(), self.depth()) })
    }

    /// Corresponds to `seL4_CNode_Revoke`. Deletes all capabilities that come from the one in this
    /// slot, wherever they are. An untyped is whole again then.
    ///
    /// # Safety
    ///
    /// Those of [`cnode_delete`](Self::cnode_delete), for each of those capabilities.
    #[doc(alias = "seL4_CNode_Revoke")]
    pub unsafe fn cnode_revoke(self) -> Result<()> {
        // SAFETY: the caller promises it.
        check(unsafe { sys::seL4_CNode_Revoke(self.root().word(), self.index(), self.depth()) })
    }

    /// Corresponds to `seL4_CNode_CancelBadgedSends`. Cancels what threads are waiting to send through
    /// the badge of the endpoint capability in this slot.
    #[doc(alias = "seL4_CNode_CancelBadgedSends")]
    pub fn cnode_cancel_badged_sends(self) -> Result<()> {
        // SAFETY: it touches no memory of this program and no slot.
        check(unsafe {
            sys::seL4_CNode_CancelBadgedSends(self.root().word(), self.index(), self.depth())
        })
    }

    /// Corresponds to `seL4_CNode_SaveCaller`. Fills this slot with the capability to reply to the last
    /// caller.
    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[doc(alias = "seL4_CNode_SaveCaller")]
    pub fn cnode_save_caller(self) -> Result<()> {
        // SAFETY: only an empty slot is filled.
        check(unsafe { sys::seL4_CNode_SaveCaller(self.root().word(), self.index(), self.depth()) })
    }
}
