// SPDX-License-Identifier: BSD-2-Clause

//! Messages and signals: what threads do with endpoints, notifications and replies.

use libsel4_sys as sys;

use crate::cap::Cap;
use crate::kind::{Endpoint, Notification, Reply};
use crate::value::{Badge, MessageInfo};

/// Calls a function that reports the sender's badge in its last argument but those given.
macro_rules! received {
    ($function:ident($($before:expr),*; $($after:expr),*)) => {{
        let mut badge: Badge = 0;
        // SAFETY: a system call; it writes the badge and the IPC buffer of this thread.
        let info = unsafe { sys::$function($($before,)* &raw mut badge $(, $after)*) };
        (info.into(), badge)
    }};
}

impl Cap<Endpoint> {
    /// Corresponds to `seL4_Send`. Waits until the message is received.
    #[doc(alias = "seL4_Send")]
    pub fn send(self, info: MessageInfo) {
        // SAFETY: a system call; it reads the IPC buffer of this thread.
        unsafe { sys::seL4_Send(self.word(), info.into()) }
    }

    /// Corresponds to `seL4_NBSend`. Sends if somebody waits for it, else does nothing; nobody learns which.
    #[doc(alias = "seL4_NBSend")]
    pub fn nb_send(self, info: MessageInfo) {
        // SAFETY: a system call; it reads the IPC buffer of this thread.
        unsafe { sys::seL4_NBSend(self.word(), info.into()) }
    }

    /// Corresponds to `seL4_Call`. Sends, and waits for the reply, which is then in the message registers.
    #[doc(alias = "seL4_Call")]
    pub fn call(self, info: MessageInfo) -> MessageInfo {
        // SAFETY: a system call; it reads and writes the IPC buffer of this thread.
        unsafe { sys::seL4_Call(self.word(), info.into()) }.into()
    }
}

#[cfg(not(CONFIG_KERNEL_MCS))]
impl Cap<Endpoint> {
    /// Corresponds to `seL4_Recv`. Waits for a message; with it comes the badge of what it was sent through.
    #[doc(alias = "seL4_Recv")]
    pub fn recv(self) -> (MessageInfo, Badge) {
        received!(seL4_Recv(self.word();))
    }

    /// Corresponds to `seL4_NBRecv`. Takes a message if there is one; else the badge is 0.
    #[doc(alias = "seL4_NBRecv")]
    pub fn nb_recv(self) -> (MessageInfo, Badge) {
        received!(seL4_NBRecv(self.word();))
    }

    /// Corresponds to `seL4_ReplyRecv`. Replies to the last caller, and waits for the next message.
    #[doc(alias = "seL4_ReplyRecv")]
    pub fn reply_recv(self, info: MessageInfo) -> (MessageInfo, Badge) {
        received!(seL4_ReplyRecv(self.word(), info.into();))
    }
}

/// Corresponds to `seL4_Reply`. Replies to the last caller; does nothing if there is none.
#[cfg(not(CONFIG_KERNEL_MCS))]
#[doc(alias = "seL4_Reply")]
pub fn reply(info: MessageInfo) {
    // SAFETY: a system call; it reads the IPC buffer of this thread.
    unsafe { sys::seL4_Reply(info.into()) }
}

#[cfg(CONFIG_KERNEL_MCS)]
impl Cap<Endpoint> {
    /// Corresponds to `seL4_Recv`. Waits for a message; with it comes the badge of what it was sent
    /// through. `reply` then leads to the caller.
    #[doc(alias = "seL4_Recv")]
    pub fn recv(self, reply: Cap<Reply>) -> (MessageInfo, Badge) {
        received!(seL4_Recv(self.word(); reply.word()))
    }

    /// Corresponds to `seL4_NBRecv`. Takes a message if there is one; else the badge is 0.
    #[doc(alias = "seL4_NBRecv")]
    pub fn nb_recv(self, reply: Cap<Reply>) -> (MessageInfo, Badge) {
        received!(seL4_NBRecv(self.word(); reply.word()))
    }

