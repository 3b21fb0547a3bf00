// SPDX-License-Identifier: BSD-2-Clause

//! The kinds of objects, which make the types of capabilities differ.

use libsel4_sys as sys;

/// A kind of object that a [`Cap`](crate::Cap) leads to. There are seL4's kinds and no others.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, Endpoint, Kind, Tcb};
///
/// fn describe<T: Kind>(cap: Cap<T>) -> String {
///     format!("{} at {}", T::NAME, cap.word())
/// }
///
/// assert_eq!(describe(info.tcb()), "Tcb at 1");
/// # Ok(()) }) }
/// ```
pub trait Kind: sealed::Sealed {
    /// Name of the kind, as `Debug` shows it.
    const NAME: &'static str;
}

/// A kind whose objects are made of untyped memory.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{AllocationError, Allocator, Cap, Endpoint, Retype, Untyped};
///
/// fn make_two<T: Retype>(objects: &mut Allocator, bits: usize) -> Result<[Cap<T>; 2], AllocationError> {
///     Ok([objects.make_sized(bits)?, objects.make_sized(bits)?])
/// }
///
/// let [first, second] = make_two::<Untyped>(objects, 12)?;
/// assert_ne!(first, second);
/// # Ok(()) }) }
/// ```
pub trait Retype: Kind {
    /// Value of the parameter `type` of `seL4_Untyped_Retype`.
    const TYPE: usize;

    /// Returns the size of an object in bits, for C's parameter `size_bits`.
    fn memory_bits(size_bits: usize) -> usize;
}

/// A kind whose objects are all of one size.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{FixedSize, SmallPage, Tcb};
///
/// assert_eq!(SmallPage::SIZE_BITS, 12);
/// let thread = objects.make::<Tcb>()?;
/// assert!(Tcb::SIZE_BITS <= SmallPage::SIZE_BITS);
/// # Ok(()) }) }
/// ```
pub trait FixedSize: Retype {
    /// An object takes 2 to the power of this, in bytes.
    const SIZE_BITS: usize;
}

