# SPDX-License-Identifier: BSD-2-Clause
#
# C's inline functions, inlined into Rust. clang compiles the wrappers of libsel4-sys to LLVM's code, and LLVM's linker
# that comes with rustc optimises that and all Rust code of an executable as one: a system call from Rust is then the
# instructions that C gets of it. What comes out is an ordinary object, which takes the place of rustc's in the archive;
# the image is linked by the project's linker as ever. Where this cannot be done, the wrappers are called.

# Sets `out` to the object that holds the Rust code of `bundle` with C's functions inlined, or to nothing, and says
# which in one line.
function(_sel4_rust_inline bundle dir out)
    _sel4_rust_check_choice(RUST_INLINE "AUTO;ON;OFF")
    set(object "")
    if(RUST_INLINE STREQUAL "OFF")
        set(why "RUST_INLINE is OFF")
    else()
        _sel4_rust_find_inliner(why clang lld objcopy flags)
    endif()
    if(NOT why)
        message(STATUS "Rust: system calls are inlined from C, by ${clang}")
        set(object "${dir}/inlined.o")
        _sel4_rust_add_inlining(${bundle} "${dir}" "${clang}" "${lld}" "${objcopy}" "${flags}")
    elseif(RUST_INLINE STREQUAL "ON")
        _sel4_rust_error("RUST_INLINE is ON, but C cannot be inlined into Rust here: ${why}." "configure with -DRUST_INLINE=AUTO")
    else()
        message(STATUS "Rust: system calls are calls of C's functions (${why})")
    endif()
    set(${out} "${object}" PARENT_SCOPE)
endfunction()

# Looks for what inlining takes. Sets `why` to what stands against it, or to nothing.
function(_sel4_rust_find_inliner why clang lld objcopy flags)
    get_property(triple GLOBAL PROPERTY SEL4_RUST_TRIPLE)
    get_property(rustc GLOBAL PROPERTY SEL4_RUST_RUSTC)
    get_property(sysroot GLOBAL PROPERTY SEL4_RUST_SYSROOT)
    _sel4_rust_cargo_profile(profile)
    if(profile STREQUAL "dev")
        set(${why} "a debug build" PARENT_SCOPE)
        return()
    elseif(NOT triple MATCHES "^(aarch64|arm|i686|riscv64|x86_64)")
        set(${why} "not tried for ${triple}" PARENT_SCOPE)
        return()
    endif()

    execute_process(COMMAND "${rustc}" -vV OUTPUT_VARIABLE version)
    string(REGEX MATCH "host: ([^\n]+)" _ "${version}")
    set(linker "${sysroot}/lib/rustlib/${CMAKE_MATCH_1}/bin/rust-lld")
    string(REGEX MATCH "LLVM version: ([0-9]+)" _ "${version}")
    set(newest "${CMAKE_MATCH_1}")
    set(names clang)
    foreach(major RANGE ${newest} 14 -1)
        list(APPEND names clang-${major})
    endforeach()
    find_program(_sel4_rust_clang NAMES ${names} NO_CACHE)
    if(NOT _sel4_rust_clang)
        set(${why} "clang is not installed" PARENT_SCOPE)
        return()
    elseif(NOT EXISTS "${linker}" OR NOT CMAKE_OBJCOPY)
        set(${why} "rust-lld or objcopy is missing" PARENT_SCOPE)
        return()
    endif()
    execute_process(COMMAND "${_sel4_rust_clang}" -dumpversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REGEX MATCH "^[0-9]+" major "${version}")
    if(NOT major OR major GREATER newest OR major LESS 14)
        set(${why} "clang is ${version}, and rustc reads what 14 to ${newest} write" PARENT_SCOPE)
        return()
    endif()

    # The C build's own flags, less what only steers gcc's warnings and output.
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    separate_arguments(given NATIVE_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}}")
    get_property(more DIRECTORY PROPERTY COMPILE_OPTIONS)
    list(APPEND given ${more})
    list(FILTER given INCLUDE REGEX "^-([DOfgm]|nostdinc)")
    list(FILTER given EXCLUDE REGEX "\\$<")
    # rustc writes DWARF 4, and GNU's tools do not read it mixed with 5.
    list(TRANSFORM given REPLACE "^-g[0-3]?$" "-gdwarf-4")
    if(major LESS 17)
        # To these the extensions are a part of the base.
        list(TRANSFORM given REPLACE "_(zicsr|zifencei)" "" REGEX "^-march=rv")
    endif()
    string(REGEX REPLACE "^riscv64[a-z]*" "riscv64" target "${triple}")
    string(REPLACE "-softfloat" "" target "${target}")
    list(
        APPEND
        given
        --target=${target}
        -std=gnu11
        # As images are linked; and no vector registers where C code names none.
        -ftls-model=local-exec
        -mno-implicit-float
        -w
    )
    execute_process(
        COMMAND "${_sel4_rust_clang}" ${given} -emit-llvm -c -x c /dev/null -o /dev/null
        RESULT_VARIABLE result
        ERROR_VARIABLE stderr
    )
    if(NOT result EQUAL 0)
        string(REGEX MATCH "[^\n]+" stderr "${stderr}")
        set(${why} "${stderr}" PARENT_SCOPE)
        return()
    endif()
    set(${why} "" PARENT_SCOPE)
    set(${clang} "${_sel4_rust_clang}" PARENT_SCOPE)
    set(${lld} "${linker}" PARENT_SCOPE)
    set(${objcopy} "${CMAKE_OBJCOPY}" PARENT_SCOPE)
    set(${flags} "${given}" PARENT_SCOPE)
