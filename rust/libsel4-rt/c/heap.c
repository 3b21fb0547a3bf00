/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The region of Rust's heap. Its size is the executable's, so it is no part of the archive, which executables share.
 * SEL4_RUST_HEAP_BYTES is RUST_HEAP_BYTES.
 */
#include "runtime.h"

/* Granularity of the allocators, and alignment of the region. */
#define GRAIN 64

__attribute__((aligned(GRAIN))) unsigned char sel4_rust_heap_region[(SEL4_RUST_HEAP_BYTES + GRAIN - 1) / GRAIN * GRAIN];

const size_t sel4_rust_heap_bytes = sizeof(sel4_rust_heap_region);
