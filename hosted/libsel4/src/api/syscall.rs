// SPDX-License-Identifier: BSD-2-Clause

//! System calls for messages and signals.
//!
//! Each exchanges the first four message registers with the IPC buffer, or with the caller's variables in the
//! `WithMRs` variants.

use super::*;
use crate::host::{Registers, trap};

/// Location of message registers 0 to 3.
#[derive(Clone, Copy)]
enum Words {
    Buffer,
    /// The caller's variables. Each pointer is null, or can be read and written.
    At([*mut seL4_Word; 4]),
}

impl Words {
    /// # Safety
    ///
    /// The location can be read and written.
    #[inline(always)]
    unsafe fn load(self, length: usize) -> [seL4_Word; 4] {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Self::Buffer => (&raw const (*seL4_GetIPCBuffer()).msg)
                    .cast::<[seL4_Word; 4]>()
                    .read(),
                Self::At(words) => {
                    let mut mrs = [0; 4];
                    for (index, word) in words.into_iter().enumerate().take(length) {
                        if !word.is_null() {
                            mrs[index] = *word;
                        }
                    }
                    mrs
                }
            }
        }
    }

    /// # Safety
    ///
    /// The location can be read and written.
    #[inline(always)]
    unsafe fn store(self, mrs: [seL4_Word; 4]) {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Self::Buffer => (&raw mut (*seL4_GetIPCBuffer()).msg)
                    .cast::<[seL4_Word; 4]>()
                    .write(mrs),
                Self::At(words) => {
                    for (word, mr) in words.into_iter().zip(mrs) {
                        if !word.is_null() {
                            *word = mr;
                        }
                    }
                }
            }
        }
    }
}

/// Makes a system call that sends and receives nothing.
#[inline(always)]
unsafe fn send(number: seL4_Syscall_ID, cap: seL4_CPtr, info: seL4_MessageInfo_t, words: Words) {
    // SAFETY: the caller's location is valid.
    unsafe {
        let mrs = words.load(4);
        trap(
            number,
            Registers {
                cap,
                info: info.words[0] as usize,
                mrs,
                ..Default::default()
            },
        );
    }
}

/// Makes a system call that receives, after it has sent `sends`.
#[inline(always)]
unsafe fn receive(
    number: seL4_Syscall_ID,
    cap: seL4_CPtr,
    dest: seL4_CPtr,
    sends: Option<seL4_MessageInfo_t>,
    sender: *mut seL4_Word,
    reply: seL4_CPtr,
    words: Words,
) -> seL4_MessageInfo_t {
    // SAFETY: the caller's location is valid, and `sender` is null or can be written to.
    unsafe {
        let (info, mrs) = match sends {
            Some(info) => (
                info.words[0] as usize,
                words.load(info.words[0] as usize & 0x7f),
            ),
            None => (0, [0; 4]),
        };
        let answer = trap(
            number,
            Registers {
                cap,
                info,
                mrs,
                reply,
                dest,
            },
        );
        words.store(answer.mrs);
        if !sender.is_null() {
            *sender = answer.cap;
        }
        seL4_MessageInfo {
            words: [answer.info as seL4_Uint64],
        }
    }
}