endfunction()

# Sets `out` to whether C code of this build takes aarch32's thread pointer from the register TPIDRURO. Then inlined code
# is to do so; LLVM's way is a call of __aeabi_read_tp. `dir` is for the file that is compiled.
function(_sel4_rust_c_reads_tpidruro dir out)
    set(${out} FALSE PARENT_SCOPE)
    if(NOT KernelSel4Arch MATCHES "^(aarch32|arm_hyp)$")
        return()
    endif()
    separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS}")
    get_property(options DIRECTORY PROPERTY COMPILE_OPTIONS)
    list(FILTER options EXCLUDE REGEX "\\$<")
    set(source "${dir}/thread-pointer.c")
    _sel4_rust_write_if_changed("${source}" "void *thread_pointer(void) { return __builtin_thread_pointer(); }\n")
    execute_process(
        COMMAND "${CMAKE_C_COMPILER}" ${flags} ${options} -S -o - "${source}"
        OUTPUT_VARIABLE assembly
        ERROR_QUIET
    )
    if(assembly MATCHES "mrc[ \t]+p15, *#?(0x)?0, *r[0-9]+, *c13, *c0, *#?(0x)?3")
        set(${out} TRUE PARENT_SCOPE)
    endif()
endfunction()

# Adds the steps that make <dir>/inlined.o.
function(_sel4_rust_add_inlining bundle dir clang lld objcopy flags)
    get_property(sys_dir GLOBAL PROPERTY SEL4_RUST_SYS_DIR)
    set(wrappers "${sys_dir}/wrappers.bc")
    get_property(added GLOBAL PROPERTY SEL4_RUST_WRAPPERS_ADDED)
    if(NOT added)
        set_property(GLOBAL PROPERTY SEL4_RUST_WRAPPERS_ADDED TRUE)
        # Without the attribute many a wrapper stays a call, for clang and rustc name the processor's features otherwise.
        file(
            CONFIGURE
            OUTPUT "${sys_dir}/inlined.c"
            CONTENT
                "#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)
#include \"wrappers.c\"
#pragma clang attribute pop
"
        )
        _sel4_rust_repeat(includes -I "$<TARGET_PROPERTY:sel4_rust_sys,INCLUDE_DIRECTORIES>")
        _sel4_rust_repeat(defines -D "$<TARGET_PROPERTY:sel4_rust_sys,COMPILE_DEFINITIONS>")
        add_custom_command(
            OUTPUT "${wrappers}"
            COMMAND
                "${clang}" ${flags} "${includes}" "${defines}" -emit-llvm -c "${sys_dir}/inlined.c" -o "${wrappers}" -MD
                -MT "${wrappers}" -MF "${wrappers}.d"
            DEPENDS "${sys_dir}/inlined.c" "${sys_dir}/wrappers.c" sel4_rust_sys_gen
            DEPFILE "${wrappers}.d"
            COMMENT "Rust: compiling libsel4's functions for inlining"
            COMMAND_EXPAND_LISTS VERBATIM
        )
        add_custom_target(sel4_rust_sys_bc DEPENDS "${wrappers}")
    endif()

    corrosion_add_target_local_rustflags(${bundle} "--emit=llvm-bc=${dir}/rust.bc")
    # rustc writes its code beside the archive; the archive is what ninja knows the time of.
    add_custom_command(
        OUTPUT "${dir}/inlined.o"
        COMMAND "${lld}" -flavor gnu -r --lto-O3 -o "${dir}/linked.o" "${dir}/rust.bc" "${wrappers}"
        # What is inlined everywhere is nobody else's to call.
        COMMAND "${objcopy}" --wildcard "--localize-symbol=*__extern" "${dir}/linked.o" "${dir}/inlined.o"
        DEPENDS "${dir}/archive/lib${bundle}.a" cargo-build_${bundle} "${wrappers}" sel4_rust_sys_bc
        COMMENT "Rust: inlining libsel4 into lib${bundle}.a"
        VERBATIM
    )
endfunction()
