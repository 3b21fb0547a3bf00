// SPDX-License-Identifier: BSD-2-Clause

//! Compiles the crate's C.

fn main() {
    cc::Build::new().file("shim.c").compile("shim_in_c");
}
