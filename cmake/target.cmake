# SPDX-License-Identifier: BSD-2-Clause
#
# The Rust target that fits the C build. Its facts are the kernel's configuration and what the C compiler says of
# itself under the flags of this build: whatever calls and is called must agree with C on the float ABI.

# Sets `out` to the target triple, or stops with an error. The target need not be installed: a library with STD has another.
function(_sel4_rust_find_triple out)
    if(NOT KernelSel4Arch)
        _sel4_rust_error(
            "KernelSel4Arch is not set: there is no seL4 kernel in this project yet."
            "call sel4_import_kernel() before add_rust_library()"
        )
    endif()

    get_property(options DIRECTORY PROPERTY COMPILE_OPTIONS)
    list(FILTER options EXCLUDE REGEX "\\$<")
    separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS}")
    execute_process(
        COMMAND "${CMAKE_C_COMPILER}" ${flags} ${options} -dM -E -x c /dev/null
        OUTPUT_VARIABLE macros
        ERROR_VARIABLE stderr
        RESULT_VARIABLE result
    )
    if(NOT result EQUAL 0)
        _sel4_rust_error(
            "`${CMAKE_C_COMPILER}` does not list its predefined macros: ${stderr}" "check the C compiler of this build"
        )
    endif()

    set(sort "KernelSel4Arch=${KernelSel4Arch}")
    unset(triple)
    if(KernelSel4Arch STREQUAL "aarch64" AND macros MATCHES "#define __aarch64__ ")
        # The hosted platform makes Linux programs.
        if(KernelPlatform STREQUAL "hosted")
            set(triple aarch64-unknown-linux-gnu)
        # -mgeneral-regs-only, as the build sets it when the kernel has no FPU, undefines __ARM_FP.
        elseif(macros MATCHES "#define __ARM_FP ")
            set(triple aarch64-unknown-none)
        else()
            set(triple aarch64-unknown-none-softfloat)
        endif()
    elseif(KernelSel4Arch MATCHES "^(aarch32|arm_hyp)$" AND macros MATCHES "#define __ARM_ARCH ([0-9]+)")
        string(APPEND sort ", __ARM_ARCH=${CMAKE_MATCH_1}")
        if(CMAKE_MATCH_1 GREATER_EQUAL 7)
            if(macros MATCHES "#define __ARM_PCS_VFP ")
                set(triple armv7a-none-eabihf)
            else()
                set(triple armv7a-none-eabi)
            endif()
        endif()
    elseif(KernelSel4Arch MATCHES "^riscv(32|64)$" AND macros MATCHES "#define __riscv_float_abi_([a-z]+) ")
        set(float_abi "${CMAKE_MATCH_1}")
        string(APPEND sort ", float ABI ${float_abi}")
        if(macros MATCHES "#define __riscv_compressed ")
            if(KernelSel4Arch STREQUAL "riscv64" AND float_abi STREQUAL "double")
                set(triple riscv64gc-unknown-none-elf)
            elseif(float_abi STREQUAL "soft")
                set(triple ${KernelSel4Arch}imac-unknown-none-elf)
            endif()
        else()
            string(APPEND sort ", no compressed instructions")
        endif()
    elseif(KernelSel4Arch STREQUAL "x86_64" AND macros MATCHES "#define __x86_64__ ")
        # The hosted platform makes Linux programs.
        if(KernelPlatform STREQUAL "hosted")
            set(triple x86_64-unknown-linux-gnu)
        # x86_64-unknown-none passes doubles in integer registers; C here does so only without SSE.
        elseif(macros MATCHES "#define __SSE2__ ")
            set(triple x86_64-unknown-linux-musl)
        else()
            set(triple x86_64-unknown-none)
        endif()
    elseif(KernelSel4Arch STREQUAL "ia32" AND macros MATCHES "#define __i386__ ")
        set(triple i686-unknown-linux-musl)
    endif()
    if(NOT triple)
        _sel4_rust_error(
            "no Rust target is known to fit this build (${sort}, C compiler `${CMAKE_C_COMPILER}`)."
            "build for aarch64, aarch32 (ARMv7 or later), riscv64, x86_64 or ia32, with the compiler for it"
        )
    endif()
    set(${out} "${triple}" PARENT_SCOPE)
endfunction()

# Stops with an error if rustc cannot compile for `triple`.
function(_sel4_rust_require_target triple)
    get_property(sysroot GLOBAL PROPERTY SEL4_RUST_SYSROOT)
    if(NOT EXISTS "${sysroot}/lib/rustlib/${triple}/lib")
        _sel4_rust_error("the Rust target `${triple}` is not installed." "rustup target add ${triple}")
    endif()
endfunction()