/// Defines functions of libsel4. All are `unsafe`: the caller must have an IPC buffer, and its pointers must be
/// null or valid.
macro_rules! functions {
    ($(fn $name:ident($($parameter:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($parameter: $type),*) $(-> $result)? {
            // SAFETY: as the caller promises.
            unsafe { $body }
        }
    )*};
}

type MRs = *mut seL4_Word;

const NONE: *mut seL4_Word = core::ptr::null_mut();

functions! {
    fn seL4_Send(dest: seL4_CPtr, info: seL4_MessageInfo_t) {
        send(seL4_SysSend, dest, info, Words::Buffer)
    }
    fn seL4_SendWithMRs(dest: seL4_CPtr, info: seL4_MessageInfo_t, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) {
        send(seL4_SysSend, dest, info, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_NBSend(dest: seL4_CPtr, info: seL4_MessageInfo_t) {
        send(seL4_SysNBSend, dest, info, Words::Buffer)
    }
    fn seL4_NBSendWithMRs(dest: seL4_CPtr, info: seL4_MessageInfo_t, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) {
        send(seL4_SysNBSend, dest, info, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_Call(dest: seL4_CPtr, info: seL4_MessageInfo_t) -> seL4_MessageInfo_t {
        let mrs = Words::Buffer.load(4);
        let answer = trap(seL4_SysCall, Registers { cap: dest, info: info.words[0] as usize, mrs, ..Default::default() });
        Words::Buffer.store(answer.mrs);
        seL4_MessageInfo { words: [answer.info as seL4_Uint64] }
    }
    fn seL4_CallWithMRs(dest: seL4_CPtr, info: seL4_MessageInfo_t, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) -> seL4_MessageInfo_t {
        receive(seL4_SysCall, dest, 0, Some(info), NONE, 0, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_Signal(dest: seL4_CPtr) {
        let info = seL4_MessageInfo_new(0, 0, 0, 1).words[0] as usize;
        trap(seL4_SysSend, Registers { cap: dest, info, ..Default::default() });
    }
    fn seL4_Yield() {
        trap(seL4_SysYield, Registers::default());
    }
}

#[cfg(not(feature = "mcs"))]
functions! {
    fn seL4_Reply(info: seL4_MessageInfo_t) {
        send(seL4_SysReply, 0, info, Words::Buffer)
    }
    fn seL4_ReplyWithMRs(info: seL4_MessageInfo_t, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) {
        send(seL4_SysReply, 0, info, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_Recv(src: seL4_CPtr, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        receive(seL4_SysRecv, src, 0, None, sender, 0, Words::Buffer)
    }
    fn seL4_RecvWithMRs(src: seL4_CPtr, sender: *mut seL4_Word, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) -> seL4_MessageInfo_t {
        receive(seL4_SysRecv, src, 0, None, sender, 0, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_NBRecv(src: seL4_CPtr, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        receive(seL4_SysNBRecv, src, 0, None, sender, 0, Words::Buffer)
    }
    fn seL4_ReplyRecv(src: seL4_CPtr, info: seL4_MessageInfo_t, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        receive(seL4_SysReplyRecv, src, 0, Some(info), sender, 0, Words::Buffer)
    }
    fn seL4_ReplyRecvWithMRs(src: seL4_CPtr, info: seL4_MessageInfo_t, sender: *mut seL4_Word, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) -> seL4_MessageInfo_t {
        receive(seL4_SysReplyRecv, src, 0, Some(info), sender, 0, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_Wait(src: seL4_CPtr, sender: *mut seL4_Word) {
        seL4_Recv(src, sender);
    }
    fn seL4_Poll(src: seL4_CPtr, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        seL4_NBRecv(src, sender)
    }
}

#[cfg(feature = "mcs")]
functions! {
    fn seL4_Recv(src: seL4_CPtr, sender: *mut seL4_Word, reply: seL4_CPtr) -> seL4_MessageInfo_t {
        receive(seL4_SysRecv, src, 0, None, sender, reply, Words::Buffer)
    }
    fn seL4_RecvWithMRs(src: seL4_CPtr, sender: *mut seL4_Word, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs, reply: seL4_CPtr) -> seL4_MessageInfo_t {
        receive(seL4_SysRecv, src, 0, None, sender, reply, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_NBRecv(src: seL4_CPtr, sender: *mut seL4_Word, reply: seL4_CPtr) -> seL4_MessageInfo_t {
        receive(seL4_SysNBRecv, src, 0, None, sender, reply, Words::Buffer)
    }
    fn seL4_ReplyRecv(src: seL4_CPtr, info: seL4_MessageInfo_t, sender: *mut seL4_Word, reply: seL4_CPtr) -> seL4_MessageInfo_t {
        receive(seL4_SysReplyRecv, src, 0, Some(info), sender, reply, Words::Buffer)
    }
    fn seL4_ReplyRecvWithMRs(src: seL4_CPtr, info: seL4_MessageInfo_t, sender: *mut seL4_Word, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs, reply: seL4_CPtr) -> seL4_MessageInfo_t {
        receive(seL4_SysReplyRecv, src, 0, Some(info), sender, reply, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_NBSendRecv(dest: seL4_CPtr, info: seL4_MessageInfo_t, src: seL4_CPtr, sender: *mut seL4_Word, reply: seL4_CPtr) -> seL4_MessageInfo_t {
        receive(seL4_SysNBSendRecv, src, dest, Some(info), sender, reply, Words::Buffer)
    }
    fn seL4_NBSendRecvWithMRs(dest: seL4_CPtr, info: seL4_MessageInfo_t, src: seL4_CPtr, sender: *mut seL4_Word, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs, reply: seL4_CPtr) -> seL4_MessageInfo_t {
        receive(seL4_SysNBSendRecv, src, dest, Some(info), sender, reply, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_NBSendWait(dest: seL4_CPtr, info: seL4_MessageInfo_t, src: seL4_CPtr, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        receive(seL4_SysNBSendWait, src, 0, Some(info), sender, dest, Words::Buffer)
    }
    fn seL4_NBSendWaitWithMRs(dest: seL4_CPtr, info: seL4_MessageInfo_t, src: seL4_CPtr, sender: *mut seL4_Word, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) -> seL4_MessageInfo_t {
        receive(seL4_SysNBSendWait, src, 0, Some(info), sender, dest, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_Wait(src: seL4_CPtr, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        receive(seL4_SysWait, src, 0, None, sender, 0, Words::Buffer)
    }
    fn seL4_WaitWithMRs(src: seL4_CPtr, sender: *mut seL4_Word, mr0: MRs, mr1: MRs, mr2: MRs, mr3: MRs) -> seL4_MessageInfo_t {
        receive(seL4_SysWait, src, 0, None, sender, 0, Words::At([mr0, mr1, mr2, mr3]))
    }
    fn seL4_NBWait(src: seL4_CPtr, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        receive(seL4_SysNBWait, src, 0, None, sender, 0, Words::Buffer)
    }
    fn seL4_Poll(src: seL4_CPtr, sender: *mut seL4_Word) -> seL4_MessageInfo_t {
        seL4_NBWait(src, sender)
    }
    fn seL4_SchedControl_Configure(service: seL4_SchedControl, schedcontext: seL4_SchedContext, budget: seL4_Time, period: seL4_Time, extra_refills: seL4_Word, badge: seL4_Word) -> seL4_Error {
        seL4_SchedControl_ConfigureFlags(service, schedcontext, budget, period, extra_refills, badge, seL4_SchedContext_NoFlag)
    }
}

#[cfg(feature = "mcs")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn seL4_MaxExtraRefills(size: seL4_Word) -> seL4_Word {
    ((1 << size) - seL4_CoreSchedContextBytes) / seL4_RefillSizeBytes
}
