// Copyright 2026, sel4-rust-kit contributors
// SPDX-License-Identifier: BSD-2-Clause

//! What the heap costs.

fn main() {}
