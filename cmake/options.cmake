# SPDX-License-Identifier: BSD-2-Clause
#
# What a user may choose of the Rust side of an image.

set(RUST_HEAP_BYTES "262144" CACHE STRING "Bytes of the heap that the Rust libraries of one executable share")
set(RUST_HEAP "linked-list" CACHE STRING "Allocator of that heap: linked-list, rlsf (bounded time) or muslc")
set(RUST_LOG_LEVEL "info" CACHE STRING "Lowest level of the log crate that is compiled in")
set_property(CACHE RUST_HEAP PROPERTY STRINGS linked-list rlsf muslc)
set_property(CACHE RUST_LOG_LEVEL PROPERTY STRINGS off error warn info debug trace)
