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
    [ENV <NAME>=<value>...]
    [CFG <name>[="<value>"]...]
    [INCLUDE_DIRECTORIES <dir>...]
    [DEPENDS <target>...]
    [BINDS <target>...]
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
* **ENV**: environment variables while cargo builds, for `env!("NAME")` and build scripts.
* **CFG**: cfgs of Rust, such as `CFG tracing "board=\"zynqmp\""` for `#[cfg(tracing)]` and `#[cfg(board = "zynqmp")]`.
* **INCLUDE_DIRECTORIES**: folders of C headers for build scripts, beside those of libsel4 and muslc.
* **DEPENDS**: targets to build first, such as one that generates a file that the crate includes.
* **BINDS**: C libraries whose headers the crate calls. For a library `led`, `include!(env!("LED_BINDINGS"))` has its types,
  constants and functions, `static inline` ones as well.
* **STD**: the crate uses Rust's std, on aarch64 and x86_64. If one library of an executable does, panics and the heap are
  std's for all of them; [std on seL4](std.md) says what there is and what is refused.

Without STD, the crate is an ordinary `#![no_std]` library: it needs no `crate-type`, no panic handler and no allocator.
It must have a `Cargo.lock`, which the build uses as it is. C sees its `extern "C"` functions that are `#[unsafe(no_mangle)]`.

ENV, CFG, INCLUDE_DIRECTORIES and DEPENDS take generator expressions. They hold for all crates of an executable, which are built
together; two libraries of one executable must not give a variable different values. [CMake and the crate](cmake-and-crates.md)
has an example of each, and what build scripts with the `cc` crate compile.

