// SPDX-License-Identifier: GPL-2.0-only

//! Capability spaces: from an address to a slot.

use crate::cap::{Cap, low_bits};
use crate::config::WORD_BITS;
use crate::error::{Error, LookupFailure};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::slots::{SlotId, Slots};
use crate::thread::{TcbSlot, ThreadId};

/// Follows an address of `bits` bits from a CNode. Gives the slot, and the bits that were left
/// where it does not lead on.
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
    /// The slot that an address names in a thread's capability space. What is found early counts.
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

    /// The slot that is named by a CNode, an index and a depth, as the invocations of CNodes and
    /// untypeds name one.
    pub(crate) fn lookup_slot_for_cnode_op(
        &self,
        root: Cap,
        index: usize,
        depth: usize,
        source: bool,
    ) -> Result<SlotId, Error> {
        let failed = |failure| Error::FailedLookup { source, failure };
        if !matches!(root, Cap::CNode { .. }) {
            return Err(failed(LookupFailure::InvalidRoot));
        }
        if depth < 1 || depth > WORD_BITS as usize {
            return Err(Error::RangeError {
                min: 1,
                max: WORD_BITS as usize,
            });
        }
        match resolve_address_bits(&self.slots, root, index, depth).map_err(failed)? {
            (slot, 0) => Ok(slot),
            (_, bits_left) => Err(failed(LookupFailure::DepthMismatch {
                bits_left,
                bits_found: 0,
            })),
        }
    }

    /// The same, of a slot that is to be occupied.
    pub(crate) fn lookup_empty_target_slot(
        &self,
        root: Cap,
        index: usize,
        depth: usize,
    ) -> Result<SlotId, Error> {
        let slot = self.lookup_slot_for_cnode_op(root, index, depth, false)?;
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
