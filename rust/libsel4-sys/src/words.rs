// SPDX-License-Identifier: BSD-2-Clause

//! Messages of four words, for builds that call C's functions. These do what C's do, and stand in their place; the
//! tests of the pointers are in Rust, where most of them are known, and the words go to C in one array.

#![allow(non_snake_case)]

use core::mem::MaybeUninit;

use crate::{seL4_CPtr, seL4_MessageInfo_t, seL4_Word};

/// A word of a message. C reads no more of them than the message has, so the others may be anything.
type Word = MaybeUninit<seL4_Word>;

unsafe extern "C" {
    fn sel4_sys_call(
        dest: seL4_CPtr,
        info: seL4_MessageInfo_t,
        words: *mut [Word; 4],
    ) -> seL4_MessageInfo_t;

    fn sel4_sys_reply_recv(
        src: seL4_CPtr,
        info: seL4_MessageInfo_t,
        words: *mut [Word; 5],
        #[cfg(CONFIG_KERNEL_MCS)] reply: seL4_CPtr,
    ) -> seL4_MessageInfo_t;
}

/// Reads a word, 0 if there is no place for it.
///
/// # Safety
///
/// `place` is null or can be read.
#[inline]
unsafe fn load(place: *const seL4_Word) -> Word {
    if place.is_null() {
        return Word::new(0);
    }
    // SAFETY: it can be read, and any content is a value of the type.
    unsafe { place.cast::<Word>().read() }
}

/// Writes a word, if there is a place for it.
///
/// # Safety
///
/// `place` is null or can be written.
#[inline]
unsafe fn store(place: *mut seL4_Word, word: Word) {
    if !place.is_null() {
        // SAFETY: it can be written.
        unsafe { place.cast::<Word>().write(word) }
    }
}

/// Calls with the first four message registers in memory: each pointer is that of a register, for both
/// directions, or null.
///
/// # Safety
///
/// Those of `seL4_Call`, and the pointers are null or can be read and written.
#[inline]
pub unsafe extern "C" fn seL4_CallWithMRs(
    dest: seL4_CPtr,
    msgInfo: seL4_MessageInfo_t,
    mr0: *mut seL4_Word,
    mr1: *mut seL4_Word,
    mr2: *mut seL4_Word,
    mr3: *mut seL4_Word,
) -> seL4_MessageInfo_t {
    // SAFETY: each pointer is null or can be read and written, and C writes all words.
    unsafe {
        let mut words = [load(mr0), load(mr1), load(mr2), load(mr3)];
        let info = sel4_sys_call(dest, msgInfo, &raw mut words);
        let [a, b, c, d] = words;
        store(mr0, a);
        store(mr1, b);
        store(mr2, c);
        store(mr3, d);
        info
    }
}

/// Replies and receives with the first four message registers in memory: each pointer is that of a
/// register, for both directions, or null.
///
/// # Safety
///
/// Those of `seL4_ReplyRecv`, and the pointers are null or can be read and written.
#[inline]
#[allow(clippy::too_many_arguments)]
pub unsafe extern "C" fn seL4_ReplyRecvWithMRs(
    src: seL4_CPtr,
    msgInfo: seL4_MessageInfo_t,
    sender: *mut seL4_Word,
    mr0: *mut seL4_Word,
    mr1: *mut seL4_Word,
    mr2: *mut seL4_Word,
    mr3: *mut seL4_Word,
    #[cfg(CONFIG_KERNEL_MCS)] reply: seL4_CPtr,
) -> seL4_MessageInfo_t {
    // SAFETY: each pointer is null or can be read and written, and C writes all words.
    unsafe {
        let badge = Word::uninit();
        let mut words = [load(mr0), load(mr1), load(mr2), load(mr3), badge];
        let info = sel4_sys_reply_recv(
            src,
            msgInfo,
            &raw mut words,
            #[cfg(CONFIG_KERNEL_MCS)]
            reply,
        );
        let [a, b, c, d, badge] = words;
        store(mr0, a);
        store(mr1, b);
        store(mr2, c);
        store(mr3, d);
        store(sender, badge);
        info
    }
}
