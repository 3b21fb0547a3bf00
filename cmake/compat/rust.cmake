# SPDX-License-Identifier: BSD-2-Clause
#
# The module `rust` of seL4_tools, whose RustAddLibrary() needs xargo and a nightly compiler of 2018. Here the same
# call builds with stable cargo.

include_guard(GLOBAL)

#[=======================================================================[.md:
ANCHOR: RustAddLibrary
```cmake
RustAddLibrary(<target>
    SOURCE_DIR <dir>
    LIB_FILENAME <lib….a>
    TARGET <name>
    [BUILD_DIR <dir>]
    [DEPENDS <target>...])
```

For projects written for the function of this name in seL4_tools. Builds the crate in `SOURCE_DIR` to
`BUILD_DIR/LIB_FILENAME` (`BUILD_DIR` defaults to the current binary folder), after `DEPENDS`, and makes `target` of
it. The crate is a `staticlib` that stands alone: it brings its own panic handler, and does not join the bundle that
the libraries of `add_rust_library()` share. At most one such library fits into an executable. `RustGetCustomTargetPath()`
does not exist here: there are no target descriptions.

`TARGET` named a target description of seL4_tools; it is read and not used, since the Rust target follows from the
build's configuration. New code uses `add_rust_library()`.
ANCHOR_END: RustAddLibrary
#]=======================================================================]
function(RustAddLibrary target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "SOURCE_DIR;BUILD_DIR;TARGET;LIB_FILENAME" "DEPENDS")
    set(call "RustAddLibrary(${target})")
    if(DEFINED ARG_UNPARSED_ARGUMENTS)
        list(JOIN ARG_UNPARSED_ARGUMENTS " " unknown)
        _sel4_rust_error(
            "${call} does not know the argument `${unknown}`."
            "it takes SOURCE_DIR, BUILD_DIR, TARGET, LIB_FILENAME and DEPENDS"
        )
    endif()
    foreach(required IN ITEMS SOURCE_DIR LIB_FILENAME TARGET)
        if(NOT ARG_${required})
            _sel4_rust_error("${call} has no ${required}." "give all of SOURCE_DIR, LIB_FILENAME and TARGET")
        endif()
    endforeach()
    if(TARGET ${target})
        _sel4_rust_error("${call}: there is a target `${target}` already." "give the library another name")
    endif()
    cmake_path(ABSOLUTE_PATH ARG_SOURCE_DIR BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    # The lock of a workspace's member lies at the workspace's root.
    set(dir "${ARG_SOURCE_DIR}")
    while(NOT EXISTS "${dir}/Cargo.lock")
        cmake_path(GET dir PARENT_PATH parent)
        if(parent STREQUAL dir)
            _sel4_rust_error(
                "${call}: there is no `${ARG_SOURCE_DIR}/Cargo.lock`, nor one above it."
                "cargo generate-lockfile --manifest-path ${ARG_SOURCE_DIR}/Cargo.toml"
            )
        endif()
        set(dir "${parent}")
    endwhile()
    if(NOT ARG_BUILD_DIR)
        set(ARG_BUILD_DIR "${CMAKE_CURRENT_BINARY_DIR}")
    endif()

    _sel4_rust_find_triple(triple)

    get_property(cargo GLOBAL PROPERTY SEL4_RUST_CARGO)
    get_property(rustc GLOBAL PROPERTY SEL4_RUST_RUSTC)
    _sel4_rust_cargo_profile(profile)
    set(profile_dir debug)
    if(NOT profile STREQUAL "dev")
        # The crate's workspace knows cargo's own profiles only.
        set(profile release)
        set(profile_dir release)
    endif()
    set(cargo_dir "${CMAKE_CURRENT_BINARY_DIR}/${target}-cargo")
    set(archive "${ARG_BUILD_DIR}/${ARG_LIB_FILENAME}")
    # DEPENDS takes targets and files.
    set(files "")
    set(targets "")
    foreach(item IN LISTS ARG_DEPENDS)
        if(TARGET "${item}")
            list(APPEND targets ${item})
        else()
            list(APPEND files "${item}")
        endif()
    endforeach()
    # One object of the crate, so that functions which C refers to weakly, as CAmkES does, come with those that it calls.
    # Runs at every build, and cargo finds out whether there is anything to do.
    add_custom_target(
        ${target}_custom
        BYPRODUCTS "${archive}"
        COMMAND
            "${CMAKE_COMMAND}" -E env "CARGO_BUILD_RUSTC=${rustc}" CARGO_PROFILE_DEV_PANIC=abort
            CARGO_PROFILE_RELEASE_PANIC=abort CARGO_PROFILE_DEV_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
            "${cargo}" rustc --lib --crate-type staticlib --locked --quiet --profile ${profile} --target ${triple}
            --target-dir "${cargo_dir}"
        COMMAND "${CMAKE_COMMAND}" -E make_directory "${ARG_BUILD_DIR}"
        COMMAND
            "${CMAKE_COMMAND}" -E copy_if_different "${cargo_dir}/${triple}/${profile_dir}/${ARG_LIB_FILENAME}"
            "${archive}"
        DEPENDS ${files}
        WORKING_DIRECTORY "${ARG_SOURCE_DIR}"
        COMMENT "Rust: building ${ARG_LIB_FILENAME}"
        USES_TERMINAL
        VERBATIM
    )
    if(targets)
        add_dependencies(${target}_custom ${targets})
    endif()

    add_library(${target} STATIC IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${archive}")
    add_dependencies(${target} ${target}_custom)
    if(triple MATCHES "-linux-musl$")
        # The prebuilt core of these targets names the unwinder's entry, which an aborting image never calls.
        set_target_properties(${target} PROPERTIES INTERFACE_LINK_OPTIONS "-Wl,--defsym=rust_eh_personality=0")
    endif()
endfunction()
