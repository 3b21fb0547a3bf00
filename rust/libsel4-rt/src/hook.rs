// SPDX-License-Identifier: BSD-2-Clause

//! Names the instance of a CAmkES component before std's message of a panic. A hook that the program sets takes the place of
//! both.

extern crate std;

use std::boxed::Box;
use std::{eprintln, panic};

use crate::c;

/// Installs the hook; C's start code calls it before `main`, after muslc's heap is there.
///
/// Nothing writes this variable: `mut` puts it into a writable section, where C's constructors are.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".init_array.00210")]
static mut sel4_rust_hook: extern "C" fn() = install;

/// Puts the hook before std's own.
extern "C" fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        eprintln!(
            "{}: Rust panicked, and std says:",
            c::instance_name().to_string_lossy()
        );
        before(info);
    }));
}
