// SPDX-License-Identifier: BSD-2-Clause

//! Capabilities with the kind of their object in their type, and slots.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use libsel4_sys as sys;

use crate::kind::{CNode, Kind};

/// Corresponds to `seL4_CPtr`. The address of a capability in the CSpace of the thread that uses it.
///
/// By itself it can be compared, printed and handed on; invocations are methods of [`Cap`].
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::CPtr;
///
/// assert_eq!(info.tcb().cptr().word(), 1);
/// assert_ne!(info.tcb().cptr(), CPtr::NULL);
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_CPtr")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct CPtr(usize);

impl CPtr {
    /// Corresponds to `seL4_CapNull`. Names no capability.
    #[doc(alias = "seL4_CapNull")]
    pub const NULL: Self = Self(sys::seL4_CapNull);

    /// The number that C has for it.
    #[inline]
    pub const fn word(self) -> usize {
        self.0
    }
}

impl fmt::Debug for CPtr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CPtr({})", self.0)
    }
}

/// A capability to an object of the kind `T`: what C calls `seL4_TCB`, `seL4_CNode` and so on.
///
/// The value is a number, copied as such; the capability itself stays in its slot. That the slot holds a
/// capability of this kind was promised where the number became a `Cap`: by [`Cap::from_word`], or
/// by the kernel, which has just made the object. The methods that could break such a promise, such as
/// [`Slot::cnode_delete`] and those that fill a [`Slot`], are `unsafe`; safe ones fill an
/// [`EmptySlot`](crate::EmptySlot), which no `Cap` names.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, Notification, Tcb};
///
/// let (thread, bell): (Cap<Tcb>, Cap<Notification>) = (info.tcb(), objects.make()?);
/// thread.tcb_bind_notification(bell)?;
/// # Ok(()) }) }
/// ```
///
/// A capability of another kind is refused by the compiler:
///
/// ```compile_fail,E0308
/// use libsel4::{Cap, Endpoint, Notification, Slot, Tcb};
/// fn wrong(tcb: Cap<Tcb>, endpoint: Cap<Endpoint>) -> libsel4::Result<()> {
///     tcb.tcb_bind_notification(endpoint)
/// }
/// ```
///
/// and has no methods of another kind:
///
/// ```compile_fail,E0599
/// fn wrong(notification: libsel4::Cap<libsel4::Notification>) {
///     notification.tcb_suspend();
/// }
/// ```
///
/// There is no safe way from a number:
///
/// ```compile_fail,E0133
/// use libsel4::{Cap, Endpoint};
/// let endpoint: Cap<Endpoint> = Cap::from_word(5);
/// ```
///
/// ```compile_fail,E0277
/// use libsel4::{Cap, Endpoint};
/// let endpoint: Cap<Endpoint> = 5.into();
/// ```
///
/// ```compile_fail,E0423
/// let cptr = libsel4::CPtr(5);
/// ```
///
/// ```compile_fail,E0451
/// use libsel4::{Cap, CPtr, Endpoint};
/// let endpoint: Cap<Endpoint> = Cap { cptr: CPtr::NULL, kind: core::marker::PhantomData };
/// ```
///
/// and no kind but seL4's:
///
/// ```compile_fail,E0277
/// struct Mine;
/// fn wrong(cap: libsel4::Cap<Mine>) {}
/// ```
#[repr(transparent)]
pub struct Cap<T: Kind> {
    cptr: CPtr,
    kind: PhantomData<fn() -> T>,
}

impl<T: Kind> Cap<T> {
    /// The capability at the address `word` of the own CSpace.
    ///
    /// # Safety
    ///
    /// The address leads to a capability to an object of the kind `T`, or will before the first use,
    /// and as long as this value or a copy of it is used no capability of another kind comes to lie
    /// there. All threads that use it have the same CSpace.
    #[inline]
    pub const unsafe fn from_word(word: usize) -> Self {
        Self {
            cptr: CPtr(word),
            kind: PhantomData,
        }
    }

    /// Returns the address.
    #[inline]
    pub const fn cptr(self) -> CPtr {
        self.cptr
    }

