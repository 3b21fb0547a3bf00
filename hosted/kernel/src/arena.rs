// SPDX-License-Identifier: GPL-2.0-only

//! Kernel objects by number, each with the physical address it was made at.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// The number of an object of type `T`.
pub struct Id<T> {
    index: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    pub(crate) const fn new(index: u32) -> Self {
        Id {
            index,
            of: PhantomData,
        }
    }

    /// The number itself; it is used again after the object is gone.
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

/// The objects of one type.
///
/// What is removed stays readable until its place is used again, which no kernel entry does that
/// removes something: one entry may still look at the thread that it has just deleted.
pub(crate) struct Arena<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

struct Place<T> {
    live: bool,
    paddr: usize,
    value: T,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena {
            places: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Arena<T> {
    pub fn insert(&mut self, paddr: usize, value: T) -> Id<T> {
        let place = Place {
            live: true,
            paddr,
            value,
        };
        match self.free.pop() {
            Some(index) => {
                self.places[index as usize] = place;
                Id::new(index)
            }
            None => {
                self.places.push(place);
                Id::new(self.places.len() as u32 - 1)
            }
        }
    }

    pub fn remove(&mut self, id: Id<T>) {
        let place = &mut self.places[id.index as usize];
        if place.live {
            place.live = false;
            self.free.push(id.index);
        }
    }

    pub fn paddr(&self, id: Id<T>) -> usize {
        self.places[id.index as usize].paddr
    }

    pub fn is_live(&self, id: Id<T>) -> bool {
        self.places
            .get(id.index as usize)
            .is_some_and(|place| place.live)
    }

    pub fn get(&self, id: Id<T>) -> Option<&T> {
        let place = self.places.get(id.index as usize)?;
        place.live.then_some(&place.value)
    }

    /// All that live, in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        let places = self.places.iter().enumerate();
        places
            .filter(|(_, place)| place.live)
            .map(|(index, place)| (Id::new(index as u32), &place.value))
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;

    fn index(&self, id: Id<T>) -> &T {
        &self.places[id.index as usize].value
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        &mut self.places[id.index as usize].value
    }
}
