// SPDX-License-Identifier: GPL-2.0-only

//! Slots for capabilities (capability table entries), and the mapping database (MDB) that links
//! them.
//!
//! The MDB is the derivation tree as a list in depth-first order: a capability is followed by those
//! derived from it. Two neighbours tell whether one is derived from the other (see `mdb.rs`), so
//! the list stores no levels.

use core::num::NonZeroU32;

use crate::cap::Cap;

/// Number of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(NonZeroU32);

impl SlotId {
    const FIRST: SlotId = SlotId(NonZeroU32::MIN);

    fn new(index: usize) -> SlotId {
        let index = u32::try_from(index).ok().and_then(NonZeroU32::new);
        index.map_or(SlotId::FIRST, SlotId)
    }

    const fn index(self) -> usize {
        self.0.get() as usize
    }

    pub(crate) const fn number(self) -> u32 {
        self.0.get()
    }

    /// Returns the slot `offset` slots further on.
    #[must_use]
    pub(crate) fn plus(self, offset: usize) -> SlotId {
        SlotId::new(self.index() + offset)
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct MdbNode {
    prev: Option<SlotId>,
    next: Option<SlotId>,
    revocable: bool,
    first_badged: bool,
}

#[derive(Clone, Copy)]
struct Cte {
    cap: Cap,
    mdb: MdbNode,
}

const EMPTY: Cte = Cte {
    cap: Cap::Null,
    mdb: MdbNode {
        prev: None,
        next: None,
        revocable: false,
        first_badged: false,
    },
};

/// All slots: those of CNodes, of TCBs and of interrupt handlers.
pub(crate) struct Slots {
    all: Vec<Cte>,
    /// Released runs of 2^n slots.
    free: [Vec<SlotId>; 33],
}

impl Default for Slots {
    fn default() -> Self {
        Slots {
            // Number 0 is no slot.
            all: vec![EMPTY],
            free: core::array::from_fn(|_| Vec::new()),
        }
    }
}

impl Slots {
    /// Allocates 2^`bits` consecutive empty slots.
    pub fn allocate(&mut self, bits: u8) -> SlotId {
        if let Some(base) = self.free[usize::from(bits.min(32))].pop() {
            return base;
        }
        let base = SlotId::new(self.all.len());
        self.all.resize(self.all.len() + (1 << bits), EMPTY);
        base
    }

    /// Releases slots from `allocate`, which are empty again.
    pub fn release(&mut self, base: SlotId, bits: u8) {
        self.free[usize::from(bits.min(32))].push(base);
    }

    #[inline]
    pub fn cap(&self, slot: SlotId) -> Cap {
        self.all[slot.index()].cap
    }

    /// Returns the capability in a slot, to change it without changing the MDB.
    #[inline]
    pub fn cap_mut(&mut self, slot: SlotId) -> &mut Cap {
        &mut self.all[slot.index()].cap
    }

    pub fn mdb_next(&self, slot: SlotId) -> Option<SlotId> {
        self.all[slot.index()].mdb.next
    }

    pub fn mdb_prev(&self, slot: SlotId) -> Option<SlotId> {
        self.all[slot.index()].mdb.prev
    }

    pub fn mdb_revocable(&self, slot: SlotId) -> bool {
        self.all[slot.index()].mdb.revocable
    }

    pub fn mdb_first_badged(&self, slot: SlotId) -> bool {
        self.all[slot.index()].mdb.first_badged
    }

    /// Fills a slot with a capability that is derived from none.
    pub fn write_slot(&mut self, slot: SlotId, cap: Cap) {
        self.all[slot.index()] = Cte {
            cap,
            mdb: MdbNode {
                revocable: true,
                first_badged: true,
                ..MdbNode::default()
            },
        };
    }

    /// Fills an empty slot with a capability that follows that in `parent` in the MDB.
    pub fn mdb_insert(&mut self, parent: SlotId, slot: SlotId, cap: Cap, revocable: bool) {
        self.all[slot.index()] = Cte {
            cap,
            mdb: MdbNode {
                prev: Some(parent),
                next: self.mdb_next(parent),
                revocable,
                first_badged: revocable,
            },
        };
        self.link_neighbours(slot);
    }

    /// Moves a capability to an empty slot, and turns it into `cap`.
    pub fn cte_move(&mut self, cap: Cap, source: SlotId, slot: SlotId) {
        let mdb = self.all[source.index()].mdb;
        self.all[slot.index()] = Cte { cap, mdb };
        self.all[source.index()] = EMPTY;
        self.link_neighbours(slot);
    }

    /// Swaps two capabilities, and turns them into `cap1` (then in `slot2`) and `cap2` (then in
    /// `slot1`).
    pub fn cte_swap(&mut self, cap1: Cap, slot1: SlotId, cap2: Cap, slot2: SlotId) {
        let swapped = |slot: Option<SlotId>| match slot {
            Some(slot) if slot == slot1 => Some(slot2),
            Some(slot) if slot == slot2 => Some(slot1),
            other => other,
        };
        let [mdb1, mdb2] = [slot1, slot2].map(|slot| {
            let mdb = self.all[slot.index()].mdb;
            MdbNode {
                prev: swapped(mdb.prev),
                next: swapped(mdb.next),
                ..mdb
            }
        });
        self.all[slot1.index()] = Cte {
            cap: cap2,
            mdb: mdb2,
        };
        self.all[slot2.index()] = Cte {
            cap: cap1,
            mdb: mdb1,
        };
        self.link_neighbours(slot1);
        self.link_neighbours(slot2);
    }

    /// Empties a slot and removes it from the MDB. If it was the first of its badge, the next one
    /// is that now.
    pub fn clear_slot(&mut self, slot: SlotId) {
        let mdb = self.all[slot.index()].mdb;
        self.all[slot.index()] = EMPTY;
        if let Some(prev) = mdb.prev {
            self.all[prev.index()].mdb.next = mdb.next;
        }
        if let Some(next) = mdb.next {
            let next = &mut self.all[next.index()].mdb;
            next.prev = mdb.prev;
            next.first_badged |= mdb.first_badged;
        }
    }

    fn link_neighbours(&mut self, slot: SlotId) {
        let mdb = self.all[slot.index()].mdb;
        if let Some(prev) = mdb.prev {
            self.all[prev.index()].mdb.next = Some(slot);
        }
        if let Some(next) = mdb.next {
            self.all[next.index()].mdb.prev = Some(slot);
        }
    }

    /// Iterates over the slots that are not empty.
    pub fn occupied(&self) -> impl Iterator<Item = (SlotId, Cap)> {
        let slots = self.all.iter().enumerate().skip(1);
        slots
            .filter(|(_, slot)| !slot.cap.is_null())
            .map(|(index, slot)| (SlotId::new(index), slot.cap))
    }

    /// Finds a slot whose MDB node contradicts itself or its neighbours'.
    pub fn find_inconsistent(&self) -> Option<SlotId> {
        let slots = self.all.iter().enumerate().skip(1);
        let mut wrong = slots.filter(|(index, slot)| {
            let mdb = slot.mdb;
            let this = Some(SlotId::new(*index));
            let unlinked = mdb.prev.is_some_and(|slot| self.mdb_next(slot) != this)
                || mdb.next.is_some_and(|slot| self.mdb_prev(slot) != this);
            unlinked || slot.cap.is_null() && mdb != MdbNode::default()
        });
        wrong.next().map(|(index, _)| SlotId::new(index))
    }
}
