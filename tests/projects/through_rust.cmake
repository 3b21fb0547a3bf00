# SPDX-License-Identifier: BSD-2-Clause
#
# Sends the system calls of a project in the layout of sel4test, and of the libraries that it stands on, through a Rust
# library. CMake reads this file in the project() that sets up the C library, and which knows nothing of it:
# CMAKE_PROJECT_<name>_INCLUDE names it.
#
# THROUGH_RUST is the folder of the crate `through`, and of `through.h`, which gives each function of libsel4 the name of
# one that the crate exports. THROUGH_TARGETS are the project's own programs and libraries that call them. Not through Rust go
# sel4runtime, which runs before there is an IPC buffer, and of course the functions of libsel4 that the bindings call.

function(project_through_rust)
    find_package(sel4_rust REQUIRED)
    add_rust_library(through MANIFEST_PATH "${THROUGH_RUST}/Cargo.toml")
    foreach(
        target
        IN
        ITEMS
            sel4vka
            sel4vspace
            sel4utils
            sel4allocman
            sel4platsupport
            sel4test
            sel4sync
            sel4serialserver_tests
            sel4serialserver
            sel4muslcsys
            sel4debug
            sel4simple
            sel4simple-default
            sel4rpc
            ${THROUGH_TARGETS}
    )
        get_target_property(type ${target} TYPE)
        if(type STREQUAL "INTERFACE_LIBRARY")
            continue()
        endif()
        target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:C,CXX>:-include${THROUGH_RUST}/through.h>")
        set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES through)
    endforeach()
endfunction()

# When all targets are there.
cmake_language(DEFER CALL project_through_rust)
