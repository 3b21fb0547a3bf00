# SPDX-License-Identifier: BSD-2-Clause
#
# What a user may choose of the Rust side of an image.

#[=======================================================================[.md:
ANCHOR: options
| option | default | |
|---|---|---|
| `RUST_BACKTRACE` | `OFF` | where a library has STD, a panic prints a backtrace on the console; `./backtrace` names its functions |
| `RUST_EXPORT_CHECK` | `warn` | what sealing says about [exports without a prototype](what-c-sees.md#exports-without-a-prototype): `warn`, `error`, or `off` |
| `RUST_HEADER_CHECK` | `ON` | whether the C and C++ compilers judge each generated header ([what is checked](what-c-sees.md#what-is-checked)) |
| `RUST_HEAP` | `rlsf` | allocator: `rlsf` (bounded time), `linked-list` (wastes least), `muslc` (C's `malloc`) or `none` |
| `RUST_HEAP_BYTES` | `262144` | bytes of the heap that the Rust libraries of one executable share; ignored with `muslc` |
| `RUST_INLINE` | `AUTO` | whether system calls from Rust are inlined from C: `AUTO` where it can be done, `ON`, or `OFF` for calls of C's functions |
| `RUST_LOG_LEVEL` | `info` | lowest level of the `log` crate that is compiled in: `off`, `error`, `warn`, `info`, `debug`, `trace` |
| `RUST_LOGGER` | `console` | the `log` crate's logger: `console`, or `none` where a crate of the image installs its own |
| `RUST_PANIC` | `abort` | how a thread ends after the message of a panic, where no library has STD: by C's `abort()`, or by a `fault` for its fault handler |
| `RUST_STD_CHECK` | `warn` | what linking an image reports about parts of std that are not implemented on seL4: `warn`, `error`, or `off` for no check at all |
| `RUST_STD_EXECUTABLE` | `OFF` | whether `mprotect` can make pages executable where a library has STD, for compilers in the image |
| `RUST_STD_FAULT` | `stop` | what a fault does that no handler takes, where a library has STD: `stop` the thread, as the kernel reports, or `exit` the program, with a line that names thread and address |
| `RUST_STD_MEMORY` | `4194304` | bytes that `mmap` can hand out where a library has STD: for thread stacks and large blocks |
| `RUST_STD_GROWTH` | `0` | bytes of untyped memory, up to 1 GiB, that large blocks may take in addition |
| `RUST_STD_PANIC` | `unwind` | what a panic does where a library has STD: `unwind`, so that it can be caught, or `abort`, which makes the image smaller |
| `RUST_STD_STACK` | `131072` | stack size, in bytes, of a thread that asks for no other |
| `RUST_STD_THREADS` | `16` | threads that can exist at a time, besides the first, where a library has STD |
| `RUST_TRAP_CRATES` | | crates whose code may enter the kernel by instructions of its own; other crates with such code [are refused](sealing.md) |

[The runtime](runtime.md) says when to take which heap. An executable takes `RUST_HEAP`, `RUST_HEAP_BYTES`, `RUST_LOGGER`,
`RUST_LOG_LEVEL` and `RUST_PANIC` from its target properties of these names, if it has them:
`set_target_properties(child PROPERTIES RUST_PANIC fault)`.
ANCHOR_END: options
#]=======================================================================]

set(RUST_BACKTRACE OFF CACHE BOOL "A panic prints a backtrace, where a library uses Rust's std")
set(RUST_EXPORT_CHECK "warn" CACHE STRING "Exports without a prototype in a generated header: warn, error or off")
set(RUST_HEADER_CHECK ON CACHE BOOL "The project's compilers judge each generated header")
set(RUST_HEAP_BYTES "262144" CACHE STRING "Bytes of the heap that the Rust libraries of one executable share")
set(RUST_HEAP "rlsf" CACHE STRING "Allocator of that heap: rlsf, linked-list, muslc or none")
set(RUST_INLINE "AUTO" CACHE STRING "System calls from Rust are inlined from C: AUTO, ON or OFF")
set(RUST_LOG_LEVEL "info" CACHE STRING "Lowest level of the log crate that is compiled in")
set(RUST_LOGGER "console" CACHE STRING "Logger of the log crate: console, or none where a crate installs its own")
set(RUST_PANIC "abort" CACHE STRING "How a thread ends that panicked, without Rust's std: abort or fault")
set(RUST_STD_CHECK "warn" CACHE STRING "Parts of Rust's std that are not implemented on seL4: warn, error or off")
set(RUST_STD_EXECUTABLE OFF CACHE BOOL "Rust's std can make pages executable")
set(RUST_STD_FAULT "stop" CACHE STRING "A fault that no handler takes, where Rust's std is: stop or exit")
set(RUST_STD_MEMORY "4194304" CACHE STRING "Bytes for thread stacks and large blocks of Rust's std")
set(RUST_STD_GROWTH "0" CACHE STRING "Bytes of untyped memory that large blocks of Rust's std may take")
set(RUST_STD_PANIC "unwind" CACHE STRING "What a panic does in an executable with Rust's std: unwind or abort")
set(RUST_STD_STACK "131072" CACHE STRING "Bytes of stack of a thread of Rust's std that asks for no other size")
set(RUST_STD_THREADS "16" CACHE STRING "Threads of Rust's std that can exist at a time, besides the first")
set(RUST_TRAP_CRATES "" CACHE STRING "Crates that may enter the kernel by instructions of their own")
set_property(CACHE RUST_EXPORT_CHECK PROPERTY STRINGS warn error off)
set_property(
    CACHE RUST_HEAP
    PROPERTY STRINGS rlsf linked-list muslc none
)
set_property(CACHE RUST_INLINE PROPERTY STRINGS AUTO ON OFF)
set_property(CACHE RUST_STD_CHECK PROPERTY STRINGS warn error off)
set_property(
    CACHE RUST_LOG_LEVEL
    PROPERTY STRINGS off error warn info debug trace
)
set_property(CACHE RUST_LOGGER PROPERTY STRINGS console none)
set_property(CACHE RUST_PANIC PROPERTY STRINGS abort fault)
set_property(CACHE RUST_STD_FAULT PROPERTY STRINGS stop exit)
set_property(CACHE RUST_STD_PANIC PROPERTY STRINGS unwind abort)
