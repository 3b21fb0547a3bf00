// SPDX-License-Identifier: BSD-2-Clause

//! Untyped memory.

use libsel4_sys as sys;

use crate::cap::{Cap, Slot};
use crate::error::{Result, check};
use crate::kind::{Retype, Untyped};

impl Cap<Untyped> {
    /// Corresponds to `seL4_Untyped_Retype`. Makes `count` objects of the kind `T`, and puts
    /// capabilities to them into the slots from `offset` on of the CNode `node`, which are empty;
    /// [`Cap::itself`] names a CNode for this. `size_bits` counts for kinds of no fixed size.
    ///
    /// The call is safe: the kernel uses no memory of an existing object, clears new memory, and
    /// fills no slot that is in use.
    ///
    /// # Errors
    ///
    /// [`NotEnoughMemory`](crate::Error::NotEnoughMemory) with the bytes left,
    /// [`DeleteFirst`](crate::Error::DeleteFirst) where a slot is taken,
    /// [`RangeError`](crate::Error::RangeError) where `offset`, `count` or `size_bits` is out of range,
    /// [`FailedLookup`](crate::Error::FailedLookup) where `node` leads nowhere.
    #[doc(alias = "seL4_Untyped_Retype")]
    pub fn untyped_retype<T: Retype>(
        self,
        size_bits: usize,
        node: Slot,
        offset: usize,
        count: usize,
    ) -> Result<()> {
        // SAFETY: the kernel gives only memory that nothing is made of, and fills only empty slots.
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
