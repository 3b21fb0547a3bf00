# SPDX-License-Identifier: BSD-2-Clause
#
# One Rust archive per executable, the bundle. A Rust static library carries a panic handler, an allocator and a copy
# of every crate it uses, so two of them in one executable clash or, worse, duplicate statics. Hence all Rust
# libraries that an executable reaches become dependencies of one generated crate, which Corrosion builds.
#
# What an executable reaches is known when the whole project is read; the work is done then.

function(_sel4_rust_bundle_at_end)
    get_property(scheduled GLOBAL PROPERTY SEL4_RUST_BUNDLE_AT_END)
    if(NOT scheduled)
        set_property(GLOBAL PROPERTY SEL4_RUST_BUNDLE_AT_END TRUE)
        cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL _sel4_rust_make_bundles)
    endif()
endfunction()

function(_sel4_rust_make_bundles)
    _sel4_rust_settle_triple(triple)
    _sel4_rust_import_corrosion(${triple})
    _sel4_rust_comment_cargo_steps()
    _sel4_rust_find_executables("${CMAKE_SOURCE_DIR}" executables)
    foreach(executable IN LISTS executables)
        set_property(GLOBAL PROPERTY SEL4_RUST_SEEN "")
        _sel4_rust_find_libraries(${executable} libraries)
        get_target_property(needed ${executable} SEL4_RUST_NEEDS_BUNDLE)
        if(libraries OR needed)
            _sel4_rust_make_bundle(${executable} "${libraries}")
        endif()
    endforeach()
endfunction()

# Corrosion gives its cargo step no COMMENT, and so ninja shows the whole command line, some 700 characters, at every
# build. No property of the target can mend that afterwards. So the command of CMake is wrapped, once and after the
# project's own targets are made; arguments pass through unchanged. It can go when Corrosion has a COMMENT.
function(_sel4_rust_comment_cargo_steps)
    if(COMMAND _add_custom_target)
        return()
    endif()
    function(add_custom_target name)
        math(EXPR last "${ARGC} - 1")
        set(call "")
        foreach(i RANGE ${last})
            string(APPEND call " [==[${ARGV${i}}]==]")
        endforeach()
        if(name MATCHES "^_cargo-build_sel4_rust_(.*)")
            string(APPEND call " COMMENT [==[Rust: building what ${CMAKE_MATCH_1} links]==]")
        endif()
        cmake_language(EVAL CODE "_add_custom_target(${call})")
    endfunction()
endfunction()

