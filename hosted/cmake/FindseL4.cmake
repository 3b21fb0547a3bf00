# SPDX-License-Identifier: BSD-2-Clause
#
# The kernel and libsel4 on the hosted platform, under the names of the seL4 build. The kernel is part of each
# executable; libsel4's headers are generated from hosted/libsel4/sel4.api.

get_filename_component(SEL4_RUST_DIR "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
include("${SEL4_RUST_DIR}/cmake/sel4_rust.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/platform.cmake")

function(sel4_import_kernel)
endfunction()

# Adds the targets `sel4` and `sel4runtime`. Their functions are in the bundle of an executable.
function(sel4_import_libsel4)
    _sel4_rust_find_tools()
    get_property(cargo GLOBAL PROPERTY SEL4_RUST_CARGO)
    get_property(rustc GLOBAL PROPERTY SEL4_RUST_RUSTC)
    set(hosted "${SEL4_RUST_DIR}/hosted")
    set(include "${CMAKE_BINARY_DIR}/hosted/include")
    file(GLOB sources "${hosted}/libsel4/sel4.api" "${hosted}/libsel4/generate/*.rs" "${hosted}/libsel4/c/*.h")
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
    set(scheduling "")
    if(KernelIsMCS)
        set(scheduling mcs)
    endif()
    execute_process(
        COMMAND
            "${CMAKE_COMMAND}" -E env --unset=RUSTFLAGS --unset=CARGO_ENCODED_RUSTFLAGS "RUSTC=${rustc}" "${cargo}" run
            --quiet --locked --package sel4-hosted-libsel4 --target-dir "${CMAKE_BINARY_DIR}/hosted/target" --
            "${include}" ${KernelSel4Arch} ${scheduling}
        WORKING_DIRECTORY "${hosted}"
        RESULT_VARIABLE result
    )
    if(NOT result EQUAL 0)
        _sel4_rust_error("cannot write the headers of libsel4 (status `${result}`)." "fix what cargo reports above")
    endif()

    add_library(sel4 INTERFACE)
    target_include_directories(sel4 INTERFACE "${include}")
    foreach(name IN ITEMS sel4_autoconf kernel_autoconf kernel_Config sel4_Config)
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE sel4)
    endforeach()
    add_library(sel4runtime INTERFACE)
    target_include_directories(sel4runtime INTERFACE "${hosted}/rt/include")
    target_link_libraries(sel4runtime INTERFACE sel4)
endfunction()

set(seL4_FOUND TRUE)
