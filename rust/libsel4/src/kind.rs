// SPDX-License-Identifier: BSD-2-Clause

//! The kinds of objects, which make the types of capabilities differ.

use libsel4_sys as sys;

/// A kind of object that a [`Cap`](crate::Cap) leads to. There are seL4's kinds and no others.
pub trait Kind: sealed::Sealed {
    /// Name of the kind, as `Debug` shows it.
    const NAME: &'static str;
}

/// A kind whose objects are made of untyped memory.
pub trait Retype: Kind {
    /// Value of the parameter `type` of `seL4_Untyped_Retype`.
    const TYPE: usize;

    /// Returns the size of an object in bits, for C's parameter `size_bits`.
    fn memory_bits(size_bits: usize) -> usize;
}

/// A kind whose objects are all of one size.
pub trait FixedSize: Retype {
    /// An object takes 2 to the power of this, in bytes.
    const SIZE_BITS: usize;
}

/// A kind of page: memory of one of the architecture's page sizes.
pub trait Page: FixedSize {}

pub(crate) mod sealed {
    pub trait Sealed {}
}

macro_rules! kinds {
    ($($(#[$attribute:meta])* $name:ident $(: $how:ident $arguments:tt)?;)*) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        $crate::kind::implement! { $name }
        $($crate::kind::implement! { $name: $how $arguments })?
    )*};
}

macro_rules! implement {
    ($name:ident) => {
        impl $crate::kind::sealed::Sealed for $name {}
        impl $crate::kind::Kind for $name {
            const NAME: &'static str = stringify!($name);
        }
    };
    ($name:ident: fixed($type:expr, $bits:expr)) => {
        impl $crate::kind::Retype for $name {
            const TYPE: usize = $type;
            fn memory_bits(_: usize) -> usize {
                $bits
            }
        }
        impl $crate::kind::FixedSize for $name {
            const SIZE_BITS: usize = $bits;
        }
    };
    // The size is given in units of 2 to the power of `unit` bytes.
    ($name:ident: sized($type:expr, $unit:expr)) => {
        impl $crate::kind::Retype for $name {
            const TYPE: usize = $type;
            fn memory_bits(size_bits: usize) -> usize {
                size_bits.saturating_add($unit)
            }
        }
    };
    ($name:ident: page($type:expr, $bits:expr)) => {
        $crate::kind::implement! { $name: fixed($type, $bits) }
        impl $crate::kind::Page for $name {}
    };
}

pub(crate) use {implement, kinds};

kinds! {
    /// Memory that objects can be made of: `seL4_Untyped`.
    #[doc(alias = "seL4_Untyped")]
    Untyped: sized(sys::seL4_UntypedObject, 0);
    /// A table of slots: `seL4_CNode`. Its `size_bits` count slots.
    #[doc(alias = "seL4_CNode")]
    #[doc(alias = "seL4_CapTableObject")]
    CNode: sized(sys::seL4_CapTableObject, sys::seL4_SlotBits);
    /// A thread: `seL4_TCB`.
    #[doc(alias = "seL4_TCB")]
    Tcb: fixed(sys::seL4_TCBObject, sys::seL4_TCBBits);
    /// An endpoint, through which threads exchange messages: `seL4_EndpointObject`.
    Endpoint: fixed(sys::seL4_EndpointObject, sys::seL4_EndpointBits);
    /// A word of binary semaphores.
    Notification: fixed(sys::seL4_NotificationObject, sys::seL4_NotificationBits);
    /// Authority over interrupts: `seL4_IRQControl`.
    #[doc(alias = "seL4_IRQControl")]
    IrqControl;
    /// Authority over one interrupt: `seL4_IRQHandler`.
    #[doc(alias = "seL4_IRQHandler")]
    IrqHandler;
    /// Authority over scheduling domains: `seL4_DomainSet`.
    #[doc(alias = "seL4_DomainSet")]
    Domain;
    /// Authority over address space identifiers.
    AsidControl;
    /// Address space identifiers to give to VSpaces.
    AsidPool;
}

#[cfg(CONFIG_KERNEL_MCS)]
kinds! {
    /// Time that a thread may run: `seL4_SchedContext`.
    #[doc(alias = "seL4_SchedContext")]
    SchedContext: sized(sys::seL4_SchedContextObject, 0);
    /// Authority over the time of one core: `seL4_SchedControl`.
    #[doc(alias = "seL4_SchedControl")]
    SchedControl;
    /// Whom to reply to: an object of its own in a kernel with MCS. Without MCS there is
    /// `SavedCaller`.
    Reply: fixed(sys::seL4_ReplyObject, sys::seL4_ReplyBits);
}
