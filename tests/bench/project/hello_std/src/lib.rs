// SPDX-License-Identifier: BSD-2-Clause

//! Prints a line.

/// Adds, and prints what comes out.
#[unsafe(no_mangle)]
pub extern "C" fn hello(a: i32, b: i32) {
    println!("Rust Routine: {a} + {b} = {}", a.wrapping_add(b));
}
