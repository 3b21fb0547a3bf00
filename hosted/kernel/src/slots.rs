// SPDX-License-Identifier: GPL-2.0-only

//! Slots for capabilities, and the derivation tree that runs through them.
//!
//! The tree is a list in order of depth first: whatever follows a capability and is derived from
//! it, up to the first that is not, is its subtree. What is derived from what can be told from two
//! neighbours alone (see `derivation.rs`), so that the list needs no levels.

use core::num::NonZeroU32;

use crate::cap::Cap;

/// The number of a slot.
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

    /// The slot so many further on.
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

/// All slots there are: of CNodes, of threads, of interrupts.
pub(crate) struct Slots {
    all: Vec<Cte>,
    /// Runs of 2^n slots that are used no more.
    free: [Vec<SlotId>; 33],
}

impl Default for Slots {
    fn default() -> Self {
        Slots {
            // The one of number 0, which none is.
            all: vec![EMPTY],
            free: core::array::from_fn(|_| Vec::new()),
        }
    }
}

impl Slots {
    /// 2^`bits` empty slots, one behind the other.
    pub fn allocate(&mut self, bits: u8) -> SlotId {
        if let Some(base) = self.free[usize::from(bits.min(32))].pop() {
            return base;
        }
        let base = SlotId::new(self.all.len());
        self.all.resize(self.all.len() + (1 << bits), EMPTY);
        base
    }

    /// Takes back what `allocate` gave. They are empty.
    pub fn release(&mut self, base: SlotId, bits: u8) {
        self.free[usize::from(bits.min(32))].push(base);
    }

    #[inline]
    pub fn cap(&self, slot: SlotId) -> Cap {
        self.all[slot.index()].cap
    }

    /// Changes what is in a slot, and leaves its place in the tree.
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

    /// Fills an empty slot with a capability that comes right behind another's in the tree.
    pub fn mdb_insert(&mut self, source: SlotId, slot: SlotId, cap: Cap, revocable: bool) {
        let next = self.mdb_next(source);
        self.all[slot.index()] = Cte {
            cap,
            mdb: MdbNode {
                prev: Some(source),
                next,
                revocable,
                first_badged: revocable,
            },
        };
        self.link_neighbours(slot);
    }

    /// Moves what is in a slot to an empty one, as `cap`.
    pub fn cte_move(&mut self, source: SlotId, slot: SlotId, cap: Cap) {
        let mdb = self.all[source.index()].mdb;
        self.all[slot.index()] = Cte { cap, mdb };
        self.all[source.index()] = EMPTY;
        self.link_neighbours(slot);
    }

    /// Exchanges two slots: `first` and its place in the tree go to `slot2`, `second` to `slot1`.
    pub fn cte_swap(&mut self, slot1: SlotId, first: Cap, slot2: SlotId, second: Cap) {
        let renamed = |slot: Option<SlotId>| match slot {
            Some(slot) if slot == slot1 => Some(slot2),
            Some(slot) if slot == slot2 => Some(slot1),
            other => other,
        };
        let [mdb1, mdb2] = [slot1, slot2].map(|slot| {
            let mdb = self.all[slot.index()].mdb;
            MdbNode {
                prev: renamed(mdb.prev),
                next: renamed(mdb.next),
                ..mdb
            }
        });
        self.all[slot1.index()] = Cte {
            cap: second,
            mdb: mdb2,
        };
        self.all[slot2.index()] = Cte {
            cap: first,
            mdb: mdb1,
        };
        self.link_neighbours(slot1);
        self.link_neighbours(slot2);
    }

    /// Empties a slot. What came first of its badge is now what follows.
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

    /// Makes its neighbours know a slot.
    fn link_neighbours(&mut self, slot: SlotId) {
        let mdb = self.all[slot.index()].mdb;
        if let Some(prev) = mdb.prev {
            self.all[prev.index()].mdb.next = Some(slot);
        }
        if let Some(next) = mdb.next {
            self.all[next.index()].mdb.prev = Some(slot);
        }
    }

    /// All that are not empty.
    pub fn occupied(&self) -> impl Iterator<Item = (SlotId, Cap)> {
        let slots = self.all.iter().enumerate().skip(1);
        slots
            .filter(|(_, slot)| !slot.cap.is_null())
            .map(|(index, slot)| (SlotId::new(index), slot.cap))
    }

    /// A slot whose place in the tree contradicts itself or its neighbours'.
    pub fn find_inconsistent(&self) -> Option<SlotId> {
        let slots = self.all.iter().enumerate().skip(1);
        let mut wrong = slots.filter(|(index, slot)| {
            let mdb = slot.mdb;
            let this = Some(SlotId::new(*index));
            let untied = mdb.prev.is_some_and(|slot| self.mdb_next(slot) != this)
                || mdb.next.is_some_and(|slot| self.mdb_prev(slot) != this);
            untied || slot.cap.is_null() && mdb != MdbNode::default()
        });
        wrong.next().map(|(index, _)| SlotId::new(index))
    }
}