All Rust libraries that one executable links, directly or through C libraries, share one panic handler, one heap and
the statics of the crates they have in common. The cache variables `RUST_HEAP_BYTES`, `RUST_HEAP` and
`RUST_LOG_LEVEL` say how large the heap is, which allocator serves it, and what the `log` crate lets through.
ANCHOR_END: add_rust_library
#]=======================================================================]
function(add_rust_library target)
    cmake_parse_arguments(
        PARSE_ARGV 1
        ARG
        "NO_DEFAULT_FEATURES;STD"
        "MANIFEST_PATH;PACKAGE;HEADER;PROFILE"
        "FEATURES;ENV;CFG;INCLUDE_DIRECTORIES;DEPENDS;BINDS"
    )
    set(call "add_rust_library(${target})")
    if(DEFINED ARG_UNPARSED_ARGUMENTS)
        list(JOIN ARG_UNPARSED_ARGUMENTS " " unknown)
        _sel4_rust_error(
            "${call} does not know the argument `${unknown}`."
            "it takes MANIFEST_PATH, PACKAGE, HEADER, PROFILE, FEATURES, NO_DEFAULT_FEATURES, ENV, CFG, INCLUDE_DIRECTORIES, DEPENDS, BINDS and STD"
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
    foreach(variable IN LISTS ARG_ENV)
        if(NOT variable MATCHES "^[A-Za-z_][A-Za-z0-9_]*=")
            _sel4_rust_error("${call}: ENV has `${variable}`, which is not NAME=value." "write ENV \"BOARD=zynqmp\"")
        elseif(variable MATCHES "^(RUST|CARGO|SEL4_)")
            _sel4_rust_error(
                "${call}: ENV sets `${variable}`, and cargo and the kit use such names."
                "give the variable a name of your own; cfgs are set by CFG, and profiles by PROFILE"
            )
        endif()
    endforeach()
    foreach(cfg IN LISTS ARG_CFG)
        if(NOT cfg MATCHES "^([A-Za-z_][A-Za-z0-9_]*(=\".*\")?|.*\\$<.*)$")
            _sel4_rust_error(
                "${call}: CFG has `${cfg}`, which is neither a name nor name=\"value\"."
                "write CFG tracing or CFG \"board=\\\"zynqmp\\\"\""
            )
        endif()
    endforeach()
    if(NOT DEFINED ARG_MANIFEST_PATH)
        set(ARG_MANIFEST_PATH "Cargo.toml")
    endif()
    if(NOT DEFINED ARG_HEADER)
        set(ARG_HEADER "${target}.h")
    endif()
    # In a file that is included, the current source folder is that of another.
    cmake_path(ABSOLUTE_PATH ARG_MANIFEST_PATH BASE_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}" NORMALIZE)

    _sel4_rust_camkes_begin()
    _sel4_rust_find_tools()
    _sel4_rust_flags(flags "")
    set(std "")
    if(ARG_STD)
        set(std "add_rust_library(${target} STD)")
    endif()
    set(request "")
    _sel4_rust_put_cargo(request)
    _sel4_rust_put_compiler(request "${flags}" "${std}")
    _sel4_rust_put(request TEXT project "${CMAKE_SOURCE_DIR}")
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
        LINKS
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
    list(TRANSFORM ARG_INCLUDE_DIRECTORIES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/$]")
    set_target_properties(
        ${target}
        PROPERTIES
            SEL4_RUST_LIBRARY "${crate}"
            SEL4_RUST_LINKS "${fact_LINKS}"
            SEL4_RUST_HEADER "${ARG_HEADER}"
            SEL4_RUST_ENV "${ARG_ENV}"
            SEL4_RUST_CFG "${ARG_CFG}"
            SEL4_RUST_INCLUDES "${ARG_INCLUDE_DIRECTORIES}"
            SEL4_RUST_DEPENDS "${ARG_DEPENDS}"
            SEL4_RUST_BINDS "${ARG_BINDS}"
    )
    set_property(GLOBAL APPEND PROPERTY SEL4_RUST_LIBRARIES ${target})
    # In the library's place on the linker's command line, behind whatever calls it, stands the bundle of the
    # executable that is linked. CMake takes a name with `::` for a target, and so reports an executable without a bundle.
    set(bundle "$<TARGET_PROPERTY:SEL4_RUST_BUNDLE>")
    set(is_executable "$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>")
    string(
        CONCAT missing
        "sel4_rust::no_archive for the executable `$<TARGET_PROPERTY:NAME>`: it links `${target}` in a way that the kit "
        "does not see.\n  Help: add the executable before the project's CMakeLists.txt ends$<COMMA> and name the library in "
        "its target_link_libraries()"
    )
    target_link_libraries(
        ${target}
        INTERFACE "${bundle}" "$<$<AND:${is_executable},$<NOT:$<BOOL:${bundle}>>>:${missing}>"
    )
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
    # The bundle decides on features; a header has no other condition, either.
    _sel4_rust_put(request GENEX bundles "$<TARGET_PROPERTY:${target},SEL4_RUST_MANIFESTS>")
    _sel4_rust_put(request GENEX configs "$<TARGET_PROPERTY:${target},SEL4_RUST_CONFIGS>")
    _sel4_rust_put(request FLAG exact TRUE)
    # Those of all libraries of the executable.
    _sel4_rust_put(request GENEX cfgs "sel4;$<TARGET_GENEX_EVAL:${target},$<TARGET_PROPERTY:${target},SEL4_RUST_CFGS>>")
    _sel4_rust_put(
        request
        GENEX
        variables
        "$<TARGET_GENEX_EVAL:${target},$<TARGET_PROPERTY:${target},SEL4_RUST_ENVIRONMENT>>"
    )
    _sel4_rust_environment_flags(rustflags)
    _sel4_rust_put(request LIST rustflags "${rustflags}")
    _sel4_rust_cargo_profile(profile)
    if(profile STREQUAL "dev")
        _sel4_rust_put(request FLAG debug-assertions TRUE)
    endif()
    if(RUST_HEADER_CHECK)
        _sel4_rust_flags(flags "")
        _sel4_rust_put(request TEXT judge.cc "${CMAKE_C_COMPILER}")
        _sel4_rust_put(request LIST judge.flags "${flags}")
        # Known at the end, too.
        _sel4_rust_put(request TEXT judge.cxx "$<TARGET_PROPERTY:${target},SEL4_RUST_CXX>")
        _sel4_rust_put(request TEXT judge.archive "$<TARGET_PROPERTY:${target},SEL4_RUST_ARCHIVE>")
        _sel4_rust_header_folders(folders)
        list(PREPEND folders "$<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>")
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
