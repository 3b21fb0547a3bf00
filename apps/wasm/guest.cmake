# SPDX-License-Identifier: BSD-2-Clause
#
# Adds the library `wasm`, and sets `guest` to the compiled module.

option(WASM_NATIVE "Compile the guest to native code, not to bytecode" OFF)
set(code pulley64)
set(target pulley64)
set(features "")
if(WASM_NATIVE)
    set(code native)
    set(target "${KernelSel4Arch}-unknown-linux-musl")
    if(NOT KernelSel4Arch STREQUAL CMAKE_HOST_SYSTEM_PROCESSOR)
        set(features --features native)
    endif()
endif()
add_rust_library(wasm MANIFEST_PATH Cargo.toml STD ENV WASM_CODE=${code})

# A program of this machine compiles the guest, so that no compiler is in the image. It is built once for each user.
execute_process(
    COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/../../tools/cache-folder"
    OUTPUT_VARIABLE cache
    OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY
)
set(guest "${CMAKE_CURRENT_BINARY_DIR}/guest.cwasm")
set(sources
    guest.wat
    src/settings.rs
    compiler/Cargo.toml
    compiler/src/main.rs
    Cargo.lock
)
list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
add_custom_command(
    OUTPUT "${guest}"
    COMMAND
        cargo run --quiet --locked --package guest-compiler ${features} --config profile.dev.debug=false --target-dir
        "${cache}/guest-compiler" -- ${target} guest.wat "${guest}"
    DEPENDS ${sources}
    WORKING_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}"
    COMMENT "Compiling the guest (at first its compiler, which takes minutes)"
    VERBATIM
)
