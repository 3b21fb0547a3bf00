// SPDX-License-Identifier: BSD-2-Clause

//! Makes the configurations of the kernel and of the user libraries `cfg`s.

fn main() {
    libsel4_cfg::emit();
}
