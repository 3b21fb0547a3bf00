# SPDX-License-Identifier: BSD-2-Clause
#
# libsel4 for Rust: where a crate in a bundle depends on libsel4-sys, the host tool reads libsel4's headers as C reads
# them in this build, and what it writes is compiled on both sides. Executables with the same C flags share one set.

# Adds, once per set of C flags, the library of the bindings for `executable` and Rust target `triple`: the C side,
# compiled as the executable is. Sets `out` to its name; <out>_gen is the target that generates the files.
function(_sel4_rust_add_bindings out executable triple)
    _sel4_rust_variant(variant ${executable})
    set(sys sel4_rust_sys${variant})
    set(dir "${CMAKE_BINARY_DIR}/rust/libsel4-sys${variant}")
    set(${out} ${sys} PARENT_SCOPE)
    if(TARGET ${sys})
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
    # Kernels before 13.0.0 write their configuration for C alone.
    set(writes_json TRUE)
    if(EXISTS "${KERNEL_HELPERS_PATH}")
        file(STRINGS "${KERNEL_HELPERS_PATH}" writes_json REGEX "gen_config\\.json|config_json_file" LIMIT_COUNT 1)
    endif()
    if(NOT writes_json)
        _sel4_rust_error(
            "a Rust library depends on libsel4-sys, which reads gen_config.json, and the kernel of `${KERNEL_HELPERS_PATH}` does not write one."
            "take seL4 13.0.0 or later, or leave libsel4-sys and libsel4 out: other crates work with this kernel"
        )
    endif()
    set(configs "")
    foreach(prefix IN ITEMS kernel sel4)
        get_target_property(include_dir ${prefix}_Config INTERFACE_INCLUDE_DIRECTORIES)
        list(APPEND configs "${include_dir}/${prefix}/gen_config.json")
    endforeach()
    set(request "")
    _sel4_rust_put(request LIST configs "${configs}")
    _sel4_rust_put(request GENEX include-dirs "$<TARGET_PROPERTY:sel4,INTERFACE_INCLUDE_DIRECTORIES>")
    _sel4_rust_generate_bindings(${sys} ${executable} ${triple} "${dir}" "${request}" "libsel4" "${configs};sel4")
    target_sources(${sys} PRIVATE "${SEL4_RUST_DIR}/rust/libsel4-sys/c/words.c")
    target_link_libraries(${sys} PUBLIC sel4 PRIVATE sel4_autoconf kernel_Config sel4_Config)
    set_target_properties(${sys} PROPERTIES SEL4_RUST_DIR "${dir}")
endfunction()

# Adds, once per set of C flags, the library of the bindings for the C library `library`, which Rust libraries of `executable`
# name in BINDS. Sets `out` to the library's name, and `out_variable` to the environment variable with the path of the Rust
# file.
function(
    _sel4_rust_bind
    out
    out_variable
    library
    executable
    facts
)
    _sel4_rust_read_facts("${facts}" TRIPLE LINKS)
    if(NOT TARGET ${library})
        _sel4_rust_error(
            "a Rust library of `${executable}` BINDS `${library}`, which is not a target."
            "name a C library of the project, as in target_link_libraries()"
        )
    endif()
    string(MAKE_C_IDENTIFIER "${library}" name)
    string(TOUPPER "${name}" variable)
    _sel4_rust_variant(variant ${executable})
    string(APPEND name "${variant}")
    set(dir "${CMAKE_BINARY_DIR}/rust/bindings/${name}")
    set(${out} ${name}_rust_bindings PARENT_SCOPE)
    set(${out_variable} "${variable}_BINDINGS=${dir}/bindings.rs" PARENT_SCOPE)
    if(TARGET ${name}_rust_bindings)
        return()
    endif()
    # The headers of the library itself: those that it declares public, or all in its folders. An INTERFACE library without
    # a folder stands for the libraries that it links.
    set(of ${library})
    get_target_property(type ${library} TYPE)
    get_target_property(folders ${library} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folders AND type STREQUAL "INTERFACE_LIBRARY")
        get_target_property(of ${library} INTERFACE_LINK_LIBRARIES)
    endif()
    set(folders "")
    set(headers "")
    set(configs "")
    set(depends ${of})
    foreach(one IN LISTS of)
        if(NOT TARGET ${one})
            continue()
        endif()
        get_target_property(folders_of_one ${one} INTERFACE_INCLUDE_DIRECTORIES)
        string(REGEX REPLACE "\\$<BUILD_INTERFACE:([^<>]*)>" "\\1" folders_of_one "${folders_of_one}")
        list(FILTER folders_of_one EXCLUDE REGEX "\\$<|NOTFOUND$")
        list(APPEND folders ${folders_of_one})
        get_target_property(public ${one} PUBLIC_HEADER)
        if(public)
            list(TRANSFORM public REPLACE "^.*/" "")
            list(APPEND headers ${public})
        else()
            foreach(folder IN LISTS folders_of_one)
                file(GLOB_RECURSE found RELATIVE "${folder}" CONFIGURE_DEPENDS "${folder}/*.h")
                list(APPEND headers ${found})
            endforeach()
        endif()
        # As add_config_library() of seL4's build calls it.
        if(TARGET ${one}_Config)
            get_target_property(folder ${one}_Config INTERFACE_INCLUDE_DIRECTORIES)
            list(APPEND configs "${folder}/${one}/gen_config.json")
            list(APPEND depends ${one}_Config)
        endif()
    endforeach()
    list(REMOVE_DUPLICATES headers)
    if(NOT headers)
        _sel4_rust_error(
            "a Rust library of `${executable}` BINDS `${library}`, which has no headers."
            "give it the folder of its headers: target_include_directories(${library} PUBLIC include)"
        )
    endif()
    set(request "")
    _sel4_rust_put(request LIST headers "${headers}")
    _sel4_rust_put(request FLAG leave-out-headers TRUE)
    _sel4_rust_put(request LIST include-dirs "${folders}")
    _sel4_rust_put(request LIST configs "${configs}")
    if(TARGET sel4)
        list(APPEND depends sel4)
        if("sel4" IN_LIST fact_LINKS)
            _sel4_rust_put(request GENEX sys-include-dirs "$<TARGET_PROPERTY:sel4,INTERFACE_INCLUDE_DIRECTORIES>")
        endif()
    endif()
    _sel4_rust_generate_bindings(
        ${name}_rust_bindings
        ${executable}
        ${fact_TRIPLE}
        "${dir}"
        "${request}"
        "${library}"
        "${depends}"
    )
    target_link_libraries(${name}_rust_bindings PUBLIC ${library})
