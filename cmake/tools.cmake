# SPDX-License-Identifier: BSD-2-Clause
#
# The tools that a build with Rust in it needs: cargo and rustc, Corrosion, and the kit's own host tool. They are
# looked for when the first Rust library is added, so a build without Rust needs none of them.

# Sets `answer` to what the script `name` of tools/ prints, given the arguments that follow. Stops with its message if it
# refuses.
function(_sel4_rust_ask answer name)
    execute_process(
        COMMAND sh "${SEL4_RUST_DIR}/tools/${name}" ${ARGN}
        OUTPUT_VARIABLE stdout
        ERROR_VARIABLE stderr
        RESULT_VARIABLE result
        OUTPUT_STRIP_TRAILING_WHITESPACE
        ERROR_STRIP_TRAILING_WHITESPACE
    )
    if(NOT result EQUAL 0)
        string(REGEX REPLACE "^error: " "" stderr "${stderr}")
        string(REPLACE "\nhelp: " "\nHelp: " stderr "${stderr}")
        _sel4_rust_stop("${stderr}")
    endif()
    set(${answer} "${stdout}" PARENT_SCOPE)
endfunction()

# Finds the tools, once per configuration, and keeps them in global properties:
#   SEL4_RUST_CARGO, SEL4_RUST_RUSTC  of the toolchain that is active in the project's folder
#   SEL4_RUST_TOOL                 the host tool
function(_sel4_rust_find_tools)
    get_property(found GLOBAL PROPERTY SEL4_RUST_CARGO SET)
    if(found)
        return()
    endif()

    _sel4_rust_ask(_ check-paths "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}" "${SEL4_RUST_DIR}" "${KERNEL_PATH}")
    foreach(tool IN ITEMS cargo rustc)
        find_program(_sel4_rust_${tool} ${tool} NO_CACHE)
        if(NOT _sel4_rust_${tool})
            _sel4_rust_error(
                "`${tool}` is not on PATH, and this project has Rust libraries."
                "install Rust (https://rustup.rs), open a new shell, and configure again"
            )
        endif()
    endforeach()

    # rustup's proxies pick a toolchain by the working folder; asked in the source folder, they honour the
    # project's rust-toolchain.toml wherever the build folder lies.
    execute_process(
        COMMAND "${_sel4_rust_rustc}" --print sysroot
        WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
        OUTPUT_VARIABLE sysroot
        ERROR_VARIABLE stderr
        RESULT_VARIABLE result
        OUTPUT_STRIP_TRAILING_WHITESPACE
    )
    if(NOT result EQUAL 0)
        _sel4_rust_error(
            "`${_sel4_rust_rustc} --print sysroot` failed: ${stderr}"
            "run it in ${CMAKE_SOURCE_DIR} and fix what it reports"
        )
    endif()
    foreach(tool IN ITEMS cargo rustc)
        if(EXISTS "${sysroot}/bin/${tool}")
            set(_sel4_rust_${tool} "${sysroot}/bin/${tool}")
        endif()
    endforeach()

    execute_process(COMMAND "${_sel4_rust_rustc}" -vV OUTPUT_VARIABLE rustc_version)
    string(REGEX MATCH "release: ([0-9.]+)" _ "${rustc_version}")
    set(version "${CMAKE_MATCH_1}")
    foreach(key IN ITEMS rust-version newest-tested-rustc)
        file(STRINGS "${SEL4_RUST_DIR}/Cargo.toml" line REGEX "^${key} = ")
        string(REGEX MATCH "[0-9.]+" ${key} "${line}")
    endforeach()
    set(minimum "${rust-version}")
    set(newest "${newest-tested-rustc}")
    if(version VERSION_LESS minimum)
        _sel4_rust_error("rustc `${version}` is too old; the kit needs ${minimum} or later." "rustup update stable")
    elseif(version VERSION_GREATER newest)
        message(
            STATUS
            "rustc `${version}` is newer than the newest that sel4-rust-kit is tested with (${minimum} to ${newest})"
        )
    endif()

    # `rustup update` replaces it.
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_sel4_rust_rustc}")
    set_property(GLOBAL PROPERTY SEL4_RUST_RUSTC "${_sel4_rust_rustc}")
    set_property(GLOBAL PROPERTY SEL4_RUST_CARGO "${_sel4_rust_cargo}")
    set_property(GLOBAL PROPERTY SEL4_RUST_SYSROOT "${sysroot}")
    _sel4_rust_place_tool("${rustc_version}")
    _sel4_rust_build_tool(sel4-rust)
