// SPDX-License-Identifier: GPL-2.0-only

//! Derivation of capabilities: which is derived from which, and which refer to the same object.

use crate::cap::Cap;
use crate::cte::SlotId;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::Objects;

impl Objects {
    /// Returns whether the memory or authority of `b` is part of that of `a`.
    fn same_region_as(&self, a: Cap, b: Cap) -> bool {
        match (a, b) {
            (Cap::Untyped(_), _) | (Cap::Frame(_), Cap::Frame(_)) => {
                match (self.cap_region(a), self.cap_region(b)) {
                    (Some(outer), Some(inner)) => inside(inner, outer),
                    _ => false,
                }
            }
            (Cap::Endpoint { object: a, .. }, Cap::Endpoint { object: b, .. }) => a == b,
            (Cap::Notification { object: a, .. }, Cap::Notification { object: b, .. }) => a == b,
            (Cap::CNode { object: a, .. }, Cap::CNode { object: b, .. }) => a == b,
            (Cap::Thread(a), Cap::Thread(b)) => a == b,
            (Cap::Reply { thread: a, .. }, Cap::Reply { thread: b, .. }) => a == b,
            (Cap::PageTable { object: a, .. }, Cap::PageTable { object: b, .. })
            | (Cap::VSpace { object: a, .. }, Cap::VSpace { object: b, .. }) => a == b,
            (Cap::AsidPool { object: a, .. }, Cap::AsidPool { object: b, .. }) => a == b,
            (Cap::IrqHandler(a), Cap::IrqHandler(b)) => a == b,
            (Cap::ReplyObject { object: a, .. }, Cap::ReplyObject { object: b, .. }) => a == b,
            (Cap::SchedContext { object: a, .. }, Cap::SchedContext { object: b, .. }) => a == b,
            (Cap::SgiSignal { .. }, Cap::SgiSignal { .. })
            | (Cap::IoPort { .. }, Cap::IoPort { .. }) => a == b,
            (Cap::SchedControl, Cap::SchedControl)
            | (Cap::Domain, Cap::Domain)
            | (Cap::AsidControl, Cap::AsidControl)
            | (Cap::IrqControl, Cap::IrqControl | Cap::IrqHandler(_) | Cap::SgiSignal { .. })
            | (Cap::IoPortControl, Cap::IoPortControl | Cap::IoPort { .. }) => true,
            _ => false,
        }
    }

    /// Returns whether both capabilities refer to the same object.
    pub fn same_object_as(&self, a: Cap, b: Cap) -> bool {
        match (a, b) {
            (Cap::Untyped(_) | Cap::IrqControl | Cap::SgiSignal { .. }, _)
            | (Cap::IoPortControl, Cap::IoPort { .. }) => false,
            (Cap::Frame(a), Cap::Frame(b)) => {
                (a.paddr, a.size_bits, a.device) == (b.paddr, b.size_bits, b.device)
            }
            (a, b) => self.same_region_as(a, b),
        }
    }
}

fn inside((inner, inner_bits): (usize, u8), (outer, outer_bits): (usize, u8)) -> bool {
    let last = |start: usize, bits: u8| start + ((1 << bits) - 1);
    outer <= inner && last(inner, inner_bits) <= last(outer, outer_bits)
}

impl<M: Machine> Kernel<M> {
    /// Returns whether the capability in `child`, which follows in the MDB, is derived from that in
    /// `parent`.
    pub(crate) fn is_mdb_parent_of(&self, parent: SlotId, child: SlotId) -> bool {
        let (a, b) = (self.slots.cap(parent), self.slots.cap(child));
        if !self.slots.mdb_revocable(parent) || !self.objects.same_region_as(a, b) {
            return false;
        }
        match (a, b) {
            (Cap::Endpoint { badge, .. }, Cap::Endpoint { badge: other, .. })
            | (Cap::Notification { badge, .. }, Cap::Notification { badge: other, .. }) => {
                badge == 0 || badge == other && !self.slots.mdb_first_badged(child)
            }
            _ => true,
        }
    }

    pub(crate) fn has_children(&self, slot: SlotId) -> bool {
        let next = self.slots.mdb_next(slot);
        next.is_some_and(|next| self.is_mdb_parent_of(slot, next))
    }

    pub(crate) fn ensure_no_children(&self, slot: SlotId) -> Result<(), Error> {
        match self.has_children(slot) {
            true => Err(Error::RevokeFirst),
            false => Ok(()),
        }
    }

    /// Returns whether no other capability refers to the same object. Such capabilities are
    /// neighbours in the MDB.
    pub(crate) fn is_final_capability(&self, slot: SlotId) -> bool {
        let cap = self.slots.cap(slot);
        let prev = self.slots.mdb_prev(slot).map(|slot| self.slots.cap(slot));
        let next = self.slots.mdb_next(slot).map(|slot| self.slots.cap(slot));
        !prev.is_some_and(|prev| self.objects.same_object_as(prev, cap))
            && !next.is_some_and(|next| self.objects.same_object_as(cap, next))
    }

    /// Returns what a copy of `cap` is, or `Null` if it cannot be copied. `slot` holds the
    /// capability that `cap` was made from.
    pub(crate) fn derive_cap(&self, slot: SlotId, mut cap: Cap) -> Result<Cap, Error> {
        match &mut cap {
            Cap::Zombie { .. } | Cap::IrqControl | Cap::Reply { .. } | Cap::IoPortControl => {
                return Ok(Cap::Null);
            }
            Cap::Untyped(_) => self.ensure_no_children(slot)?,
            Cap::PageTable { mapped: false, .. } | Cap::VSpace { asid: 0, .. } => {
                return Err(Error::IllegalOperation);
            }
            Cap::Frame(frame) => frame.asid = 0,
            _ => {}
        }
        Ok(cap)
    }

    /// Inserts `cap`, derived from the capability in `source`, into an empty slot.
    pub(crate) fn cte_insert(&mut self, cap: Cap, source: SlotId, slot: SlotId) {
        let source_cap = self.slots.cap(source);
        // Only the newer of two capabilities to the same untyped memory can be retyped.
        if let (Cap::Untyped(new), Cap::Untyped(old)) = (cap, source_cap)
            && (new.paddr, new.size_bits) == (old.paddr, old.size_bits)
        {
            self.set_untyped_cap_as_full(source);
        }
        let revocable = cap.is_cap_revocable(source_cap);
        self.slots.mdb_insert(source, slot, cap, revocable);
    }

    /// Leaves no free memory in an untyped capability.
    pub(crate) fn set_untyped_cap_as_full(&mut self, slot: SlotId) {
        if let Cap::Untyped(untyped) = self.slots.cap_mut(slot) {
            untyped.free_index = 1 << untyped.size_bits;
        }
    }
}
