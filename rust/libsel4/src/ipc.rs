// SPDX-License-Identifier: BSD-2-Clause

//! Messages and signals: what threads do with endpoints, notifications and replies.

use libsel4_sys as sys;

use crate::cap::Cap;
#[cfg(CONFIG_KERNEL_MCS)]
use crate::kind::Reply;
use crate::kind::{Endpoint, Notification};
#[cfg(not(CONFIG_KERNEL_MCS))]
use crate::slot::EmptySlot;
use crate::value::{Badge, MessageInfo};

/// Result of waiting at an endpoint: a message, or a signal of the notification that is bound to the
/// running thread.
///
/// The kernel says which of the two only by the badge. After a signal it leaves the message info and
/// the message registers as they happened to be, so that the words of an earlier message seem to have
/// come once more. Only the program knows which notification it has bound to the thread, and which
/// badges that has; so it says here which case is possible. The choice costs no instruction where
/// nothing is bound, and a test of the badge otherwise.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{CapRights, Endpoint, Event, Notification};
///
/// let (server, reply) = (objects.make::<Endpoint>()?, objects.make_reply()?);
/// let bell = objects.make::<Notification>()?;
/// info.tcb().tcb_bind_notification(bell)?;
/// objects.mint(bell, CapRights::ALL, 1 << 4)?.signal();
/// match server.recv(reply).event(1 << 4) {
///     Event::Signal(badges) => assert_eq!(badges, 1 << 4),
///     Event::Message(info, badge) => unreachable!("{info:?} of {badge}"),
/// }
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Received {
    info: MessageInfo,
    badge: Badge,
}

/// What [`Received::event`] has told apart.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Endpoint, Event, Notification};
///
/// let (server, reply) = (objects.make::<Endpoint>()?, objects.make_reply()?);
/// let came = server.nb_recv(reply).map(|received| received.event(1 << 4));
/// match came {
///     Some(Event::Message(info, badge)) => println!("{info:?} of {badge}"),
///     Some(Event::Signal(badges)) => println!("signals {badges:#x}"),
///     None => println!("nothing"),
/// }
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A message, sent through a capability with this badge.
    Message(MessageInfo, Badge),
    /// A signal of the bound notification, with all badges that were pending.
    Signal(Badge),
}

impl Received {
    /// Returns the message, and the badge of the capability that it was sent through. This is for threads
    /// that no notification is bound to.
    #[inline]
    pub const fn message(self) -> (MessageInfo, Badge) {
        (self.info, self.badge)
    }

    /// Tells a signal from a message. `signals` are the bits of the badges with which the bound notification
    /// is signalled: each of its badges has at least one of them, and no badge of the endpoint has any.
    #[inline]
    pub const fn event(self, signals: Badge) -> Event {
        if self.badge & signals == 0 {
            Event::Message(self.info, self.badge)
        } else {
            Event::Signal(self.badge)
        }
    }

    /// Returns the value if the badge is not 0, as it is when nothing came.
    #[inline]
    fn if_any(self) -> Option<Self> {
        (self.badge != 0).then_some(self)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    #[cfg(not(CONFIG_KERNEL_MCS))]
    impl Sealed for super::LastCaller {}
    #[cfg(CONFIG_KERNEL_MCS)]
    impl Sealed for crate::Cap<crate::Reply> {}
}

/// Authority to reply to a caller: with MCS a reply object, `Cap<Reply>`, and without MCS `()` or
/// `LastCaller`, for the kernel keeps the last caller in the TCB.
///
/// Code for both names the type [`ReplyHandle`] and has
/// [`Allocator::make_reply`](crate::Allocator::make_reply) make one.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, Endpoint, ReplyAuthority};
///
/// fn waits_for_a_client(server: Cap<Endpoint>, reply: impl ReplyAuthority) -> bool {
///     server.nb_recv(reply).is_none()
/// }
///
/// let (server, reply) = (objects.make()?, objects.make_reply()?);
/// assert!(waits_for_a_client(server, reply));
/// # Ok(()) }) }
/// ```
pub trait ReplyAuthority: Copy + sealed::Sealed {
    /// Returns the word that C has for it, 0 without MCS.
    #[doc(hidden)]
    fn word(self) -> usize;
}

#[cfg(not(CONFIG_KERNEL_MCS))]
impl ReplyAuthority for () {
    #[inline]
    fn word(self) -> usize {
        sys::seL4_CapNull
    }
}

/// The last caller of the running thread, whom the kernel keeps in the TCB: `()` with a name.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{LastCaller, MessageInfo};
///
/// // Nobody has called, so this does nothing.
/// libsel4::reply(LastCaller, MessageInfo::default());
/// # Ok(()) }) }
/// ```
#[cfg(not(CONFIG_KERNEL_MCS))]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LastCaller;

#[cfg(not(CONFIG_KERNEL_MCS))]
impl LastCaller {
    /// Makes the value of any word, as `Cap::<Reply>::from_word` does with MCS.
    ///
    /// # Safety
    ///
    /// There is no condition; with MCS there is one.
    #[inline]
    pub const unsafe fn from_word(_: usize) -> Self {
        Self
    }

