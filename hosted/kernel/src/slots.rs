// SPDX-License-Identifier: BSD-2-Clause

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
struct Links {
    previous: Option<SlotId>,
    next: Option<SlotId>,
    revocable: bool,
    first_badged: bool,
}

#[derive(Clone, Copy)]
struct Slot {
    cap: Cap,
    links: Links,
}

const EMPTY: Slot = Slot {
    cap: Cap::Null,
    links: Links {
        previous: None,
        next: None,
        revocable: false,
        first_badged: false,
    },
};

/// All slots there are: of CNodes, of threads, of interrupts.
pub(crate) struct Slots {
    all: Vec<Slot>,
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

    pub fn next(&self, slot: SlotId) -> Option<SlotId> {
        self.all[slot.index()].links.next
    }

    pub fn previous(&self, slot: SlotId) -> Option<SlotId> {
        self.all[slot.index()].links.previous
    }

    pub fn is_revocable(&self, slot: SlotId) -> bool {
        self.all[slot.index()].links.revocable
    }

    pub fn is_first_badged(&self, slot: SlotId) -> bool {
        self.all[slot.index()].links.first_badged
    }

    /// Fills a slot with a capability that is derived from none.
    pub fn put_root(&mut self, slot: SlotId, cap: Cap) {
        self.all[slot.index()] = Slot {
            cap,
            links: Links {
                revocable: true,
                first_badged: true,
                ..Links::default()
            },
        };
    }

    /// Fills an empty slot with a capability that comes right behind another's in the tree.
    pub fn put_behind(&mut self, source: SlotId, slot: SlotId, cap: Cap, revocable: bool) {
        let next = self.next(source);
        self.all[slot.index()] = Slot {
            cap,
            links: Links {
                previous: Some(source),
                next,
                revocable,
                first_badged: revocable,
            },
        };
        self.tie(slot);
    }

    /// Moves what is in a slot to an empty one, as `cap`.
    pub fn relocate(&mut self, source: SlotId, slot: SlotId, cap: Cap) {
        let links = self.all[source.index()].links;
        self.all[slot.index()] = Slot { cap, links };
        self.all[source.index()] = EMPTY;
        self.tie(slot);
    }

    /// Exchanges two slots: `first` and its place in the tree go to `slot2`, `second` to `slot1`.
    pub fn exchange(&mut self, slot1: SlotId, first: Cap, slot2: SlotId, second: Cap) {
        let renamed = |slot: Option<SlotId>| match slot {
            Some(slot) if slot == slot1 => Some(slot2),
            Some(slot) if slot == slot2 => Some(slot1),
            other => other,
        };
        let [links1, links2] = [slot1, slot2].map(|slot| {
            let links = self.all[slot.index()].links;
            Links {
                previous: renamed(links.previous),
                next: renamed(links.next),
                ..links
            }
        });
        self.all[slot1.index()] = Slot {
            cap: second,
            links: links2,
        };
        self.all[slot2.index()] = Slot {
            cap: first,
            links: links1,
        };
        self.tie(slot1);
        self.tie(slot2);
    }

    /// Empties a slot. What came first of its badge is now what follows.
    pub fn clear(&mut self, slot: SlotId) {
        let links = self.all[slot.index()].links;
        self.all[slot.index()] = EMPTY;
        if let Some(previous) = links.previous {
            self.all[previous.index()].links.next = links.next;
        }
        if let Some(next) = links.next {
            let next = &mut self.all[next.index()].links;
            next.previous = links.previous;
            next.first_badged |= links.first_badged;
        }
    }

    /// Makes its neighbours know a slot.
    fn tie(&mut self, slot: SlotId) {
        let links = self.all[slot.index()].links;
        if let Some(previous) = links.previous {
            self.all[previous.index()].links.next = Some(slot);
        }
        if let Some(next) = links.next {
            self.all[next.index()].links.previous = Some(slot);
        }
    }

    /// All that are not empty.
    pub fn filled(&self) -> impl Iterator<Item = (SlotId, Cap)> {
        let slots = self.all.iter().enumerate().skip(1);
        slots
            .filter(|(_, slot)| !slot.cap.is_null())
            .map(|(index, slot)| (SlotId::new(index), slot.cap))
    }

    /// A slot whose place in the tree contradicts itself or its neighbours'.
    pub fn inconsistent(&self) -> Option<SlotId> {
        let slots = self.all.iter().enumerate().skip(1);
        let mut wrong = slots.filter(|(index, slot)| {
            let links = slot.links;
            let this = Some(SlotId::new(*index));
            let untied = links.previous.is_some_and(|slot| self.next(slot) != this)
                || links.next.is_some_and(|slot| self.previous(slot) != this);
            untied || slot.cap.is_null() && links != Links::default()
        });
        wrong.next().map(|(index, _)| SlotId::new(index))
    }
}
