// SPDX-License-Identifier: BSD-2-Clause

//! The program itself, as Linux has loaded it.

use std::ffi::{c_int, c_void};

use libc::{PF_W, PT_GNU_RELRO, PT_LOAD, dl_phdr_info};
use sel4_hosted_kernel::Region;

const PAGE: usize = 4096;

/// More pages than this are no frames: the root CNode has no slots for them.
const MOST_PAGES: usize = 4096;

/// Where the program is.
pub struct Own {
    /// All addresses from its first to its last, in whole pages.
    pub vaddrs: Region,
    /// What is there of these, in whole pages.
    pub segments: Vec<Region>,
    /// What can be written there, in whole pages.
    pub writable: Vec<Region>,
}

impl Own {
    /// Finds it; nothing if it has no variables, or is too large.
    pub fn find() -> Option<Self> {
        let mut segments = Vec::new();
        // SAFETY: the function below takes what it is given.
        unsafe { libc::dl_iterate_phdr(Some(first), (&raw mut segments).cast()) };
        let of_kind = |kind| move |segment: &&Segment| segment.kind == kind;
        let loaded = || segments.iter().filter(of_kind(PT_LOAD));
        let vaddrs = Region {
            start: loaded().map(|segment| segment.vaddrs.start).min()?,
            end: loaded().map(|segment| segment.vaddrs.end).max()?,
        };
        // What the loader has filled in, and nobody changes then, comes first.
        let constant = segments.iter().find(of_kind(PT_GNU_RELRO));
        let constant_end = constant.map_or(0, |constant| constant.vaddrs.end);
        let writable: Vec<Region> = loaded()
            .filter(|segment| segment.can_be_written)
            .map(|segment| Region {
                start: segment.vaddrs.start.max(constant_end),
                end: segment.vaddrs.end,
            })
            .filter(|region| region.start < region.end)
            .collect();
        let fits = (vaddrs.end - vaddrs.start) / PAGE <= MOST_PAGES;
        (fits && !writable.is_empty()).then(|| Self {
            vaddrs,
            segments: loaded().map(|segment| segment.vaddrs).collect(),
            writable,
        })
    }
}

struct Segment {
    kind: u32,
    can_be_written: bool,
    vaddrs: Region,
}

/// Takes the segments of the first object, which is the program.
unsafe extern "C" fn first(info: *mut dl_phdr_info, _: usize, segments: *mut c_void) -> c_int {
    // SAFETY: C's library gives them so, and `find` the vector.
    let (base, headers, segments) = unsafe {
        let info = &*info;
        let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
        (
            info.dlpi_addr as usize,
            headers,
            &mut *segments.cast::<Vec<Segment>>(),
        )
    };
    for header in headers {
        let start = base + header.p_vaddr as usize;
        let end = start + header.p_memsz as usize;
        // What the loader protects ends where a page does, and begins where it may.
        let end = if header.p_type == PT_GNU_RELRO {
            end & !(PAGE - 1)
        } else {
            end.next_multiple_of(PAGE)
        };
        segments.push(Segment {
            kind: header.p_type,
            can_be_written: header.p_flags & PF_W != 0,
            vaddrs: Region {
                start: start & !(PAGE - 1),
                end,
            },
        });
    }
    1
}
