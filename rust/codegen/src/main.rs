// Copyright 2026, sel4-rust-kit contributors
// SPDX-License-Identifier: BSD-2-Clause

//! The host tool of sel4-rust-kit.

fn main() {}
