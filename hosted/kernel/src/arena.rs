// SPDX-License-Identifier: GPL-2.0-only

//! Kernel objects by number, each with the physical address it was created at.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// Number of an object of type `T`.
pub struct Id<T> {
    index: u32,
    object: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    pub(crate) const fn new(index: u32) -> Self {
        Id {
            index,
            object: PhantomData,
        }
    }

    /// Returns the number itself, which is reused after the object is deleted.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.index
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl<T> Eq for Id<T> {}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

/// Objects of one type.
///
/// A removed object stays readable until its entry is reused. A kernel entry that removes objects
/// creates none, so it can still read the thread that it has deleted.
pub(crate) struct Arena<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

struct Entry<T> {
    live: bool,
    paddr: usize,
    value: T,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Arena<T> {
    pub fn insert(&mut self, paddr: usize, value: T) -> Id<T> {
        let entry = Entry {
            live: true,
            paddr,
            value,
        };
        match self.free.pop() {
            Some(index) => {
                self.entries[index as usize] = entry;
                Id::new(index)
            }
            None => {
                self.entries.push(entry);
                Id::new(self.entries.len() as u32 - 1)
            }
        }
    }

    pub fn remove(&mut self, id: Id<T>) {
        let entry = &mut self.entries[id.index as usize];
        if entry.live {
            entry.live = false;
            self.free.push(id.index);
        }
    }

    pub fn paddr(&self, id: Id<T>) -> usize {
        self.entries[id.index as usize].paddr
    }

    pub fn is_live(&self, id: Id<T>) -> bool {
        self.entries
            .get(id.index as usize)
            .is_some_and(|entry| entry.live)
    }

    pub fn get(&self, id: Id<T>) -> Option<&T> {
        let entry = self.entries.get(id.index as usize)?;
        entry.live.then_some(&entry.value)
    }

    /// Iterates over the live objects, in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        let entries = self.entries.iter().enumerate();
        entries
            .filter(|(_, entry)| entry.live)
            .map(|(index, entry)| (Id::new(index as u32), &entry.value))
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;

    fn index(&self, id: Id<T>) -> &T {
        &self.entries[id.index as usize].value
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        &mut self.entries[id.index as usize].value
    }
}
