// Copyright 2026, sel4-rust-kit contributors
// SPDX-License-Identifier: BSD-2-Clause

//! What a Rust library inside a C image needs.
#![no_std]