# Writes the bundle of `executable`, has Corrosion build it, and links it.
function(_sel4_rust_make_bundle executable libraries)
    string(MAKE_C_IDENTIFIER "sel4_rust_${executable}" bundle)
    # The executables `a-b` and `a_b` have the same identifier.
    while(TARGET ${bundle})
        string(APPEND bundle "_")
    endwhile()
    set(dir "${CMAKE_BINARY_DIR}/rust/${executable}")
    # Sorted, so that the bundle does not depend on the order in which CMake met the libraries.
    list(SORT libraries)

    if(libraries)
        list(JOIN libraries ", " names)
        message(STATUS "Rust in ${executable}: ${names}")
    endif()
    # Whoever links both would find one of the two, and C calls what it has no prototype of all the same.
    set(headers "")
    foreach(library IN LISTS libraries)
        get_target_property(header ${library} SEL4_RUST_HEADER)
        list(FIND headers "${header}" index)
        if(NOT index EQUAL -1)
            list(GET libraries ${index} other)
            _sel4_rust_error(
                "`${executable}` links `${other}` and `${library}`, whose headers are both called `${header}`."
                "give one of them another name: add_rust_library(${library} HEADER ${library}.h)"
            )
        endif()
        list(APPEND headers "${header}")
    endforeach()
    _sel4_rust_has_std("${libraries}" std)
    _sel4_rust_write_bundle(${bundle} "${dir}" "${libraries}" ${std} native_libraries)
    # The hosted platform's libsel4 is a crate itself.
    if(KernelPlatform STREQUAL "hosted")
        list(REMOVE_ITEM native_libraries sel4)
        foreach(library IN LISTS libraries)
            get_target_property(uses_std ${library} SEL4_RUST_STD)
            if(uses_std)
                target_sources(${executable} PRIVATE $<TARGET_OBJECTS:sel4std>)
                break()
            endif()
        endforeach()
    endif()
    if("sel4" IN_LIST native_libraries)
        _sel4_rust_add_bindings()
    endif()

    set(flags --locked)
    foreach(library IN LISTS libraries)
        get_target_property(configs ${library} SEL4_RUST_CONFIG)
        if(configs)
            # cargo lets a later one win; the nearest to the crate comes first here.
            list(REVERSE configs)
            foreach(config IN LISTS configs)
                list(APPEND flags "--config=${config}")
            endforeach()
        endif()
    endforeach()
    list(REMOVE_DUPLICATES flags)
    _sel4_rust_cargo_profile(profile)
    corrosion_import_crate(
        MANIFEST_PATH "${dir}/Cargo.toml"
        CRATES ${bundle}
        CRATE_TYPES staticlib
        PROFILE ${profile}
        NO_LINKER_OVERRIDE
        FLAGS ${flags}
    )
    set_target_properties(${bundle} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY "${dir}/archive")
    # Only those who link the bundle want it built.
    set_target_properties(cargo-build_${bundle} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    set_target_properties(_cargo-build_${bundle} PROPERTIES EchoString "Rust: taking the archive of ${executable}")

    set(inlined "")
    if("sel4" IN_LIST native_libraries)
        _sel4_rust_inline(${bundle} "${dir}" inlined)
    endif()
    _sel4_rust_seal(${bundle} "${dir}" "${inlined}" ${std})
    if(std)
        _sel4_rust_link_std(${executable} ${bundle})
    endif()
    if("sel4" IN_LIST native_libraries)
        _sel4_rust_link_bindings(${bundle})
    endif()
    if("sel4-test" IN_LIST native_libraries)
        _sel4_rust_write_test_runner(${executable})
    endif()
    _sel4_rust_write_backtrace(${executable})
    foreach(library IN LISTS libraries)
        # One bundle is enough for rustc to speak first; the others are not made to wait for each other.
        get_target_property(waits ${library}-header SEL4_RUST_WAITS)
        if(NOT waits)
            set_target_properties(${library}-header PROPERTIES SEL4_RUST_WAITS TRUE)
            add_dependencies(${library}-header cargo-build_${bundle})
        endif()
        # What the library needs of C's comes behind the archive on the linker's command line.
        get_target_property(needs ${library} INTERFACE_LINK_LIBRARIES)
        list(FILTER needs EXCLUDE REGEX "SEL4_RUST_BUNDLE|^::@")
        list(REMOVE_ITEM needs ${libraries})
        set_property(TARGET ${bundle}-sealed APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${needs})
    endforeach()
    # The Rust libraries name it by this property of whatever links them.
    set_target_properties(${executable} PROPERTIES SEL4_RUST_BUNDLE ${bundle}-sealed)
endfunction()

# Has the host tool write the bundle's crate into `dir`, and what cargo is to know of this build when it builds it. Sets
# `out` to the native libraries that its packages stand for.
function(_sel4_rust_write_bundle bundle dir libraries std out)
    if(NOT RUST_HEAP_BYTES MATCHES "^[1-9][0-9]*$")
        _sel4_rust_error(
            "RUST_HEAP_BYTES is `${RUST_HEAP_BYTES}`; it must be a number of bytes above 0."
            "configure with -DRUST_HEAP_BYTES=262144 or another size"
        )
    endif()
    _sel4_rust_check_choice(RUST_HEAP "linked-list;rlsf;muslc;none")
    _sel4_rust_check_choice(RUST_LOG_LEVEL "off;error;warn;info;debug;trace")
    _sel4_rust_cargo_profile(profile)
    get_property(triple GLOBAL PROPERTY SEL4_RUST_TRIPLE)

    set(options "")
    foreach(library IN LISTS libraries)
        get_target_property(package ${library} SEL4_RUST_PACKAGE)
        get_target_property(manifest ${library} SEL4_RUST_MANIFEST)
        get_target_property(lock ${library} SEL4_RUST_LOCK)
        get_target_property(features ${library} SEL4_RUST_FEATURES)
        get_target_property(no_default_features ${library} SEL4_RUST_NO_DEFAULT_FEATURES)
        get_target_property(library_profile ${library} SEL4_RUST_PROFILE)
        list(
            APPEND
            options
            --library
            ${library}
            --package
            "${package}"
            --manifest-path
            "${manifest}"
            --lock
            "${lock}"
        )
        foreach(feature IN LISTS features)
            list(APPEND options --feature "${feature}")
        endforeach()
        if(no_default_features)
            list(APPEND options --no-default-features)
        endif()
        if(library_profile)
            list(APPEND options --library-profile "${library_profile}")
        endif()
    endforeach()
    _sel4_rust_bindings_dir(bindings_dir)
    set(bindings --bindings-dir "${bindings_dir}")
    set(runtime --runtime "${SEL4_RUST_DIR}/rust/libsel4-rt/Cargo.toml" --runtime-lock
                "${SEL4_RUST_DIR}/Cargo.lock" --runtime-feature heap-${RUST_HEAP}
    )
    if(std)
        list(REMOVE_ITEM runtime heap-${RUST_HEAP})
        list(APPEND runtime heap-none --runtime-feature std --std)
        if(RUST_STD_PANIC STREQUAL "abort")
            list(APPEND runtime --panic-abort)
        endif()
    endif()
    if(KernelPlatform STREQUAL "hosted")
        # With the model of the kernel. The heap is that of Rust's std, which is C's. libsel4 is what libsel4-sys takes
        # where none is named.
        set(runtime --runtime "${SEL4_RUST_DIR}/hosted/rt/Cargo.toml" --runtime-lock "${SEL4_RUST_DIR}/Cargo.lock")
        if(KernelIsMCS)
            list(APPEND runtime --runtime-feature mcs)
        endif()
        set(bindings --env SEL4_SYS_DIR=)
        foreach(library IN LISTS libraries)
            get_target_property(std ${library} SEL4_RUST_STD)
            if(std)
                list(APPEND runtime --runtime-feature std --std)
                break()
            endif()
        endforeach()
    endif()

    # Panic messages name files as seen from the project, not as they lie on this machine; debuggers find them still.
    set(flags "--remap-path-prefix=${SEL4_RUST_DIR}/=sel4-rust-kit/" "--remap-path-prefix=${CMAKE_SOURCE_DIR}/="
              "--remap-path-scope=macro"
    )
    if(triple MATCHES "-linux-musl$")
        # Images are linked at a fixed address.
        list(APPEND flags "-Crelocation-model=static")
    endif()
    if(std AND RUST_BACKTRACE AND profile MATCHES "^(release|minsizerel)$")
        # For ./backtrace. They stay in the file: nothing of them is loaded.
        list(APPEND flags "-Cdebuginfo=line-tables-only")
    endif()
    list(TRANSFORM flags PREPEND "--rustflag=")

    _sel4_rust_run_tool(
        facts
        bundle
        --out
        "${dir}"
        --target
        ${triple}
        --name
        ${bundle}
        --profile
        ${profile}
        --log-level
        ${RUST_LOG_LEVEL}
        ${runtime}
        ${flags}
        --env
        SEL4_RUST_HEAP_BYTES=${RUST_HEAP_BYTES}
        ${bindings}
        ${options}
    )
    _sel4_rust_read_facts(bundle "${facts}")
    set(${out} "${bundle_LINKS}" PARENT_SCOPE)
endfunction()

# file(CONFIGURE) would do this, but takes an `@` in a path for a variable.
function(_sel4_rust_write_if_changed file content)
    if(EXISTS "${file}")
        file(READ "${file}" before)
        if(before STREQUAL content)
            return()
        endif()
    endif()
    file(WRITE "${file}" "${content}")
endfunction()

# Sets `out` to the cargo profile of the build type, which CMake takes in any case; the bundle's manifest defines it.
function(_sel4_rust_cargo_profile out)
    string(TOLOWER "${CMAKE_BUILD_TYPE}" profile)
    if(profile MATCHES "^(debug|)$")
        set(profile dev)
    elseif(NOT profile MATCHES "^(release|relwithdebinfo|minsizerel)$")
        set(profile release)
    endif()
    set(${out} ${profile} PARENT_SCOPE)
endfunction()

function(_sel4_rust_check_choice variable choices)
    if(NOT "${${variable}}" IN_LIST choices)
        list(JOIN choices ", " choices)
        _sel4_rust_error("${variable} is `${${variable}}`." "configure with -D${variable}= one of: ${choices}")
    endif()
endfunction()
