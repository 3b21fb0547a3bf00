// SPDX-License-Identifier: BSD-2-Clause

//! Boot information read by libsel4: the kernel's structure, and the pieces of extra information behind it.

use libsel4::BootInfo;
use libsel4::libsel4_sys as sys;

/// Frame of the structure, with room for the extra information.
#[repr(C, align(4096))]
struct Memory {
    frame: [u8; sys::seL4_BootInfoFrameSize],
    extra: [u8; 4096],
}

const STRUCTURE: usize = size_of::<sys::seL4_BootInfo>();

/// Reads boot information made of `data`: two bytes with the length of the pieces, the pieces, and the structure.
pub fn read(data: &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let extra = rest
        .len()
        .min(usize::from(u16::from_le_bytes(*length)) % 4097);
    let (pieces, structure) = rest.split_at(extra);
    let mut memory = Box::new(Memory {
        frame: [0; sys::seL4_BootInfoFrameSize],
        extra: [0; 4096],
    });
    let known = structure.len().min(STRUCTURE);
    memory.frame[..known].copy_from_slice(&structure[..known]);
    memory.extra[..extra].copy_from_slice(pieces);
    let memory = Box::leak(memory);
    let info = (&raw mut *memory).cast::<sys::seL4_BootInfo>();
    // SAFETY: the structure is at the start of the memory, and any bytes are a valid value.
    unsafe { (*info).extraLen = extra };
    // SAFETY: the layout is the kernel's, with as many bytes behind it as it says, until this function returns.
    let boot_info = unsafe { BootInfo::from_ptr(info) };

    let mut bytes = 0;
    for piece in boot_info.extra() {
        assert_ne!(piece.id, sys::SEL4_BOOTINFO_HEADER_PADDING);
        bytes += piece.content.len() + size_of::<sys::seL4_BootInfoHeader>();
    }
    assert!(bytes <= extra);
    let untypeds = boot_info.untypeds().count();
    assert!(untypeds <= boot_info.as_c().untypedList.len());
    assert!(boot_info.device_untypeds().count() <= untypeds);
    for slots in [boot_info.empty(), boot_info.user_image_frames()] {
        let (length, taken) = (slots.len(), slots.take(9).count());
        assert_eq!(taken, length.min(9));
    }
    // These only must not panic. Parsing a device tree is not libsel4's task.
    let _ = (
        boot_info.node_id(),
        boot_info.num_nodes(),
        boot_info.ipc_buffer(),
    );
    // SAFETY: nothing uses the memory any more.
    drop(unsafe { Box::from_raw(memory) });
}
