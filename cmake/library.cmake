# SPDX-License-Identifier: BSD-2-Clause

#[=======================================================================[.md:
ANCHOR: add_rust_library
```cmake
add_rust_library(<target>
    [MANIFEST_PATH <Cargo.toml>]
    [PACKAGE <name>]
    [HEADER <name.h>]
    [PROFILE <cargo profile>]
    [FEATURES <feature>...]
    [NO_DEFAULT_FEATURES]
    [STD])
```

Makes a CMake target from a Rust crate. Any executable or library links it with `target_link_libraries()`, and whatever
links it can include its header. Call it after the kernel and muslc have been brought in.

* **target**: name of the CMake target; a C identifier.
* **MANIFEST_PATH**: the crate's `Cargo.toml`, relative to the folder of the CMake file that makes the call. Default: the one in it.
* **PACKAGE**: which package, if `MANIFEST_PATH` names a workspace of several.
* **HEADER**: file name of the generated C header. Default: `<target>.h`.
* **PROFILE**: cargo profile whose settings the crate is compiled with: one of cargo's, or one that the crate's
  workspace defines. Default: `dev` for the build type Debug (or none), else `release`.
* **FEATURES**, **NO_DEFAULT_FEATURES**: cargo features of the crate.
* **STD**: the crate uses Rust's std, on aarch64 and x86_64. If one library of an executable does, panics and the heap are
  std's for all of them; [std on seL4](std.md) says what there is and what is refused.

Without STD, the crate is an ordinary `#![no_std]` library: it needs no `crate-type`, no panic handler and no allocator.
It must have a `Cargo.lock`, which the build uses as it is. C sees its `extern "C"` functions that are `#[unsafe(no_mangle)]`.

All Rust libraries that one executable links, directly or through C libraries, share one panic handler, one heap and
the statics of the crates they have in common. The cache variables `RUST_HEAP_BYTES`, `RUST_HEAP` and
`RUST_LOG_LEVEL` say how large the heap is, which allocator serves it, and what the `log` crate lets through.
ANCHOR_END: add_rust_library
#]=======================================================================]
function(add_rust_library target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "NO_DEFAULT_FEATURES;STD" "MANIFEST_PATH;PACKAGE;HEADER;PROFILE" "FEATURES")
    set(call "add_rust_library(${target})")
    if(DEFINED ARG_UNPARSED_ARGUMENTS)
        list(JOIN ARG_UNPARSED_ARGUMENTS " " unknown)
        _sel4_rust_error(
            "${call} does not know the argument `${unknown}`."
            "it takes MANIFEST_PATH, PACKAGE, HEADER, PROFILE, FEATURES, NO_DEFAULT_FEATURES and STD"
        )
    elseif(DEFINED ARG_KEYWORDS_MISSING_VALUES)
        _sel4_rust_error(
            "${call} has no value after `${ARG_KEYWORDS_MISSING_VALUES}`."
            "give one, or leave the keyword out"
        )
    elseif(NOT target MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
        _sel4_rust_error(
            "${call}: `${target}` is not a C identifier."
            "use letters, digits and `_` in the target's name; the package may have another name (PACKAGE)"
        )
    elseif(TARGET ${target})
        _sel4_rust_error(
            "${call}: there is a target `${target}` already."
            "give the library another name; the crate keeps its own"
        )
    endif()
    if(NOT DEFINED ARG_MANIFEST_PATH)
        set(ARG_MANIFEST_PATH "Cargo.toml")
    endif()
    if(NOT DEFINED ARG_HEADER)
        set(ARG_HEADER "${target}.h")
    endif()
    # In a file that is included, the current source folder is that of another.
    cmake_path(ABSOLUTE_PATH ARG_MANIFEST_PATH BASE_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}" NORMALIZE)

    _sel4_rust_find_tools()
    _sel4_rust_flags(flags "")
    set(std "")
    if(ARG_STD)
        set(std "add_rust_library(${target} STD)")
    endif()
    set(request "")
    _sel4_rust_put_cargo(request)
    _sel4_rust_put_compiler(request "${flags}" "${std}")
    _sel4_rust_put(request TEXT target ${target})
    _sel4_rust_put(request TEXT header "${ARG_HEADER}")
    _sel4_rust_put(request TEXT manifest "${ARG_MANIFEST_PATH}")
    _sel4_rust_put(request TEXT package "${ARG_PACKAGE}")
    _sel4_rust_put(request LIST features "${ARG_FEATURES}")
    _sel4_rust_put(request FLAG no-default-features "${ARG_NO_DEFAULT_FEATURES}")
    if(ARG_STD)
        _sel4_rust_put_std(request)
    endif()
    _sel4_rust_run_step(facts crate ${target} "${request}")
    _sel4_rust_read_facts(
        "${facts}"
        PLAIN
        PACKAGE
        MANIFEST
        LOCK
        CBINDGEN
        INPUT
    )
    _sel4_rust_agree_on_triple(${fact_PLAIN})
    add_library(${target} INTERFACE)
    if(ARG_STD)
        _sel4_rust_use_std("${std}")
        # The hooks that an application may define.
        target_include_directories(${target} INTERFACE "${SEL4_RUST_DIR}/libsel4std/include")
    endif()
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${fact_INPUT})

    # The crate in the requests for its header and for bundles.
    set(crate "")
    _sel4_rust_put(crate TEXT package "${fact_PACKAGE}")
    _sel4_rust_put(crate TEXT manifest "${fact_MANIFEST}")
    _sel4_rust_put(crate LIST features "${ARG_FEATURES}")
    _sel4_rust_put(crate FLAG no-default-features "${ARG_NO_DEFAULT_FEATURES}")
    _sel4_rust_add_header(${target} "${ARG_HEADER}" "${crate}" "${facts}")
    _sel4_rust_put(crate TEXT target ${target})
    _sel4_rust_put(crate TEXT header "${CMAKE_CURRENT_BINARY_DIR}/${target}-include/${ARG_HEADER}")
    _sel4_rust_put(crate TEXT lock "${fact_LOCK}")
    _sel4_rust_put(crate TEXT profile "${ARG_PROFILE}")
    _sel4_rust_put(crate FLAG std "${ARG_STD}")
    set_target_properties(${target} PROPERTIES SEL4_RUST_LIBRARY "${crate}")
    set_property(GLOBAL APPEND PROPERTY SEL4_RUST_LIBRARIES ${target})
    # In the library's place on the linker's command line, behind whatever calls it, stands the bundle of the
    # executable that is linked.
    target_link_libraries(${target} INTERFACE "$<TARGET_PROPERTY:SEL4_RUST_BUNDLE>")
    _sel4_rust_bundle_at_end()