/// A kind of page: memory of one of the architecture's page sizes.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, LargePage, Page, Result, SmallPage};
///
/// fn first_byte_after<T: Page>(page: Cap<T>) -> Result<usize> {
///     Ok(page.page_get_address()? + (1 << T::SIZE_BITS))
/// }
///
/// assert!(first_byte_after::<SmallPage>(objects.make()?)? > 0);
/// # Ok(()) }) }
/// ```
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
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, Notification, Untyped};
    ///
    /// let untyped: Cap<Untyped> = objects.make_sized(16)?;
    /// let bell = untyped.untyped_retype::<Notification>(0, objects.slot()?)?;
    /// bell.signal();
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_Untyped")]
    Untyped: sized(sys::seL4_UntypedObject, 0);
    /// A table of slots: `seL4_CNode`. Its `size_bits` count slots.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{CNode, Cap};
    ///
    /// // 256 slots.
    /// let node: Cap<CNode> = objects.make_sized(8)?;
    /// let slot = node.slot(17, 8);
    /// assert_eq!((slot.root(), slot.index()), (node, 17));
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_CNode")]
    #[doc(alias = "seL4_CapTableObject")]
    CNode: sized(sys::seL4_CapTableObject, sys::seL4_SlotBits);
    /// A thread: `seL4_TCB`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, Priority, Tcb};
    ///
    /// let thread: Cap<Tcb> = objects.make()?;
    /// thread.tcb_set_priority(info.tcb(), Priority::new(50))?;
    /// thread.tcb_suspend()?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_TCB")]
    Tcb: fixed(sys::seL4_TCBObject, sys::seL4_TCBBits);
    /// An endpoint, through which threads exchange messages: `seL4_EndpointObject`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, Endpoint, message};
    ///
    /// let endpoint: Cap<Endpoint> = objects.make()?;
    /// // Nobody waits for the message, so it is dropped.
    /// endpoint.nb_send(message::put(0, &42_usize));
    /// # Ok(()) }) }
    /// ```
    Endpoint: fixed(sys::seL4_EndpointObject, sys::seL4_EndpointBits);
    /// A word of binary semaphores.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, CapRights, Notification};
    ///
    /// let bell: Cap<Notification> = objects.make()?;
    /// for badge in [1, 4] {
    ///     objects.mint(bell, CapRights::WRITE, badge)?.signal();
    /// }
    /// assert_eq!(bell.wait(), 1 | 4);
    /// assert_eq!(bell.poll(), None);
    /// # Ok(()) }) }
    /// ```
    Notification: fixed(sys::seL4_NotificationObject, sys::seL4_NotificationBits);
    /// Authority over interrupts: `seL4_IRQControl`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, IrqControl};
    ///
    /// let control: Cap<IrqControl> = info.irq_control();
    /// let slot = objects.slot()?;
    /// assert!(control.irq_control_get(usize::MAX, slot).is_err());
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_IRQControl")]
    IrqControl;
    /// Authority over one interrupt: `seL4_IRQHandler`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{AllocationError, Allocator, BootInfo, Cap, IrqHandler, Notification};
    ///
    /// fn bell_of(irq: usize, info: BootInfo, objects: &mut Allocator) -> Result<Cap<Notification>, AllocationError> {
    ///     let handler: Cap<IrqHandler> = info.irq_control().irq_control_get(irq, objects.slot()?)?;
    ///     let bell = objects.make()?;
    ///     handler.irq_handler_set_notification(bell)?;
    ///     handler.irq_handler_ack()?;
    ///     Ok(bell)
    /// }
    ///
    /// assert!(bell_of(usize::MAX, info, objects).is_err(), "no interrupt has this number");
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_IRQHandler")]
    IrqHandler;
    /// Authority over scheduling domains: `seL4_DomainSet`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, Domain, Tcb};
    ///
    /// let domains: Cap<Domain> = info.domain();
    /// domains.domain_set_set(0, objects.make::<Tcb>()?)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_DomainSet")]
    Domain;
    /// Authority over address space identifiers.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{AsidControl, Cap, Untyped, VSpace};
    ///
    /// let control: Cap<AsidControl> = info.asid_control();
    /// let memory = objects.make_sized::<Untyped>(12)?;
    /// let pool = control.asid_control_make_pool(memory, objects.slot()?)?;
    /// pool.asid_pool_assign(objects.make::<VSpace>()?)?;
    /// # Ok(()) }) }
    /// ```
    AsidControl;
    /// Address space identifiers to give to VSpaces.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{AsidPool, Cap, VSpace};
    ///
    /// let pool: Cap<AsidPool> = info.asid_pool();
    /// let vspace = objects.make::<VSpace>()?;
    /// pool.asid_pool_assign(vspace)?;
    /// assert!(pool.asid_pool_assign(vspace).is_err(), "one is enough");
    /// # Ok(()) }) }
    /// ```
    AsidPool;
}

#[cfg(CONFIG_KERNEL_MCS)]
kinds! {
    /// Time that a thread may run: `seL4_SchedContext`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Budget, Cap, MIN_SCHED_CONTEXT_BITS, SchedContext, Tcb};
    ///
    /// let time: Cap<SchedContext> = objects.make_sized(MIN_SCHED_CONTEXT_BITS)?;
    /// let control = info.sched_control(0).expect("the first core");
    /// control.sched_control_configure_flags(time, &Budget::new(1_000, 10_000))?;
    /// time.sched_context_bind(objects.make::<Tcb>()?)?;
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_SchedContext")]
    SchedContext: sized(sys::seL4_SchedContextObject, 0);
    /// Authority over the time of one core: `seL4_SchedControl`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Budget, Cap, MIN_SCHED_CONTEXT_BITS, SchedControl};
    ///
    /// let control: Cap<SchedControl> = info.sched_control(0).expect("the first core");
    /// let time = objects.make_sized(MIN_SCHED_CONTEXT_BITS)?;
    /// control.sched_control_configure_flags(time, &Budget::new(1_000, 10_000))?;
    /// assert!(info.sched_control(1000).is_none());
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "seL4_SchedControl")]
    SchedControl;
    /// Whom to reply to: an object of its own in a kernel with MCS. Without MCS there is
    /// `SavedCaller`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
    /// # fn main() { root_server(|info, objects| {
    /// use libsel4::{Cap, Endpoint, MessageInfo, Reply};
    ///
    /// let reply: Cap<Reply> = objects.make()?;
    /// assert!(objects.make::<Endpoint>()?.nb_recv(reply).is_none());
    /// // Nobody has called, so this does nothing.
    /// reply.send(MessageInfo::default());
    /// # Ok(()) }) }
    /// ```
    Reply: fixed(sys::seL4_ReplyObject, sys::seL4_ReplyBits);
}
