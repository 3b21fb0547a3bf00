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
`set_target_properties(child PROPERTIES RUST_PANIC fault)`. Executables that differ in another than `RUST_HEAP_BYTES` are
compiled separately.
ANCHOR_END: options
#]=======================================================================]

# Adds the option `name`. `values` is BOOL, or the values that it can have, or empty.
function(_sel4_rust_add_option name default about values)
    if(values STREQUAL "BOOL")
        set(${name} "${default}" CACHE BOOL "${about}")
    else()
        set(${name} "${default}" CACHE STRING "${about}")
        set_property(CACHE ${name} PROPERTY STRINGS "${values}")
    endif()
endfunction()

_sel4_rust_add_option(RUST_BACKTRACE OFF "A panic prints a backtrace, where a library uses Rust's std" BOOL)
_sel4_rust_add_option(RUST_EXPORT_CHECK warn "Exports without a prototype in a generated header" "warn;error;off")
_sel4_rust_add_option(RUST_HEADER_CHECK ON "The project's compilers judge each generated header" BOOL)
_sel4_rust_add_option(RUST_HEAP_BYTES 262144 "Bytes of the heap that the Rust libraries of one executable share" "")
_sel4_rust_add_option(RUST_HEAP rlsf "Allocator of that heap" "rlsf;linked-list;muslc;none")
_sel4_rust_add_option(RUST_INLINE AUTO "System calls from Rust are inlined from C" "AUTO;ON;OFF")
_sel4_rust_add_option(RUST_LOG_LEVEL info "Lowest level that is compiled in" "off;error;warn;info;debug;trace")
_sel4_rust_add_option(RUST_LOGGER console "Logger of the log crate, or none where a crate has its own" "console;none")
_sel4_rust_add_option(RUST_PANIC abort "How a thread ends that panicked, without Rust's std" "abort;fault")
_sel4_rust_add_option(RUST_STD_CHECK warn "Parts of Rust's std that are not implemented on seL4" "warn;error;off")
_sel4_rust_add_option(RUST_STD_EXECUTABLE OFF "Rust's std can make pages executable" BOOL)
_sel4_rust_add_option(RUST_STD_FAULT stop "A fault that no handler takes, where Rust's std is" "stop;exit")
_sel4_rust_add_option(RUST_STD_MEMORY 4194304 "Bytes for thread stacks and large blocks of Rust's std" "")
_sel4_rust_add_option(RUST_STD_GROWTH 0 "Bytes of untyped memory that large blocks of Rust's std may take" "")
_sel4_rust_add_option(RUST_STD_PANIC unwind "What a panic does in an executable with Rust's std" "unwind;abort")
_sel4_rust_add_option(RUST_STD_STACK 131072 "Bytes of stack of a thread of Rust's std that asks for no other size" "")
_sel4_rust_add_option(RUST_STD_THREADS 16 "Threads of Rust's std that can exist at a time, besides the first" "")
_sel4_rust_add_option(RUST_TRAP_CRATES "" "Crates that may enter the kernel by instructions of their own" "")

#[=======================================================================[.md:
ANCHOR: sel4_rust_heap
```cmake
sel4_rust_heap(<executable> BYTES <bytes>)
```

Sets the size of the heap that the Rust libraries of one executable share; it is the target's property `RUST_HEAP_BYTES`. The
heap is an object of C, outside the Rust archive: executables with the same libraries and otherwise the same options share one
archive and one run of cargo, whatever the sizes of their heaps.

* **executable**: an executable, or a component of CAmkES, `CAmkESComponent_<name>`.
* **BYTES**: a number of bytes above 0.
ANCHOR_END: sel4_rust_heap
#]=======================================================================]
function(sel4_rust_heap executable)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "BYTES" "")
    if(NOT TARGET ${executable})
        _sel4_rust_error(
            "sel4_rust_heap(${executable}): there is no target `${executable}`."
            "call it after add_executable(${executable} ...)"
        )
    elseif(DEFINED ARG_UNPARSED_ARGUMENTS OR NOT "${ARG_BYTES}" MATCHES "^[1-9][0-9]*$")
        _sel4_rust_error(
            "sel4_rust_heap(${executable}) has the arguments `${ARGN}`, and takes a number of bytes above 0."
            "write sel4_rust_heap(${executable} BYTES 65536)"
        )
    endif()
    set_target_properties(${executable} PROPERTIES RUST_HEAP_BYTES "${ARG_BYTES}")
endfunction()
