// SPDX-License-Identifier: BSD-2-Clause

//! BootInfo is read as the kernel writes it.

use libsel4::libsel4_sys as sys;
use libsel4::{BootInfo, Extra};

use crate::{ROUNDS, Rng, any};

/// Bytes of extra boot info.
const EXTRA: usize = 1024;

/// A frame for BootInfo, with room for what follows it.
#[repr(C, align(4096))]
struct Memory {
    frame: [u8; sys::seL4_BootInfoFrameSize],
    extra: [u8; EXTRA],
}

impl Memory {
    const ZERO: Self = Self {
        frame: [0; sys::seL4_BootInfoFrameSize],
        extra: [0; EXTRA],
    };

    fn write(&mut self) -> &mut sys::seL4_BootInfo {
        // SAFETY: a frame has room for it and is aligned, and any bytes are a value of it.
        unsafe { &mut *(&raw mut self.frame).cast::<sys::seL4_BootInfo>() }
    }

    fn read(&self) -> BootInfo {
        // SAFETY: it is asked only while the memory is borrowed, and its capabilities are not used.
        unsafe { BootInfo::from_ptr((&raw const *self).cast()) }
    }
}

/// Untypeds and slots are those that are described, and slots that are split off are no longer there.
pub fn boot_info(random: &mut Rng) {
    let mut memory = Memory::ZERO;
    for _ in 0..ROUNDS / 50 {
        let info = memory.write();
        let start = random.usize(..1 << 20);
        let count = random.usize(..=info.untypedList.len());
        (info.untyped.start, info.untyped.end) = (start as _, (start + count) as _);
        for described in &mut info.untypedList {
            described.paddr = any(random) as _;
            described.sizeBits = random.u8(..64);
            described.isDevice = random.bool().into();
        }
        let (first, slots) = (random.usize(..1 << 16), random.usize(..1 << 16));
        (info.empty.start, info.empty.end) = (first as _, (first + slots) as _);
        let list = info.untypedList;

        let read = memory.read();
        assert_eq!(read.untypeds().count(), count);
        for (index, (untyped, c)) in read.untypeds().zip(&list).enumerate() {
            assert_eq!(untyped.cap.word(), start + index);
            assert_eq!(untyped.paddr, c.paddr);
            assert_eq!(untyped.size_bits, usize::from(c.sizeBits));
            assert_eq!(untyped.is_device, c.isDevice != 0);
        }
        let devices = list[..count].iter().filter(|c| c.isDevice != 0).count();
        assert_eq!(read.device_untypeds().count(), devices);

        assert_eq!(read.empty().len(), slots);
        // SAFETY: nothing is done with them.
        let mut rest = unsafe { read.empty_slots() };
        // Slot 0 is never given.
        let (first, slots) = (first.max(1), slots - usize::from(first == 0 && slots > 0));
        let wanted = random.usize(..1 << 16);
        let part = rest.split_off(wanted);
        assert_eq!(part.is_some(), wanted <= slots);
        let taken = part.map_or(0, |part| part.len());
        assert_eq!(taken + rest.len(), slots);
        if let Some(slot) = rest.next() {
            assert_eq!(slot.slot().index(), first + taken);
        }
    }
}

/// Pieces of extra boot info come in order and whole, without those that only fill gaps.
pub fn extra_boot_info(random: &mut Rng) {
    const HEADER: usize = size_of::<sys::seL4_BootInfoHeader>();
    const MOST: usize = 16;
    let mut memory = Memory::ZERO;
    for _ in 0..ROUNDS / 50 {
        let mut at = 0;
        let mut pieces = [const { (0, 0..0) }; MOST];
        for piece in &mut pieces {
            let length = HEADER + random.usize(..90);
            if at + length > EXTRA {
                break;
            }
            let id = random.usize(..8);
            memory.extra[at..][..HEADER / 2].copy_from_slice(&id.to_ne_bytes());
            memory.extra[at + HEADER / 2..][..HEADER / 2].copy_from_slice(&length.to_ne_bytes());
            memory.extra[at + HEADER..at + length].fill_with(|| random.u8(..));
            *piece = (id, at + HEADER..at + length);
            at += length;
        }
        memory.write().extraLen = at as _;
        let written = pieces.iter().filter(|(_, range)| range.start != 0);
        let written = written.map(|(id, range)| Extra {
            id: *id,
            content: &memory.extra[range.clone()],
        });
        let told = written.filter(|piece| piece.id != sys::SEL4_BOOTINFO_HEADER_PADDING);
        assert!(memory.read().extra().eq(told));
    }
}
