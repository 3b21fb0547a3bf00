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

# Sets `out` to the executables of `dir` and of the folders added below it.
function(_sel4_rust_find_executables dir out)
    set(found "")
    get_property(targets DIRECTORY "${dir}" PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        if(type STREQUAL "EXECUTABLE")
            list(APPEND found ${target})
        endif()
    endforeach()
    get_property(subdirs DIRECTORY "${dir}" PROPERTY SUBDIRECTORIES)
    foreach(subdir IN LISTS subdirs)
        _sel4_rust_find_executables("${subdir}" below)
        list(APPEND found ${below})
    endforeach()
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

# Sets `out` to the Rust libraries in the link closure of `target`. SEL4_RUST_SEEN guards against cycles.
function(_sel4_rust_find_libraries target out)
    set(found "")
    set(items "")
    foreach(property IN ITEMS LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
        get_target_property(value ${target} ${property})
        if(value)
            list(APPEND items ${value})
        endif()
    endforeach()
    # Of a generator expression any part may name a target. Taking in too much is harmless: of a crate in the
    # archive only what is called gets into the image.
    # A `::` belongs to the name of a target, a lone `:` to the expression.
    string(REPLACE "::" "\t" items "${items}")
    string(REGEX REPLACE "[$<>:,;\"]+" ";" items "${items}")
    string(REPLACE "\t" "::" items "${items}")
    foreach(item IN LISTS items)
        get_property(seen GLOBAL PROPERTY SEL4_RUST_SEEN)
        if(NOT TARGET "${item}" OR item IN_LIST seen)
            continue()
        endif()
        set_property(GLOBAL APPEND PROPERTY SEL4_RUST_SEEN ${item})
        get_target_property(aliased ${item} ALIASED_TARGET)
        if(aliased)
            set(item ${aliased})
        endif()
        get_target_property(package ${item} SEL4_RUST_PACKAGE)
        if(package)
            list(APPEND found ${item})
        endif()
        _sel4_rust_find_libraries(${item} below)
        list(APPEND found ${below})
    endforeach()
    list(REMOVE_DUPLICATES found)
    set(${out} "${found}" PARENT_SCOPE)
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

# Writes ./run-tests beside ./simulate, for images in whose `executable` Rust has tests.
function(_sel4_rust_write_test_runner executable)
    # ./simulate boots one image. Where several executables have tests, it is for the first.
    get_property(written GLOBAL PROPERTY SEL4_RUST_TEST_RUNNER)
    if(written)
        return()
    endif()
    set_property(GLOBAL PROPERTY SEL4_RUST_TEST_RUNNER TRUE)
    set(program "")
    if(KernelPlatform STREQUAL "hosted")
        set(program "--program '$<TARGET_FILE:${executable}>' ")
    endif()
    file(
        GENERATE
        OUTPUT "${CMAKE_BINARY_DIR}/run-tests"
        CONTENT
            "#!/bin/sh
# Boots the image and tells what its tests came to; `./run-tests --help`.
exec '${SEL4_RUST_DIR}/setup/run-tests' '${CMAKE_BINARY_DIR}' ${program}--executable '$<TARGET_FILE:${executable}>' --addr2line '${CMAKE_ADDR2LINE}' \"$@\"
"
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
    )
endfunction()

# Writes ./backtrace, which names the functions behind addresses on the console. ./backtrace-NAME is for an executable
# that is not the first with Rust in it.
function(_sel4_rust_write_backtrace executable)
    # A program of the host tells names itself.
    if(KernelPlatform STREQUAL "hosted")
        return()
    endif()
    set(script backtrace)
    get_property(written GLOBAL PROPERTY SEL4_RUST_BACKTRACE_WRITTEN)
    if(written)
        string(APPEND script "-${executable}")
    endif()
    set_property(GLOBAL PROPERTY SEL4_RUST_BACKTRACE_WRITTEN TRUE)
    set(sources "--sources '${CMAKE_SOURCE_DIR}'")
    if(DEFINED KERNEL_PATH)
        cmake_path(GET KERNEL_PATH PARENT_PATH workspace)
        string(APPEND sources " --sources '${workspace}'")
    endif()
    file(
        GENERATE
        OUTPUT "${CMAKE_BINARY_DIR}/${script}"
        CONTENT
            "#!/bin/sh
# ./simulate | ./${script}: says which functions the addresses on the console are; `./${script} --help`.
exec '${SEL4_RUST_DIR}/setup/backtrace' '$<TARGET_FILE:${executable}>' --addr2line '${CMAKE_ADDR2LINE}' ${sources} \"$@\"
"
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
    )
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
                "${SEL4_RUST_DIR}/rust/Cargo.lock" --runtime-feature heap-${RUST_HEAP}
    )
    if(std)
        list(REMOVE_ITEM runtime heap-${RUST_HEAP})
        get_property(sysroot GLOBAL PROPERTY SEL4_RUST_SYSROOT)
        list(APPEND runtime heap-none --runtime-feature std --std --libstd "${sysroot}/lib/rustlib/${triple}/lib")
        if(RUST_STD_PANIC STREQUAL "abort")
            list(APPEND runtime --panic-abort)
        endif()
    endif()
    if(KernelPlatform STREQUAL "hosted")
        # With the model of the kernel. The heap is that of Rust's std, which is C's. libsel4 is what libsel4-sys takes
        # where none is named.
        set(runtime --runtime "${SEL4_RUST_DIR}/hosted/rt/Cargo.toml" --runtime-lock "${SEL4_RUST_DIR}/hosted/Cargo.lock")
        if(KernelIsMCS)
            list(APPEND runtime --runtime-feature mcs)
        endif()
        set(bindings --env SEL4_SYS_DIR=)
        foreach(library IN LISTS libraries)
            get_target_property(std ${library} SEL4_RUST_STD)
            if(std)
                list(APPEND runtime --runtime-feature std --std)
                list(APPEND bindings --env SEL4_RUST_STD_THREADS=${RUST_STD_THREADS} --env SEL4_RUST_STD_STACK=${RUST_STD_STACK})
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

    _sel4_rust_run_codegen(
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
    get_property(codegen GLOBAL PROPERTY SEL4_RUST_CODEGEN)
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

    if(std)
        # For the program's arguments.
        list(APPEND seal_options --std)
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
        COMMAND "${codegen}" seal --archive "${archive}" --out "${sealed}" ${seal_options}
        DEPENDS "${codegen}" "${archive}" cargo-build_${bundle} ${inlined} ${depends}
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