endfunction()

# Chooses the folder in the user's cache for the programs of rust/tool, by toolchain and version of their sources.
# Sets the global properties SEL4_RUST_TOOL, the path of the host tool, and SEL4_RUST_HOST, the triple of this machine.
function(_sel4_rust_place_tool rustc_version)
    # The workspace says how the tool is optimised.
    set(sources "${SEL4_RUST_DIR}/Cargo.toml" "${SEL4_RUST_DIR}/Cargo.lock")
    file(
        GLOB_RECURSE more
        "${SEL4_RUST_DIR}/rust/tool/*.rs"
        "${SEL4_RUST_DIR}/rust/tool/*.toml"
        "${SEL4_RUST_DIR}/rust/tool/*.sh"
    )
    list(FILTER more EXCLUDE REGEX "/rust/tool/(.*/)?tests/")
    list(APPEND sources ${more})
    # A changed host tool must be noticed by a build folder that is configured already.
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
    set(key "${rustc_version}")
    foreach(source IN LISTS sources)
        file(SHA256 "${source}" hash)
        string(APPEND key "${hash}")
    endforeach()
    string(SHA256 key "${key}")
    string(SUBSTRING "${key}" 0 16 key)

    if(IS_ABSOLUTE "$ENV{XDG_CACHE_HOME}" OR IS_ABSOLUTE "$ENV{HOME}")
        _sel4_rust_ask(cache cache-folder)
        # The tool's path goes into commands that link.
        _sel4_rust_ask(_ check-paths "${cache}")
        string(APPEND cache "/tool")
    else()
        set(cache "${CMAKE_BINARY_DIR}/rust/tool")
    endif()
    string(REGEX MATCH "host: ([^\n]+)" _ "${rustc_version}")
    set_property(GLOBAL PROPERTY SEL4_RUST_HOST "${CMAKE_MATCH_1}")
    set_property(GLOBAL PROPERTY SEL4_RUST_TOOL "${cache}/${key}/sel4-rust")
endfunction()

