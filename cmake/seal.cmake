# SPDX-License-Identifier: BSD-2-Clause
#
# The archive of a bundle as an executable links it: without what C's own libraries provide.

# Adds the imported library <bundle>-sealed: the bundle's archive less what C's own libraries provide, so that
# memcpy() and the compiler's helpers stay C's. The object `inlined`, if any, takes the place of rustc's.
function(_sel4_rust_seal bundle dir inlined std)
    if(KernelPlatform STREQUAL "hosted")
        # C and Rust have one C library there, the host's, and nothing to leave out.
        add_library(${bundle}-sealed STATIC IMPORTED GLOBAL)
        set_target_properties(
            ${bundle}-sealed
            PROPERTIES
                IMPORTED_LOCATION "${dir}/archive/lib${bundle}.a" INTERFACE_LINK_LIBRARIES
                                                                  "gcc_s;util;rt;pthread;m;dl;c"
                INTERFACE_LINK_OPTIONS "-Wl,-u,sel4_hosted_begin;-no-pie"
        )
        add_dependencies(${bundle}-sealed cargo-build_${bundle})
        return()
    endif()
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS}")
    get_property(options DIRECTORY PROPERTY COMPILE_OPTIONS)
    list(FILTER options EXCLUDE REGEX "\\$<")
    execute_process(
        COMMAND "${CMAKE_C_COMPILER}" ${flags} ${options} -print-libgcc-file-name
        OUTPUT_VARIABLE libgcc
        OUTPUT_STRIP_TRAILING_WHITESPACE
    )
    set(seal_options "")
    set(depends "")
    # What is left out is looked for behind the archive.
    set(behind "")
    if(TARGET muslc_imported)
        get_target_property(libc_archive muslc_imported IMPORTED_LOCATION)
        list(APPEND seal_options --provided-by "${libc_archive}")
        set(depends muslc_gen "${libc_archive}")
        list(APPEND behind muslc)
    endif()
    if(EXISTS "${libgcc}")
        list(APPEND seal_options --provided-by "${libgcc}")
        list(APPEND behind "${libgcc}")
    endif()

    # Debuggers follow Rust's frames by the unwind tables; C's Release build has none.
    _sel4_rust_cargo_profile(profile)
    if(profile MATCHES "^(release|minsizerel)$")
        if(std)
            list(APPEND seal_options --no-symbolizer)
        endif()
        # They are for panics that unwind, and for backtraces.
        if(NOT std OR (RUST_STD_PANIC STREQUAL "abort" AND NOT RUST_BACKTRACE))
            list(APPEND seal_options --no-unwind-tables)
        endif()
    endif()
    if(inlined)
        list(APPEND seal_options --inlined "${inlined}")
        _sel4_rust_c_reads_tpidruro("${dir}" reads)
        if(reads)
            list(APPEND seal_options --no-read-tp)
        endif()
    endif()
    set(archive "${dir}/archive/lib${bundle}.a")
    set(sealed "${dir}/lib${bundle}.a")
    add_custom_command(
        OUTPUT "${sealed}"
        COMMAND "${tool}" seal --archive "${archive}" --out "${sealed}" ${seal_options}
        DEPENDS "${tool}" "${archive}" cargo-build_${bundle} ${inlined} ${depends}
        COMMENT "Rust: sealing lib${bundle}.a"
        VERBATIM
    )
    add_custom_target(${bundle}-seal DEPENDS "${sealed}")

    add_library(${bundle}-sealed STATIC IMPORTED GLOBAL)
    # The option takes the constructor of the logger out of the archive, where there is one.
    set_target_properties(
        ${bundle}-sealed
        PROPERTIES
            IMPORTED_LOCATION "${sealed}" INTERFACE_LINK_LIBRARIES "${behind}" INTERFACE_LINK_OPTIONS
                                                                             "-Wl,-u,sel4_rust_log"
    )
    add_dependencies(${bundle}-sealed ${bundle}-seal)
endfunction()