endfunction()

# Adds the step that writes the header of `target`, and puts it on the include path of what links the target. `crate` is
# the crate's part of the request, and `facts` are those of the step `crate`. Bundles make it wait for rustc, so that the
# compiler reports an error in the Rust code.
function(_sel4_rust_add_header target header crate facts)
    _sel4_rust_read_facts("${facts}" MANIFEST CBINDGEN)
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    get_property(rustc GLOBAL PROPERTY SEL4_RUST_RUSTC)
    set(dir "${CMAKE_CURRENT_BINARY_DIR}/${target}-include")
    set(request "${crate}")
    _sel4_rust_put_cargo(request)
    # Known at the end of the configuration: a later library with STD changes it.
    _sel4_rust_put(request TEXT cargo.target "$<TARGET_PROPERTY:${target},SEL4_RUST_HEADER_TRIPLE>")
    # Corrosion's; build scripts write below it.
    _sel4_rust_put(request TEXT target-folder "${CMAKE_BINARY_DIR}/cargo")
    _sel4_rust_put(request TEXT out "${dir}/${header}")
    _sel4_rust_put(request TEXT depfile "${dir}/${header}.d")
    _sel4_rust_put(request TEXT config "${fact_CBINDGEN}")
    if(RUST_HEADER_CHECK)
        _sel4_rust_flags(flags "")
        _sel4_rust_put(request TEXT judge.cc "${CMAKE_C_COMPILER}")
        _sel4_rust_put(request LIST judge.flags "${flags}")
        # Known at the end, too.
        _sel4_rust_put(request TEXT judge.cxx "$<TARGET_PROPERTY:${target},SEL4_RUST_CXX>")
        _sel4_rust_put(request TEXT judge.archive "$<TARGET_PROPERTY:${target},SEL4_RUST_ARCHIVE>")
        set(folders "$<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>")
        foreach(library IN ITEMS sel4 muslc)
            list(
                APPEND folders
                "$<$<TARGET_EXISTS:${library}>:$<TARGET_PROPERTY:${library},INTERFACE_INCLUDE_DIRECTORIES>>"
            )
        endforeach()
        _sel4_rust_put(request GENEX judge.include-dirs "${folders}")
    endif()
    _sel4_rust_request_file(file header ${target})
    # CMake evaluates the content for each language of the project. C's counts.
    set(other_language "$<$<NOT:$<COMPILE_LANGUAGE:C>>:.$<COMPILE_LANGUAGE>>")
    file(GENERATE OUTPUT "${file}${other_language}" CONTENT "${request}")
    add_custom_command(
        OUTPUT "${dir}/${header}"
        COMMAND "${CMAKE_COMMAND}" -E env "RUSTC=${rustc}" "${tool}" header "${file}"
        DEPENDS "${tool}" "${file}" "${fact_MANIFEST}" ${fact_CBINDGEN}
        DEPFILE "${dir}/${header}.d"
        COMMENT "Rust: writing the header ${header}"
        VERBATIM
    )
    add_custom_target(${target}-header DEPENDS "${dir}/${header}")
    target_include_directories(${target} INTERFACE "${dir}")
    add_dependencies(${target} ${target}-header)
endfunction()
