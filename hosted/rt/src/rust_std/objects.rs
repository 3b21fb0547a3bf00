// SPDX-License-Identifier: BSD-2-Clause

//! Kernel objects for threads: from a reservation that is made before `main`, as on a kernel. It takes one
//! half of an untyped; what the boot information shows afterwards is free, all of it.

use std::sync::Mutex;

use sel4_hosted_libsel4::api::*;

use super::hooks;
use super::threads::THREADS;

/// Objects of a kind that are not used yet.
struct Stock {
    kind: seL4_Word,
    size_bits: seL4_Word,
    count: usize,
    first: seL4_CPtr,
}

/// The frames of IPC buffers.
#[cfg(target_arch = "x86_64")]
pub(super) const FRAME: seL4_Word = seL4_X86_4K as seL4_Word;
#[cfg(target_arch = "aarch64")]
pub(super) const FRAME: seL4_Word = seL4_ARM_SmallPageObject as seL4_Word;

static STOCKS: Mutex<Vec<Stock>> = Mutex::new(Vec::new());

/// Slots that are to be filled, one for the timer of each thread.
static SLOTS: Mutex<std::ops::Range<seL4_CPtr>> = Mutex::new(0..0);

fn retype(
    untyped: seL4_CPtr,
    kind: seL4_Word,
    size_bits: seL4_Word,
    slot: seL4_CPtr,
    count: usize,
) -> bool {
    let root = seL4_CapInitThreadCNode as seL4_CPtr;
    // SAFETY: it makes objects, of memory that nobody has.
    let error = unsafe { seL4_Untyped_Retype(untyped, kind, size_bits, root, 0, 0, slot, count) };
    error == seL4_NoError
}

/// An untyped of 2^`bits` bytes or more that the boot information does not show any more: one half of the
/// smallest that is larger. The other half takes the place of the whole.
fn take_untyped(info: &mut seL4_BootInfo, bits: u8) -> Option<seL4_CPtr> {
    let count = info.untyped.end - info.untyped.start;
    let (index, split) = info.untypedList[..count]
        .iter_mut()
        .enumerate()
        .filter(|(_, untyped)| untyped.isDevice == 0 && untyped.sizeBits > bits)
        .min_by_key(|(_, untyped)| untyped.sizeBits)?;
    let place = info.untyped.start + index;
    let whole = info.empty.start;
    let half = whole + 1;
    info.empty.start += 2;
    split.sizeBits -= 1;
    split.paddr += 1 << split.sizeBits;
    let (kind, root) = (
        seL4_UntypedObject as seL4_Word,
        seL4_CapInitThreadCNode as seL4_CPtr,
    );
    let depth = seL4_WordBits as u8;
    // SAFETY: nobody has used the capability yet.
    let moved = unsafe { seL4_CNode_Move(root, whole, depth, root, place, depth) };
    let size_bits = split.sizeBits.into();
    let made = moved == seL4_NoError
        && retype(whole, kind, size_bits, half, 1)
        && retype(whole, kind, size_bits, place, 1);
    made.then_some(half)
}

/// Makes the reservation. Without it std works in one thread, and a second one is refused.
pub(super) fn reserve() {
    // SAFETY: no other thread runs yet, and the program has not looked.
    let info = unsafe { &mut *sel4_hosted::boot_info() };
    let stock = |kind, size_bits, count| Stock {
        kind,
        size_bits,
        count,
        first: 0,
    };
    // The largest first, so that nothing is lost to alignment.
    let mut stocks = vec![stock(FRAME, seL4_PageBits as seL4_Word, THREADS - 1)];
    if !hooks::gives_objects() {
        let (tcb, tcb_bits) = (seL4_TCBObject as seL4_Word, seL4_TCBBits as seL4_Word);
        stocks.push(stock(tcb, tcb_bits, THREADS - 1));
        #[cfg(feature = "mcs")]
        stocks.push(stock(
            seL4_SchedContextObject as seL4_Word,
            seL4_MinSchedContextBits as seL4_Word,
            THREADS - 1,
        ));
        let (notification, bits) = (seL4_NotificationObject as seL4_Word, seL4_NotificationBits);
        stocks.push(stock(notification, bits as seL4_Word, THREADS));
    }
    let bytes: usize = stocks
        .iter()
        .map(|stock| stock.count << stock.size_bits)
        .sum();
    let slots: usize = stocks.iter().map(|stock| stock.count).sum();
    let bits = bytes.next_power_of_two().trailing_zeros() as u8;
    if info.empty.end - info.empty.start < slots + THREADS + 2 {
        return;
    }
    let Some(untyped) = take_untyped(info, bits) else {
        return;
    };
    for stock in &mut stocks {
        let slot = info.empty.start;
        if !retype(untyped, stock.kind, stock.size_bits, slot, stock.count) {
            return;
        }
        stock.first = slot;
        info.empty.start += stock.count;
    }
    *lock(&STOCKS) = stocks;
    *lock(&SLOTS) = info.empty.start..info.empty.start + THREADS;
    info.empty.start += THREADS;
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A new object of this kind, or none.
pub(super) fn new(kind: seL4_Word, size_bits: seL4_Word) -> Option<seL4_CPtr> {
    if kind != FRAME && hooks::gives_objects() {
        let object = hooks::new_object(kind, size_bits);
        return (object != seL4_CapNull as seL4_CPtr).then_some(object);
    }
    let mut stocks = lock(&STOCKS);
    let stock = stocks.iter_mut().find(|stock| stock.kind == kind)?;
    stock.count = stock.count.checked_sub(1)?;
    stock.first += 1;
    Some(stock.first - 1)
}

/// A slot with nothing in it yet.
pub(super) fn new_slot() -> Option<seL4_CPtr> {
    lock(&SLOTS).next()
}
