// SPDX-License-Identifier: BSD-2-Clause

//! Calls seL4's user libraries, by the bindings that the build makes of their headers.

#![no_std]

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::{NonNull, without_provenance_mut};

use libsel4_sys::{seL4_CPtr, seL4_CapRights_new, seL4_MessageInfo_new, seL4_NBSend};

#[allow(
    nonstandard_style,
    unused,
    clippy::all,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks
)]
mod c {
    include!(env!("USER_LIBRARIES_BINDINGS"));
}

/// `VSPACE_FREE`, a macro with a cast.
const FREE: usize = 0xffff_ffff;

/// Allocates, uses and frees an endpoint and a page. Returns the number of the step that failed, or 0.
///
/// # Safety
///
/// The pointers are those of a `vka_t`, a `vspace_t` and a `simple_t` that C has set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libraries_work(
    vka: *mut c_void,
    vspace: *mut c_void,
    simple: *mut c_void,
) -> c_int {
    let (vka, vspace, simple) = (
        vka.cast::<c::vka_t>(),
        vspace.cast::<c::vspace_t>(),
        simple.cast::<c::simple_t>(),
    );
    // SAFETY: the objects are C's own, by the contract of this function; what is allocated here is used while it lives.
    unsafe {
        let mut endpoint = MaybeUninit::<c::vka_object_t>::uninit();
        if c::vka_alloc_endpoint(vka, endpoint.as_mut_ptr()) != 0 {
            return 1;
        }
        let mut endpoint = endpoint.assume_init();
        // One type in both crates. Nobody waits, and the message is lost.
        let cap: seL4_CPtr = endpoint.cptr;
        seL4_NBSend(cap, seL4_MessageInfo_new(0, 0, 0, 0));
        c::vka_free_object(vka, &mut endpoint);

        // A structure of libsel4 by value.
        let rights = seL4_CapRights_new(0, 0, 1, 1);
        let bits = libsel4_sys::seL4_PageBits;
        let page = c::vspace_new_pages(vspace, rights, 1, bits);
        let Some(start) = NonNull::new(page.cast::<u64>()) else {
            return 2;
        };
        start.write_volatile(42);
        let read = start.read_volatile();
        let cap = c::vspace_get_cap(vspace, page);
        c::vspace_unmap_pages(vspace, page, 1, bits, without_provenance_mut(FREE));
        if read != 42 || cap == 0 {
            return 3;
        }
        // Inline, by a function pointer of the structure.
        if c::simple_get_cnode(simple) != libsel4_sys::seL4_CapInitThreadCNode {
            return 4;
        }
    }
    // The configuration of sel4utils.
    if cfg!(CONFIG_SEL4UTILS_STACK_SIZE = "65536") && c::CONFIG_SEL4UTILS_STACK_SIZE == 65536 {
        0
    } else {
        5
    }
}
