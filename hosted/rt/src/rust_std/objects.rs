// SPDX-License-Identifier: BSD-2-Clause

//! Kernel objects for threads: from a reservation that is made before `main`, as on a kernel. It takes slots and
//! one half of an untyped; what the boot information shows afterwards is free, all of it.

use std::ops::Range;
use std::sync::Mutex;

use sel4_hosted_libsel4::api::*;

use super::hooks;
use super::threads::THREADS;

/// Objects of a kind that are not used yet. Each is made when it is wanted.
struct Stock {
    kind: seL4_Word,
    size_bits: seL4_Word,
    /// Of what they are made.
    untyped: seL4_CPtr,
    /// Where they go.
    slots: Range<seL4_CPtr>,
}

/// The frames of IPC buffers.
#[cfg(target_arch = "x86_64")]
pub(super) const FRAME: seL4_Word = seL4_X86_4K as seL4_Word;
#[cfg(target_arch = "aarch64")]
pub(super) const FRAME: seL4_Word = seL4_ARM_SmallPageObject as seL4_Word;

static STOCKS: Mutex<Vec<Stock>> = Mutex::new(Vec::new());

/// Slots for capabilities of other kinds.
static SLOTS: Mutex<Range<seL4_CPtr>> = Mutex::new(0..0);

fn retype(untyped: seL4_CPtr, kind: seL4_Word, size_bits: seL4_Word, slot: seL4_CPtr) -> bool {
    let root = seL4_CapInitThreadCNode as seL4_CPtr;
    // SAFETY: it makes objects, of memory that nobody has.
    let error = unsafe { seL4_Untyped_Retype(untyped, kind, size_bits, root, 0, 0, slot, 1) };
    error == seL4_NoError
}

fn move_capability(from: seL4_CPtr, to: seL4_CPtr) -> bool {
    let (root, depth) = (seL4_CapInitThreadCNode as seL4_CPtr, seL4_WordBits as u8);
    // SAFETY: nobody has used the capability yet.
    unsafe { seL4_CNode_Move(root, to, depth, root, from, depth) == seL4_NoError }
}

/// Takes so many slots. They come before those of the untypeds, which move up: what reads the boot information
/// afterwards finds them in a row with the empty slots behind, as the kernel makes it.
fn take_slots(info: &mut seL4_BootInfo, count: usize) -> Option<Range<seL4_CPtr>> {
    let first = info.untyped.start;
    let room = info.empty.end - info.empty.start;
    if info.untyped.end != info.empty.start || room < count {
        return None;
    }
    for slot in (first..info.untyped.end).rev() {
        move_capability(slot, slot + count).then_some(())?;
    }
    info.untyped.start += count;
    info.untyped.end += count;
    info.empty.start += count;
    Some(first..first + count)
}

/// Takes one half of the smallest untyped that has more than 2^`bits` bytes; the other half takes the place of
/// the whole. They are children of the whole, which comes into one of the slots.
fn take_untyped(
    info: &mut seL4_BootInfo,
    bits: u8,
    slots: &mut Range<seL4_CPtr>,
) -> Option<seL4_CPtr> {
    let count = info.untyped.end - info.untyped.start;
    let (index, split) = info.untypedList[..count]
        .iter_mut()
        .enumerate()
        .filter(|(_, untyped)| untyped.isDevice == 0 && untyped.sizeBits > bits)
        .min_by_key(|(_, untyped)| untyped.sizeBits)?;
    let place = info.untyped.start + index;
    let (whole, half) = (slots.next()?, slots.next()?);
    split.sizeBits -= 1;
    split.paddr += 1 << split.sizeBits;
    let (kind, size_bits) = (seL4_UntypedObject as seL4_Word, split.sizeBits.into());
    let made = move_capability(place, whole)
        && retype(whole, kind, size_bits, half)
        && retype(whole, kind, size_bits, place);
    made.then_some(half)
}

/// Makes the reservation. Without it std works in one thread, and a second one is refused.
pub(super) fn reserve() {
    // SAFETY: no other thread runs yet, and the program has not looked.
    let info = unsafe { &mut *sel4_hosted::boot_info() };
    let mut kinds = vec![(FRAME, seL4_PageBits, THREADS - 1)];
    if !hooks::gives_objects() {
        kinds.push((seL4_TCBObject as seL4_Word, seL4_TCBBits, THREADS - 1));
        #[cfg(feature = "mcs")]
        kinds.push((
            seL4_SchedContextObject as seL4_Word,
            seL4_MinSchedContextBits,
            THREADS - 1,
        ));
        let notification = seL4_NotificationObject as seL4_Word;
        kinds.push((notification, seL4_NotificationBits, THREADS));
    }
    let objects: usize = kinds.iter().map(|(.., count)| count).sum();
    // Each kind has an untyped of its own, so that nothing is lost to alignment.
    let bits_for = |bits: u32, count: usize| (count << bits).next_power_of_two().trailing_zeros();
    let bytes: usize = kinds
        .iter()
        .map(|(_, bits, count)| 1 << bits_for(*bits as u32, *count))
        .sum();
    let bits = bytes.next_power_of_two().trailing_zeros() as u8;
    let Some(mut slots) = take_slots(info, 2 + kinds.len() + objects + THREADS) else {
        return;
    };
    let Some(untyped) = take_untyped(info, bits, &mut slots) else {
        return;
    };
    // The largest first, as above.
    kinds.sort_by_key(|(_, bits, count)| std::cmp::Reverse(bits_for(*bits as u32, *count)));
    let mut stocks = lock(&STOCKS);
    for (kind, size_bits, count) in kinds {
        let part = slots.start;
        let part_bits = bits_for(size_bits as u32, count) as seL4_Word;
        if !retype(untyped, seL4_UntypedObject as seL4_Word, part_bits, part) {
            return;
        }
        stocks.push(Stock {
            kind,
            size_bits: size_bits as seL4_Word,
            untyped: part,
            slots: part + 1..part + 1 + count,
        });
        slots.start = part + 1 + count;
    }
    *lock(&SLOTS) = slots;
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
    let slot = stock.slots.next()?;
    retype(stock.untyped, kind, stock.size_bits, slot).then_some(slot)
}

/// A slot with nothing in it yet.
pub(super) fn new_slot() -> Option<seL4_CPtr> {
    lock(&SLOTS).next()
}
