// SPDX-License-Identifier: BSD-2-Clause

//! The executable of this process, as Linux has loaded it.

use std::ffi::{c_int, c_void};

use libc::{PF_W, PT_GNU_RELRO, PT_LOAD, dl_phdr_info};
use sel4_hosted_kernel::Region;

const PAGE: usize = 4096;

/// Largest executable whose pages become frames; the root CNode has no slots for more.
const MOST_PAGES: usize = 4096;

/// Addresses of the executable.
pub struct Executable {
    /// Range from the first to the last address, in whole pages.
    pub vaddrs: Region,
    /// Loaded segments, in whole pages.
    pub segments: Vec<Region>,
    /// Writable parts of these segments, in whole pages.
    pub writable: Vec<Region>,
}

impl Executable {
    /// Finds the executable. Returns `None` if it has no variables or is too large.
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
        // The part that the loader relocates and then makes read-only (RELRO) comes first.
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

/// Collects the segments of the first object, which is the executable, and ends the iteration.
unsafe extern "C" fn first(info: *mut dl_phdr_info, _: usize, segments: *mut c_void) -> c_int {
    // SAFETY: the C library passes the first two, and `find` passes the vector.
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
        // The loader protects whole pages only, so RELRO ends at a page boundary below its end.
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
