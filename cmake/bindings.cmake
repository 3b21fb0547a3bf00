# SPDX-License-Identifier: BSD-2-Clause
#
# libsel4 for Rust: where a crate in a bundle depends on libsel4-sys, the host tool reads libsel4's headers as C reads
# them in this build, and what it writes is compiled on both sides. All bundles of a build share one set.

# Adds, once, the library `sel4_rust_sys`: the C side of the bindings. Its generation is the target
# `sel4_rust_sys_gen`; SEL4_RUST_SYS_DIR, a global property, is the folder to name to libsel4-sys.
function(_sel4_rust_add_bindings)
    if(TARGET sel4_rust_sys)
        return()
    endif()
    foreach(target IN ITEMS sel4 sel4_autoconf kernel_Config sel4_Config)
        if(NOT TARGET ${target})
            _sel4_rust_error(
                "a Rust library depends on libsel4-sys, and this project has no target `${target}`."
                "call sel4_import_libsel4() before the end of the project's CMakeLists.txt"
            )
        endif()
    endforeach()
    # Only builds that use libsel4-sys pay for bindgen.
    _sel4_rust_build_tool(sel4-rust-bindings)
    # Asked for now, so that a missing one is told now and not by ninja.
    _sel4_rust_run_tool(ignored libclang)
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    get_property(triple GLOBAL PROPERTY SEL4_RUST_TRIPLE)
    _sel4_rust_bindings_dir(dir)
    set_property(GLOBAL PROPERTY SEL4_RUST_SYS_DIR "${dir}")

    add_library(sel4_rust_sys STATIC EXCLUDE_FROM_ALL "${dir}/wrappers.c" "${dir}/layout.c")
    target_link_libraries(sel4_rust_sys PUBLIC sel4 PRIVATE sel4_autoconf kernel_Config sel4_Config)
    set(libc_gen "")
    if(TARGET muslc)
        target_link_libraries(sel4_rust_sys PUBLIC muslc)
        set(libc_gen muslc_gen)
    endif()
    # What C warns of in its own headers nobody can mend in a generated file; and what Rust does not call is to stay
    # out of images that are linked with --gc-sections.
    target_compile_options(sel4_rust_sys PRIVATE -w -ffunction-sections)

    set(options "")
    set(configs "")
    foreach(prefix IN ITEMS kernel sel4)
        get_target_property(include_dir ${prefix}_Config INTERFACE_INCLUDE_DIRECTORIES)
        list(APPEND configs "${include_dir}/${prefix}/gen_config.json")
        list(APPEND options --config "${include_dir}/${prefix}/gen_config.json")
    endforeach()
    separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS}")
    get_property(more DIRECTORY PROPERTY COMPILE_OPTIONS)
    foreach(flag IN LISTS flags more)
        if(flag MATCHES "^-D(.+)")
            list(APPEND options --define "${CMAKE_MATCH_1}")
        endif()
    endforeach()
    _sel4_rust_repeat(bound --include-dir "$<TARGET_PROPERTY:sel4,INTERFACE_INCLUDE_DIRECTORIES>")
    _sel4_rust_repeat(read --system-include-dir "$<TARGET_PROPERTY:sel4_rust_sys,INCLUDE_DIRECTORIES>")
    _sel4_rust_repeat(defined --define "$<TARGET_PROPERTY:sel4_rust_sys,COMPILE_DEFINITIONS>")
    set(files "")
    foreach(file IN ITEMS bindings.rs wrappers.c layout.c config.rs cfg)
        list(APPEND files "${dir}/${file}")
    endforeach()
    add_custom_command(
        OUTPUT ${files}
        COMMAND
            "${tool}" bindings --target ${triple} --out "${dir}" --depfile "${dir}/bindings.d" ${options} "${bound}"
            "${read}" "${defined}"
        # libsel4's own headers are generated, and muslc's are installed, by these.
        DEPENDS "${tool}" ${configs} sel4 ${libc_gen}
        DEPFILE "${dir}/bindings.d"
        COMMENT "Rust: reading the headers of libsel4"
        COMMAND_EXPAND_LISTS VERBATIM
    )
    add_custom_target(sel4_rust_sys_gen DEPENDS ${files})
    add_dependencies(sel4_rust_sys sel4_rust_sys_gen)
endfunction()

# Links the C side to `bundle`, whose cargo run waits for the generation.
function(_sel4_rust_link_bindings bundle)
    add_dependencies(cargo-prebuild_${bundle} sel4_rust_sys_gen)
    set_property(TARGET ${bundle}-sealed APPEND PROPERTY INTERFACE_LINK_LIBRARIES sel4_rust_sys)
endfunction()

# Sets `out` to the folder that the bindings are written into, where there are any.
function(_sel4_rust_bindings_dir out)
    set(${out} "${CMAKE_BINARY_DIR}/rust/libsel4-sys" PARENT_SCOPE)
endfunction()

# Sets `out` to a generator expression: `option` before each item of `list`, which is one, too.
function(_sel4_rust_repeat out option list)
    set(${out} "$<$<BOOL:${list}>:${option};$<JOIN:${list},;${option};>>" PARENT_SCOPE)
endfunction()