endfunction()

# Adds the static library `library`, the C side of bindings, compiled as `executable` is; <library>_gen is the target that
# generates the files in `dir`. `request` is the part of the request that names the headers, `of` is their owner, and
# `depends` are targets and files that must be there.
function(
    _sel4_rust_generate_bindings
    library
    executable
    triple
    dir
    request
    of
    depends
)
    # Only builds with bindings pay for bindgen.
    _sel4_rust_build_tool(sel4-rust-bindings)
    # Here, so that CMake and not ninja reports a missing libclang.
    _sel4_rust_run_tool(ignored libclang)

    add_library(${library} STATIC EXCLUDE_FROM_ALL "${dir}/wrappers.c" "${dir}/layout.c")
    _sel4_rust_compile_as(${library} ${executable})
    if(TARGET muslc)
        target_link_libraries(${library} PUBLIC muslc)
        list(APPEND depends muslc_gen)
    endif()
    # Nobody can edit a generated file for C's warnings of its own headers. Functions that Rust does not call stay out of
    # images that are linked with --gc-sections.
    target_compile_options(${library} PRIVATE -w -ffunction-sections)

    _sel4_rust_flags(flags ${executable})
    _sel4_rust_put(request TEXT target ${triple})
    _sel4_rust_put(request TEXT out "${dir}")
    _sel4_rust_put(request TEXT depfile "${dir}/bindings.d")
    _sel4_rust_put(request LIST flags "${flags}")
    _sel4_rust_put(request GENEX system-include-dirs "$<TARGET_PROPERTY:${library},INCLUDE_DIRECTORIES>")
    _sel4_rust_put(request GENEX defines "$<TARGET_PROPERTY:${library},COMPILE_DEFINITIONS>")
    _sel4_rust_request_file(file bindings ${library})
    # CMake evaluates the content for each language of the project. C's counts.
    set(other_language "$<$<NOT:$<COMPILE_LANGUAGE:C>>:.$<COMPILE_LANGUAGE>>")
    file(GENERATE OUTPUT "${file}${other_language}" CONTENT "${request}")
    set(files
        bindings.rs
        wrappers.c
        layout.c
        config.rs
        cfg
    )
    list(TRANSFORM files PREPEND "${dir}/")
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    add_custom_command(
        OUTPUT ${files}
        COMMAND "${tool}" bindings "${file}"
        # Headers may be generated or installed by these.
        DEPENDS "${tool}" "${file}" ${depends}
        DEPFILE "${dir}/bindings.d"
        COMMENT "Rust: reading the headers of ${of}"
        VERBATIM
    )
    add_custom_target(${library}_gen DEPENDS ${files})
    add_dependencies(${library} ${library}_gen)
endfunction()
