# SPDX-License-Identifier: BSD-2-Clause
#
# Sends the system calls of sel4test, and of the libraries that it tests with, through a Rust library. CMake reads this
# file in project(sel4test-driver), which knows nothing of it: CMAKE_PROJECT_sel4test-driver_INCLUDE names it.
#
# THROUGH_RUST is the folder of the crate `through`, and of `through.h`, which gives each function of libsel4 the name of
# one that the crate exports. Not through Rust go sel4runtime, which runs before there is an IPC buffer, and of course the
# functions of libsel4 that the bindings call.

function(sel4test_through_rust)
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
            sel4testsupport
            sel4sync
            sel4serialserver_tests
            sel4serialserver
            sel4muslcsys
            sel4debug
            sel4simple
            sel4simple-default
            sel4rpc
            sel4test-tests
            sel4test-driver
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
cmake_language(DEFER CALL sel4test_through_rust)