    /// Corresponds to `seL4_ReplyRecv`. Replies to the caller that `reply` leads to, and waits for the
    /// next message.
    #[doc(alias = "seL4_ReplyRecv")]
    pub fn reply_recv(self, info: MessageInfo, reply: Cap<Reply>) -> (MessageInfo, Badge) {
        received!(seL4_ReplyRecv(self.word(), info.into(); reply.word()))
    }

    /// Corresponds to `seL4_NBSendRecv`. Sends through `to` if somebody waits for it, and waits for a
    /// message here.
    #[doc(alias = "seL4_NBSendRecv")]
    pub fn nb_send_recv(
        self,
        to: Cap<Endpoint>,
        info: MessageInfo,
        reply: Cap<Reply>,
    ) -> (MessageInfo, Badge) {
        received!(seL4_NBSendRecv(to.word(), info.into(), self.word(); reply.word()))
    }

    /// Corresponds to `seL4_NBSendWait`. The same without a reply object: callers cannot be replied to.
    #[doc(alias = "seL4_NBSendWait")]
    pub fn nb_send_wait(self, to: Cap<Endpoint>, info: MessageInfo) -> (MessageInfo, Badge) {
        received!(seL4_NBSendWait(to.word(), info.into(), self.word();))
    }

    /// Corresponds to `seL4_Wait`. Waits for a message that no reply is expected to.
    #[doc(alias = "seL4_Wait")]
    pub fn wait(self) -> (MessageInfo, Badge) {
        received!(seL4_Wait(self.word();))
    }

    /// Corresponds to `seL4_NBWait`. Takes such a message if there is one; else the badge is 0.
    #[doc(alias = "seL4_NBWait")]
    pub fn nb_wait(self) -> (MessageInfo, Badge) {
        received!(seL4_NBWait(self.word();))
    }
}

impl Cap<Reply> {
    /// Corresponds to `seL4_Send` on a reply capability. Replies to the caller; does nothing if there is none.
    #[doc(alias = "seL4_Send")]
    pub fn send(self, info: MessageInfo) {
        // SAFETY: a system call; it reads the IPC buffer of this thread.
        unsafe { sys::seL4_Send(self.word(), info.into()) }
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
    pub fn reply_recv_with_mrs(
        self,
        info: MessageInfo,
        mrs: [usize; FAST],
        #[cfg(CONFIG_KERNEL_MCS)] reply: Cap<Reply>,
    ) -> (MessageInfo, [usize; FAST], Badge) {
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
                reply.word(),
            )
        };
        (info.into(), [a, b, c, d], badge)
    }
}

impl Cap<Notification> {
    /// Corresponds to `seL4_Signal`. Adds the capability's badge to what is pending, by OR.
    #[doc(alias = "seL4_Signal")]
    pub fn signal(self) {
        // SAFETY: a system call that touches no memory of this program.
        unsafe { sys::seL4_Signal(self.word()) }
    }

    /// Corresponds to `seL4_Wait`. Waits until something is pending, and takes it.
    #[doc(alias = "seL4_Wait")]
    pub fn wait(self) -> Badge {
        let mut badge = 0;
        // SAFETY: a system call; it writes the badge.
        unsafe { sys::seL4_Wait(self.word(), &raw mut badge) };
        badge
    }

    /// Corresponds to `seL4_Poll`. Takes what is pending, 0 if nothing is.
    #[doc(alias = "seL4_Poll")]
    pub fn poll(self) -> Badge {
        let mut badge = 0;
        // SAFETY: a system call; it writes the badge.
        unsafe { sys::seL4_Poll(self.word(), &raw mut badge) };
        badge
    }
}

/// Corresponds to `seL4_Yield`. Lets other threads of the same priority run.
#[doc(alias = "seL4_Yield")]
pub fn yield_now() {
    // SAFETY: a system call that touches no memory of this program.
    unsafe { sys::seL4_Yield() }
}