    /// The number that C has for it.
    #[inline]
    pub const fn word(self) -> usize {
        self.cptr.0
    }
}

impl<T: Kind> Clone for Cap<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Kind> Copy for Cap<T> {}

impl<T: Kind> PartialEq for Cap<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cptr == other.cptr
    }
}

impl<T: Kind> Eq for Cap<T> {}

impl<T: Kind> fmt::Debug for Cap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cap<{}>({})", T::NAME, self.word())
    }
}

/// The address of a slot, as C's CNode functions have it: a CNode, an index and how many bits of the
/// index count. Naming a slot is safe; filling and emptying it is `unsafe`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Notification, Slot};
///
/// let bell = objects.make::<Notification>()?;
/// let slot: Slot = info.cnode().slot_of(bell);
/// assert_eq!(slot.index(), bell.word());
/// // SAFETY: the capability is not used again.
/// unsafe { slot.cnode_delete()? };
/// # Ok(()) }) }
/// ```
///
/// ```compile_fail,E0133
/// use libsel4::{CapRights, Slot};
/// fn wrong(to: Slot, from: Slot) -> libsel4::Result<()> {
///     to.cnode_copy(from, CapRights::ALL)
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    root: Cap<CNode>,
    index: usize,
    depth: u8,
}

impl Slot {
    /// Returns the CNode that C calls `root`, `_service` or `dest_root`.
    #[inline]
    pub const fn root(self) -> Cap<CNode> {
        self.root
    }

    /// The index, of which the lowest [`depth`](Self::depth) bits count.
    #[inline]
    pub const fn index(self) -> usize {
        self.index
    }

    /// Returns the number of bits to resolve, from 1 to the bits of a word.
    #[inline]
    pub const fn depth(self) -> u8 {
        self.depth
    }

    /// The capability in it, where its root is the root of the own CSpace and all bits of a word
    /// are resolved, so that index and address are the same.
    ///
    /// # Safety
    ///
    /// Those of [`Cap::from_word`].
    #[inline]
    pub const unsafe fn cap<T: Kind>(self) -> Cap<T> {
        // SAFETY: the slot's address leads to a capability of the kind `T`, by the contract of this function.
        unsafe { Cap::from_word(self.index) }
    }
}

impl Cap<CNode> {
    /// Returns the slot that `depth` bits of `index` select in this CNode. The call does not use the
    /// slot.
    #[inline]
    pub const fn slot(self, index: usize, depth: u8) -> Slot {
        Slot {
            root: self,
            index,
            depth,
        }
    }

    /// The slot of `cap`, where this CNode is the root of the own CSpace.
    #[inline]
    pub const fn slot_of<T: Kind>(self, cap: Cap<T>) -> Slot {
        self.slot(cap.word(), sys::seL4_WordBits as u8)
    }

    /// This CNode itself as one of whose slots an invocation fills, with C's index 0 and depth 0.
    #[inline]
    pub const fn itself(self) -> Slot {
        self.slot(0, 0)
    }
}

/// Addresses of slots next to each other in the root of the own CSpace: C's `seL4_SlotRegion`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::Slots;
///
/// let frames: Slots = info.user_image_frames();
/// let first = frames.range().start;
/// assert!(frames.into_iter().all(|slot| slot.index() >= first));
/// # Ok(()) }) }
/// ```
#[doc(alias = "seL4_SlotRegion")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slots {
    root: Cap<CNode>,
    range: Range<usize>,
}

impl Slots {
    #[inline]
    pub(crate) const fn new(root: Cap<CNode>, range: Range<usize>) -> Self {
        Self { root, range }
    }

    /// Returns the CNode that they are in.
    #[inline]
    pub const fn root(&self) -> Cap<CNode> {
        self.root
    }

    /// Returns their addresses.
    #[inline]
    pub const fn range(&self) -> Range<usize> {
        self.range.start..self.range.end
    }
}

impl Iterator for Slots {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        let index = self.range.next()?;
        Some(self.root.slot(index, sys::seL4_WordBits as u8))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl ExactSizeIterator for Slots {}