# Builds the program `name`, which is a package of the kit's workspace too, once per user, toolchain and version of its
# sources, beside the host tool.
function(_sel4_rust_build_tool name)
    get_property(cargo GLOBAL PROPERTY SEL4_RUST_CARGO)
    get_property(rustc GLOBAL PROPERTY SEL4_RUST_RUSTC)
    get_property(host GLOBAL PROPERTY SEL4_RUST_HOST)
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    get_filename_component(folder "${tool}" DIRECTORY)
    get_filename_component(cache "${folder}" DIRECTORY)
    set(program "${folder}/${name}")
    if(NOT EXISTS "${program}")
        # Who configures at the same time waits, and finds it built.
        file(LOCK "${cache}/lock" GUARD FUNCTION TIMEOUT 0 RESULT_VARIABLE busy)
        if(busy)
            message(STATUS "Waiting for another configuration that builds `${name}`")
            file(LOCK "${cache}/lock" GUARD FUNCTION)
        endif()
    endif()
    if(NOT EXISTS "${program}")
        message(STATUS "Building the Rust host tool `${name}`, once per user and toolchain, into ${folder}")
        string(RANDOM LENGTH 8 unique)
        set(scratch "${cache}/building-${unique}")
        # What the user set for builds of their own must not move or change this one, which other builds share: neither
        # in the environment (names of variables that decide how cargo compiles, not how it fetches) nor in a
        # .cargo/config.toml above the kit, whose flags and wrappers the empty variables override.
        execute_process(COMMAND "${CMAKE_COMMAND}" -E environment OUTPUT_VARIABLE environment)
        string(
            REGEX MATCHALL
                "(CARGO_(BUILD|PROFILE|TARGET|UNSTABLE|INCREMENTAL)|RUSTC|RUSTDOC|RUSTFLAGS|RUSTDOCFLAGS|CC|CFLAGS)[A-Za-z0-9_]*="
            names
            "${environment}"
        )
        list(TRANSFORM names REPLACE "^(.*)=$" "--unset=\\1")
        execute_process(
            COMMAND
                "${CMAKE_COMMAND}" -E env ${names} "RUSTC=${rustc}" RUSTC_WRAPPER= RUSTC_WORKSPACE_WRAPPER=
                CARGO_ENCODED_RUSTFLAGS= "${cargo}" build --locked --profile tool --package ${name} --target ${host}
                --target-dir "${scratch}"
            WORKING_DIRECTORY "${SEL4_RUST_DIR}"
            RESULT_VARIABLE result
        )
        if(result EQUAL 0)
            # The program appears whole or not at all.
            file(MAKE_DIRECTORY "${folder}")
            file(RENAME "${scratch}/${host}/tool/${name}" "${program}" RESULT result)
        endif()
        file(REMOVE_RECURSE "${scratch}")
        if(NOT EXISTS "${program}")
            _sel4_rust_error(
                "the Rust host tool could not be built into `${program}` (${result})."
                "see cargo's message above; the first build needs the network, or `cargo fetch` run before in ${SEL4_RUST_DIR}"
            )
        endif()
    endif()
endfunction()

# Brings in Corrosion for `triple`, from where it is at hand: already in the project, beside the kernel as the
# manifest puts it, or installed as a package.
macro(_sel4_rust_import_corrosion triple)
    if(NOT COMMAND corrosion_import_crate)
        get_property(Rust_COMPILER GLOBAL PROPERTY SEL4_RUST_RUSTC)
        get_property(Rust_CARGO GLOBAL PROPERTY SEL4_RUST_CARGO)
        set(Rust_RESOLVE_RUSTUP_TOOLCHAINS OFF CACHE BOOL "The kit names cargo and rustc itself" FORCE)
        set(Rust_CARGO_TARGET "${triple}")
        # C's libraries come from this build, never from what rustc would link on a host.
        set(Rust_CARGO_TARGET_LINK_NATIVE_LIBS "")
        if(EXISTS "${KERNEL_PATH}/../tools/corrosion/cmake/Corrosion.cmake")
            list(APPEND CMAKE_MODULE_PATH "${KERNEL_PATH}/../tools/corrosion/cmake")
            include(Corrosion)
            set_property(GLOBAL PROPERTY SEL4_RUST_CORROSION_HAS_NO_USES_TERMINAL TRUE)
        else()
            find_package(Corrosion 0.5 QUIET CMAKE_FIND_ROOT_PATH_BOTH)
            if(Corrosion_VERSION VERSION_GREATER_EQUAL 0.6)
                set_property(GLOBAL PROPERTY SEL4_RUST_CORROSION_HAS_NO_USES_TERMINAL TRUE)
            endif()
        endif()
        if(NOT COMMAND corrosion_import_crate)
            _sel4_rust_error(
                "Corrosion, which drives cargo, is not installed, nor is it at tools/corrosion beside the kernel (KERNEL_PATH is `${KERNEL_PATH}`)."
                "repo sync with the kit's manifest.xml, or name an installed one with -DCorrosion_DIR="
            )
        endif()
    elseif(DEFINED Rust_CARGO_TARGET_CACHED AND NOT Rust_CARGO_TARGET_CACHED STREQUAL "${triple}")
        _sel4_rust_error(
            "the project brought in Corrosion for `${Rust_CARGO_TARGET_CACHED}`, but this build needs `${triple}`."
            "remove the project's own find_package(Corrosion), or set Rust_CARGO_TARGET to ${triple} before it"
        )
    endif()
endmacro()