    /// Returns 0, which C has for it.
    #[inline]
    pub const fn word(self) -> usize {
        sys::seL4_CapNull
    }
}

#[cfg(not(CONFIG_KERNEL_MCS))]
impl ReplyAuthority for LastCaller {
    #[inline]
    fn word(self) -> usize {
        sys::seL4_CapNull
    }
}

#[cfg(CONFIG_KERNEL_MCS)]
impl ReplyAuthority for Cap<Reply> {
    #[inline]
    fn word(self) -> usize {
        Cap::word(self)
    }
}

/// Type of the reply authority of this kernel: `Cap<Reply>`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, Endpoint, ReplyHandle};
///
/// struct Server {
///     endpoint: Cap<Endpoint>,
///     reply: ReplyHandle,
/// }
///
/// let (endpoint, reply) = (objects.make()?, objects.make_reply()?);
/// let server = Server { endpoint, reply };
/// assert!(server.endpoint.nb_recv(server.reply).is_none());
/// # Ok(()) }) }
/// ```
#[cfg(CONFIG_KERNEL_MCS)]
pub type ReplyHandle = Cap<Reply>;

/// Type of the reply authority of this kernel.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{Cap, Endpoint, ReplyHandle};
///
/// struct Server {
///     endpoint: Cap<Endpoint>,
///     reply: ReplyHandle,
/// }
///
/// let (endpoint, reply) = (objects.make()?, objects.make_reply()?);
/// let server = Server { endpoint, reply };
/// assert!(server.endpoint.nb_recv(server.reply).is_none());
/// # Ok(()) }) }
/// ```
#[cfg(not(CONFIG_KERNEL_MCS))]
pub type ReplyHandle = LastCaller;

/// Calls a function that reports the sender's badge in its last argument but those given. With MCS the
/// reply object follows.
macro_rules! received {
    ($function:ident($($before:expr),*) $(, $reply:expr)?) => {{
        let mut badge: Badge = 0;
        // SAFETY: a system call; it writes the badge and the IPC buffer of this thread.
        let info = unsafe {
            sys::$function(
                $($before,)*
                &raw mut badge,
                $(#[cfg(CONFIG_KERNEL_MCS)] ReplyAuthority::word($reply),)?
            )
        };
        $(#[cfg(not(CONFIG_KERNEL_MCS))] let _ = $reply;)?
        Received { info: info.into(), badge }
    }};
}

impl Cap<Endpoint> {
    /// Corresponds to `seL4_Send`. Waits until the message is received.
    #[doc(alias = "seL4_Send")]
    #[inline]
    pub fn send(self, info: MessageInfo) {
        // SAFETY: a system call; it reads the IPC buffer of this thread.
        unsafe { sys::seL4_Send(self.word(), info.into()) }
    }

    /// Corresponds to `seL4_NBSend`. Sends if somebody waits for it, else does nothing; nobody learns which.
    #[doc(alias = "seL4_NBSend")]
    #[inline]
    pub fn nb_send(self, info: MessageInfo) {
        // SAFETY: a system call; it reads the IPC buffer of this thread.
        unsafe { sys::seL4_NBSend(self.word(), info.into()) }
    }

    /// Corresponds to `seL4_Call`. Sends, and waits for the reply, which is then in the message registers.
    #[doc(alias = "seL4_Call")]
    #[inline]
    pub fn call(self, info: MessageInfo) -> MessageInfo {
        // SAFETY: a system call; it reads and writes the IPC buffer of this thread.
        unsafe { sys::seL4_Call(self.word(), info.into()) }.into()
    }

    /// Corresponds to `seL4_Recv`. Waits for a message. `reply` then leads to the caller.
    #[doc(alias = "seL4_Recv")]
    #[inline]
    pub fn recv(self, reply: impl ReplyAuthority) -> Received {
        received!(seL4_Recv(self.word()), reply)
    }

    /// Corresponds to `seL4_NBRecv`. Takes a message if there is one. The kernel reports none by badge 0:
    /// a message through a capability without a badge is not seen, and its caller waits for ever.
    #[doc(alias = "seL4_NBRecv")]
    #[inline]
    pub fn nb_recv(self, reply: impl ReplyAuthority) -> Option<Received> {
        received!(seL4_NBRecv(self.word()), reply).if_any()
    }

    /// Corresponds to `seL4_ReplyRecv`. Replies to the caller that `reply` leads to, and waits for the
    /// next message.
    #[doc(alias = "seL4_ReplyRecv")]
    #[inline]
    pub fn reply_recv(self, info: MessageInfo, reply: impl ReplyAuthority) -> Received {
        received!(seL4_ReplyRecv(self.word(), info.into()), reply)
    }
}

/// Corresponds to `seL4_Reply`, and with MCS to `seL4_Send` on a reply object. Replies to the caller that
/// `reply` leads to; does nothing if there is none.
#[doc(alias = "seL4_Reply")]
#[inline]
pub fn reply(reply: impl ReplyAuthority, info: MessageInfo) {
    #[cfg(CONFIG_KERNEL_MCS)]
    // SAFETY: a system call; it reads the IPC buffer of this thread.
    unsafe {
        sys::seL4_Send(ReplyAuthority::word(reply), info.into());
    }
    #[cfg(not(CONFIG_KERNEL_MCS))]
    {
        let _ = reply;
        // SAFETY: a system call; it reads the IPC buffer of this thread.
        unsafe { sys::seL4_Reply(info.into()) }
    }
}

/// A caller that [`EmptySlot::cnode_save_caller`] has saved: the reply capability in its slot.
///
/// The kernel empties the slot when the capability is used, and when the caller is suspended or
/// destroyed. So nothing else names the slot: the value is neither `Copy` nor `Clone`, replying uses it
/// up, and gives the slot back.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/root_server.rs"));
/// # fn main() { root_server(|info, objects| {
/// use libsel4::{EmptySlot, MessageInfo, SavedCaller};
///
/// let caller: SavedCaller = objects.slot()?.cnode_save_caller()?;
/// let slot: EmptySlot = caller.send(MessageInfo::default());
/// # Ok(()) }) }
/// ```
///
/// ```compile_fail,E0382
/// use libsel4::{MessageInfo, SavedCaller};
/// fn wrong(caller: SavedCaller) {
///     let slot = caller.send(MessageInfo::default());
///     let slot = caller.send(MessageInfo::default());
/// }
/// ```
#[cfg(not(CONFIG_KERNEL_MCS))]
#[derive(PartialEq, Eq, Debug)]
#[must_use]
pub struct SavedCaller {
    slot: EmptySlot,
}

#[cfg(not(CONFIG_KERNEL_MCS))]
impl SavedCaller {
    #[inline]
    pub(crate) const fn new(slot: EmptySlot) -> Self {
        Self { slot }
    }

    /// Corresponds to `seL4_Send` on a reply capability. Replies to the caller; does nothing if it no longer
    /// waits. The slot is empty then.
    #[doc(alias = "seL4_Send")]
    #[inline]
    pub fn send(self, info: MessageInfo) -> EmptySlot {
        // SAFETY: a system call; it reads the IPC buffer of this thread. The slot has a reply capability or
        // none, as nothing but this value names it.
        unsafe { sys::seL4_Send(self.slot.slot().index(), info.into()) }
        self.slot
    }
}

#[cfg(CONFIG_KERNEL_MCS)]
impl Cap<Endpoint> {
    /// Corresponds to `seL4_NBSendRecv`. Sends through `to` if somebody waits for it, and waits for a
    /// message here.
    #[doc(alias = "seL4_NBSendRecv")]
    #[inline]
    pub fn nb_send_recv(self, to: Cap<Endpoint>, info: MessageInfo, reply: Cap<Reply>) -> Received {
        received!(seL4_NBSendRecv(to.word(), info.into(), self.word()), reply)
    }

    /// Corresponds to `seL4_NBSendWait`. The same without a reply object: callers cannot be replied to.
    #[doc(alias = "seL4_NBSendWait")]
    #[inline]
    pub fn nb_send_wait(self, to: Cap<Endpoint>, info: MessageInfo) -> Received {
        received!(seL4_NBSendWait(to.word(), info.into(), self.word()))
    }

    /// Corresponds to `seL4_Wait`. Waits for a message that no reply is expected to.
    #[doc(alias = "seL4_Wait")]
    #[inline]
    pub fn wait(self) -> Received {
        received!(seL4_Wait(self.word()))
    }

    /// Corresponds to `seL4_NBWait`. Takes such a message if there is one, as [`nb_recv`](Self::nb_recv) does.
    #[doc(alias = "seL4_NBWait")]
    #[inline]
    pub fn nb_wait(self) -> Option<Received> {
        received!(seL4_NBWait(self.word())).if_any()
    }
}

#[cfg(CONFIG_KERNEL_MCS)]
impl Cap<Reply> {
    /// Corresponds to `seL4_Send` on a reply object. Replies to the caller; does nothing if there is none.
    #[doc(alias = "seL4_Send")]
    #[inline]
    pub fn send(self, info: MessageInfo) {
        reply(self, info);
    }
}

/// Number of message registers that the kernel passes in processor registers.
#[cfg(not(target_arch = "x86"))]
const FAST: usize = 4;

/// Messages of up to four registers, which do not pass through the IPC buffer.
#[cfg(not(target_arch = "x86"))]
impl Cap<Endpoint> {
    /// Corresponds to `seL4_CallWithMRs`. Sends the first registers of the message from `mrs`, as many
    /// as `info` has, and gives the first ones of the reply. Not on ia32.
    #[doc(alias = "seL4_CallWithMRs")]
    #[inline]
    pub fn call_with_mrs(
        self,
        info: MessageInfo,
        mrs: [usize; FAST],
    ) -> (MessageInfo, [usize; FAST]) {
        let [mut a, mut b, mut c, mut d] = mrs;
        // SAFETY: a system call; it reads and writes the registers given, and the IPC buffer of this thread.
        let info = unsafe {
            sys::seL4_CallWithMRs(
                self.word(),
                info.into(),
                &raw mut a,
                &raw mut b,
                &raw mut c,
                &raw mut d,
            )
        };
        (info.into(), [a, b, c, d])
    }

    /// Corresponds to `seL4_ReplyRecvWithMRs`. As [`reply_recv`](Self::reply_recv), with the first
    /// registers of the reply from `mrs`, as many as `info` has, and the first ones of the next
    /// message. Not on ia32.
    #[doc(alias = "seL4_ReplyRecvWithMRs")]
    #[inline]
    pub fn reply_recv_with_mrs(
        self,
        info: MessageInfo,
        mrs: [usize; FAST],
        reply: impl ReplyAuthority,
    ) -> (Received, [usize; FAST]) {
        #[cfg(not(CONFIG_KERNEL_MCS))]
        let _ = reply;
        let [mut a, mut b, mut c, mut d] = mrs;
        let mut badge = 0;
        // SAFETY: a system call; it reads and writes the registers given, writes the badge, and reads
        // and writes the IPC buffer of this thread.
        let info = unsafe {
            sys::seL4_ReplyRecvWithMRs(
                self.word(),
                info.into(),
                &raw mut badge,
                &raw mut a,
                &raw mut b,
                &raw mut c,
                &raw mut d,
                #[cfg(CONFIG_KERNEL_MCS)]
                ReplyAuthority::word(reply),
            )
        };
        let info = info.into();
        (Received { info, badge }, [a, b, c, d])
    }
}

impl Cap<Notification> {
    /// Corresponds to `seL4_Signal`. Adds the capability's badge to what is pending, by OR.
    #[doc(alias = "seL4_Signal")]
    #[inline]
    pub fn signal(self) {
        // SAFETY: a system call that touches no memory of this program.
        unsafe { sys::seL4_Signal(self.word()) }
    }

    /// Corresponds to `seL4_Wait`. Waits until something is pending, and takes it.
    #[doc(alias = "seL4_Wait")]
    #[inline]
    pub fn wait(self) -> Badge {
        let mut badge = 0;
        // SAFETY: a system call; it writes the badge.
        unsafe { sys::seL4_Wait(self.word(), &raw mut badge) };
        badge
    }

    /// Corresponds to `seL4_Poll`. Takes what is pending, if anything is. A signal through a capability
    /// without a badge is not seen.
    #[doc(alias = "seL4_Poll")]
    #[inline]
    pub fn poll(self) -> Option<Badge> {
        let mut badge = 0;
        // SAFETY: a system call; it writes the badge.
        unsafe { sys::seL4_Poll(self.word(), &raw mut badge) };
        (badge != 0).then_some(badge)
    }
}

/// Corresponds to `seL4_Yield`. Lets other threads of the same priority run.
#[doc(alias = "seL4_Yield")]
#[inline]
pub fn yield_now() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_Yield() }
}
