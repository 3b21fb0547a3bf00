// SPDX-License-Identifier: BSD-2-Clause

//! Untyped memory.

use libsel4_sys as sys;

use crate::cap::{Cap, Slot};
use crate::error::{Result, check};
use crate::kind::{Retype, Untyped};
use crate::slot::{EmptySlot, EmptySlots, FillError};

impl Cap<Untyped> {
    /// Corresponds to `seL4_Untyped_Retype`. Makes an object of the kind `T`, and fills `slot` with the
    /// capability to it. `size_bits` counts for kinds of no fixed size.
    ///
    /// The call is safe: the kernel uses no memory of an existing object, clears new memory, and no
    /// [`Cap`] names the slot.
    ///
    /// # Errors
    ///
    /// [`NotEnoughMemory`](crate::Error::NotEnoughMemory) with the bytes left,
    /// [`DeleteFirst`](crate::Error::DeleteFirst) where the slot is taken,
    /// [`RangeError`](crate::Error::RangeError) where `size_bits` is out of range.
    #[doc(alias = "seL4_Untyped_Retype")]
    #[inline]
    pub fn untyped_retype<T: Retype>(
        self,
        size_bits: usize,
        slot: EmptySlot,
    ) -> Result<Cap<T>, FillError> {
        // SAFETY: only this value names the slot.
        let made = unsafe { self.untyped_retype_at::<T>(size_bits, slot.node(), slot.offset(), 1) };
        // SAFETY: a retype that succeeds has put such a capability there.
        unsafe { slot.filled_if(made) }
    }

    /// Corresponds to `seL4_Untyped_Retype`. Makes as many objects of the kind `T` as there are `slots`, and
    /// returns the capabilities to them; at most `CONFIG_RETYPE_FAN_OUT_LIMIT` at once.
    ///
    /// # Errors
    ///
    /// Those of [`untyped_retype`](Self::untyped_retype), and
    /// [`RangeError`](crate::Error::RangeError) for no slots or too many.
    #[doc(alias = "seL4_Untyped_Retype")]
    #[inline]
    pub fn untyped_retype_all<T: Retype>(
        self,
        size_bits: usize,
        slots: EmptySlots,
    ) -> Result<impl ExactSizeIterator<Item = Cap<T>> + use<T>, FillError<EmptySlots>> {
        let (node, range) = (slots.root().itself(), slots.slots().range());
        // SAFETY: only this value names the slots.
        let made =
            unsafe { self.untyped_retype_at::<T>(size_bits, node, range.start, range.len()) };
        match made {
            // SAFETY: a retype that succeeds has put such capabilities there, and no other value names the slots.
            Ok(()) => Ok(range.map(|word| unsafe { Cap::from_word(word) })),
            Err(error) => Err(FillError { error, slot: slots }),
        }
    }

    /// Corresponds to `seL4_Untyped_Retype`. Makes `count` objects of the kind `T`, and puts
    /// capabilities to them into the slots from `offset` on of the CNode `node`; [`Cap::itself`] names
    /// a CNode for this. [`untyped_retype`](Self::untyped_retype) is the safe form.
    ///
    /// # Errors
    ///
    /// Those of [`untyped_retype`](Self::untyped_retype), and
    /// [`RangeError`](crate::Error::RangeError) where `offset` or `count` is out of range,
    /// [`FailedLookup`](crate::Error::FailedLookup) where `node` leads nowhere.
    ///
    /// # Safety
    ///
    /// Those of [`Slot::cnode_copy`], for each of the slots.
    #[doc(alias = "seL4_Untyped_Retype")]
    #[inline]
    pub unsafe fn untyped_retype_at<T: Retype>(
        self,
        size_bits: usize,
        node: Slot,
        offset: usize,
        count: usize,
    ) -> Result<()> {
        // SAFETY: the kernel gives only memory that nothing is made of. Filling the slots changes no
        // `Cap`, by the contract of this function.
        check(unsafe {
            sys::seL4_Untyped_Retype(
                self.word(),
                T::TYPE,
                size_bits,
                node.root().word(),
                node.index(),
                usize::from(node.depth()),
                offset,
                count,
            )
        })
    }
}
