// SPDX-License-Identifier: BSD-2-Clause

//! Replacement for std's search for the names of frames in release images, since that needs the program's file.
//! `sel4-rust seal` redirects std's calls to it.

/// Does nothing: no frame gets a name. The value is that of a writer's success.
#[unsafe(no_mangle)]
extern "C" fn sel4_rust_symbolizes_nothing() -> usize {
    0
}
