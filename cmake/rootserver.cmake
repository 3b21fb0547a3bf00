# SPDX-License-Identifier: BSD-2-Clause

#[=======================================================================[.md:
ANCHOR: add_rust_rootserver
```cmake
add_rust_rootserver(<target> [arguments of add_rust_library]...)
```

Makes a root server whose only source is a Rust crate, and the image with it. It stands for these lines, where
`rootserver.c` is a file of the kit's that calls the crate's `sel4_main()`:

```cmake
add_rust_library(<target>_crate [arguments...])
add_executable(<target> rootserver.c)
target_link_libraries(<target> PRIVATE <target>_crate sel4muslcsys muslc)
DeclareRootserver(<target>)
```

The crate defines the function, which receives the BootInfo. The root server's thread is suspended when it returns:

```rust
#[unsafe(no_mangle)]
pub extern "C" fn sel4_main(info: &seL4_BootInfo) -> i32 {
    0
}
```

* **target**: name of the executable. `target_link_libraries()` adds C libraries to it.
* The other arguments are those of `add_rust_library()`.
ANCHOR_END: add_rust_rootserver
#]=======================================================================]
function(add_rust_rootserver target)
    add_rust_library(${target}_crate ${ARGN})
    add_executable(${target} "${SEL4_RUST_DIR}/rust/libsel4-rt/c/rootserver.c")
    target_link_libraries(
        ${target}
        PRIVATE ${target}_crate sel4runtime sel4muslcsys muslc sel4
    )
    include(rootserver)
    DeclareRootserver(${target})
endfunction()
