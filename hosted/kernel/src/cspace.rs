// SPDX-License-Identifier: GPL-2.0-only

//! Capability spaces: lookup of capabilities and slots by address.

use crate::cap::{Cap, low_bits};
use crate::config::WORD_BITS;
use crate::cte::{SlotId, Slots};
use crate::decode::range_check;
use crate::error::{Error, LookupFailure};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::thread::{TcbSlot, ThreadId};

/// Resolves the low `bits` bits of an address from a CNode on. Returns the slot, and the number of
/// bits that are left where the slot holds no further CNode.
#[inline]
fn resolve_address_bits(
    slots: &Slots,
    root: Cap,
    address: usize,
    bits: usize,
) -> Result<(SlotId, usize), LookupFailure> {
    let mut cap = root;
    let mut left = bits;
    let mut found = None;
    while let Cap::CNode {
        base,
        radix,
        guard_size,
        guard,
        ..
    } = cap
    {
        let (radix, guard_size) = (usize::from(radix), usize::from(guard_size));
        let matches = guard_size <= left
            && address.checked_shr((left - guard_size) as u32).unwrap_or(0)
                & low_bits(guard_size as u32)
                == guard;
        if !matches {
            return Err(LookupFailure::GuardMismatch {
                bits_left: left,
                guard_found: guard,
                bits_found: guard_size,
            });
        }
        if guard_size + radix > left {
            return Err(LookupFailure::DepthMismatch {
                bits_left: left,
                bits_found: guard_size + radix,
            });
        }
        left -= guard_size + radix;
        let slot = base.plus(address >> left & low_bits(radix as u32));
        if left == 0 {
            return Ok((slot, 0));
        }
        found = Some(slot);
        cap = slots.cap(slot);
    }
    found
        .map(|slot| (slot, left))
        .ok_or(LookupFailure::InvalidRoot)
}

impl<M: Machine> Kernel<M> {
    /// Looks up a slot in a thread's CSpace. The address may have bits left over.
    #[inline]
    pub(crate) fn lookup_slot(
        &self,
        thread: ThreadId,
        cptr: usize,
    ) -> Result<SlotId, LookupFailure> {
        let root = self.objects.threads[thread].slot(TcbSlot::CTable);
        let found =
            resolve_address_bits(&self.slots, self.slots.cap(root), cptr, WORD_BITS as usize);
        found.map(|(slot, _)| slot)
    }

    /// Looks up a capability in a thread's CSpace.
    #[inline]
    pub(crate) fn lookup_cap(&self, thread: ThreadId, cptr: usize) -> Result<Cap, LookupFailure> {
        self.lookup_slot(thread, cptr)
            .map(|slot| self.slots.cap(slot))
    }

    /// Looks up the slot at an index of exactly `depth` bits below a CNode.
    fn lookup_slot_for_cnode_op(
        &self,
        is_source: bool,
        root: Cap,
        index: usize,
        depth: usize,
    ) -> Result<SlotId, Error> {
        let failed = |failure| Error::FailedLookup {
            source: is_source,
            failure,
        };
        if !matches!(root, Cap::CNode { .. }) {
            return Err(failed(LookupFailure::InvalidRoot));
        }
        range_check(depth, 1..=WORD_BITS as usize)?;
        match resolve_address_bits(&self.slots, root, index, depth).map_err(failed)? {
            (slot, 0) => Ok(slot),
            (_, bits_left) => Err(failed(LookupFailure::DepthMismatch {
                bits_left,
                bits_found: 0,
            })),
        }
    }

    /// Looks up the slot that an invocation takes a capability from.
    pub(crate) fn lookup_source_slot(
        &self,
        root: Cap,
        index: usize,
        depth: usize,
    ) -> Result<SlotId, Error> {
        self.lookup_slot_for_cnode_op(true, root, index, depth)
    }

    /// Looks up the slot that an invocation acts on or puts a capability into.
    pub(crate) fn lookup_target_slot(
        &self,
        root: Cap,
        index: usize,
        depth: usize,
    ) -> Result<SlotId, Error> {
        self.lookup_slot_for_cnode_op(false, root, index, depth)
    }

    /// Looks up a target slot, which must be empty.
    pub(crate) fn lookup_empty_target_slot(
        &self,
        root: Cap,
        index: usize,
        depth: usize,
    ) -> Result<SlotId, Error> {
        let slot = self.lookup_target_slot(root, index, depth)?;
        self.ensure_empty_slot(slot)?;
        Ok(slot)
    }

    pub(crate) fn ensure_empty_slot(&self, slot: SlotId) -> Result<(), Error> {
        match self.slots.cap(slot).is_null() {
            true => Ok(()),
            false => Err(Error::DeleteFirst),
        }
    }
}
