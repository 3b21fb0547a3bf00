// SPDX-License-Identifier: BSD-2-Clause

fn main() {
    libsel4_cfg::emit();
}
