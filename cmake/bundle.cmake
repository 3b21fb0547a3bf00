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
    _sel4_rust_find_executables("${CMAKE_SOURCE_DIR}" executables)
    get_property(triple GLOBAL PROPERTY SEL4_RUST_TRIPLE)
    set(found "")
    foreach(executable IN LISTS executables)
        _sel4_rust_find_libraries(${executable} libraries)
        get_target_property(needed ${executable} SEL4_RUST_NEEDS_BUNDLE)
        if(libraries OR needed)
            _sel4_rust_resolve(${executable} "${libraries}")
            get_target_property(triple ${executable} SEL4_RUST_TRIPLE)
            list(APPEND found ${executable})
            list(GET found 0 first)
            _sel4_rust_check_triple(${first} ${executable})
        endif()
    endforeach()
    # Headers depend on the target by `cfg`s.
    get_property(libraries GLOBAL PROPERTY SEL4_RUST_LIBRARIES)
    foreach(library IN LISTS libraries)
        set_target_properties(${library} PROPERTIES SEL4_RUST_HEADER_TRIPLE ${triple})
    endforeach()
    if(found)
        _sel4_rust_import_corrosion(${triple})
    endif()
    foreach(executable IN LISTS found)
        _sel4_rust_build_bundle(${executable})
    endforeach()
endfunction()

# Has the host tool write the bundle for `executable` of the libraries. Keeps what it says about it in properties of the
# executable: SEL4_RUST_<KEY>, for the keys below.
function(_sel4_rust_resolve executable libraries)
    string(MAKE_C_IDENTIFIER "sel4_rust_${executable}" bundle)
    # The executables `a-b` and `a_b` have the same identifier.
    get_property(names GLOBAL PROPERTY SEL4_RUST_BUNDLES)
    while(bundle IN_LIST names)
        string(APPEND bundle "_")
    endwhile()
    set_property(GLOBAL APPEND PROPERTY SEL4_RUST_BUNDLES ${bundle})
    # Sorted, so that the bundle does not depend on the order in which CMake met the libraries.
    list(SORT libraries)
    if(libraries)
        list(JOIN libraries ", " names)
        message(STATUS "Rust in ${executable}: ${names}")
    endif()
    _sel4_rust_check_headers(${executable} "${libraries}")
    set(std FALSE)
    foreach(library IN LISTS libraries)
        get_target_property(library_std ${library} SEL4_RUST_STD)
        if(library_std)
            set(std TRUE)
        endif()
    endforeach()
    _sel4_rust_flags(flags ${executable})
    _sel4_rust_bundle_request(
        request
        ${bundle}
        "${CMAKE_BINARY_DIR}/rust/${executable}"
        "${libraries}"
        ${std}
        "${flags}"
    )
    set(keys
        TRIPLE
        LINKS
        LIBGCC
        UNWINDER
        CLANG
        CLANGFLAGS
        LLD
        CALLS
        TPIDRURO
    )
    _sel4_rust_run_step(bundle ${bundle} "${request}" ${keys})
    foreach(key IN LISTS keys)
        set_property(TARGET ${executable} PROPERTY SEL4_RUST_${key} "${fact_${key}}")
    endforeach()
    set_property(TARGET ${executable} PROPERTY SEL4_RUST_NAME ${bundle})
    set_property(TARGET ${executable} PROPERTY SEL4_RUST_LINKED "${libraries}")
    set_property(TARGET ${executable} PROPERTY SEL4_RUST_STD ${std})
    _sel4_rust_platform(libsel4_in_rust LIBSEL4_IN_RUST)
    if("sel4" IN_LIST fact_LINKS AND NOT libsel4_in_rust)
        _sel4_rust_choose_bindings("${flags}" TRUE sys sys_dir)
        set_property(TARGET ${executable} PROPERTY SEL4_RUST_SYS "${sys};${sys_dir}")
    endif()
endfunction()

# Has Corrosion build the bundle of `executable`, and links it.
function(_sel4_rust_build_bundle executable)
    foreach(
        key
        IN
        ITEMS NAME LINKED STD SYS TRIPLE LINKS LIBGCC UNWINDER CLANG CLANGFLAGS LLD CALLS TPIDRURO
    )
        get_property(its_${key} TARGET ${executable} PROPERTY SEL4_RUST_${key})
    endforeach()
    set(bundle ${its_NAME})
    set(libraries "${its_LINKED}")
    set(dir "${CMAKE_BINARY_DIR}/rust/${executable}")
    _sel4_rust_cargo_profile(profile)
    if(its_SYS)
        list(GET its_SYS 0 sys)
        list(GET its_SYS 1 sys_dir)
        _sel4_rust_add_bindings(${sys} "${sys_dir}" ${executable} ${its_TRIPLE})
    endif()

    set(cargo_flags --locked)
    foreach(library IN LISTS libraries)
        get_target_property(configs ${library} SEL4_RUST_CONFIG)
        # cargo lets a later one win; the nearest to the crate comes first here.
        list(REVERSE configs)
        list(TRANSFORM configs PREPEND "--config=")
        list(APPEND cargo_flags ${configs})
    endforeach()
    list(REMOVE_DUPLICATES cargo_flags)
    # Corrosion has no COMMENT for its step (docs/upstream/corrosion-comment.patch offers one), so that ninja shows the
    # whole command line. With NO_USES_TERMINAL, Corrosion 0.6 unsets a variable in the place where one can stand, and a
    # cache variable is then seen. If a later version does not look there, the command line is shown.
    get_property(has_no_uses_terminal GLOBAL PROPERTY SEL4_RUST_CORROSION_HAS_NO_USES_TERMINAL)
    set(no_uses_terminal "")
    if(has_no_uses_terminal)
        set(no_uses_terminal NO_USES_TERMINAL)
        set(cor_uses_terminal USES_TERMINAL COMMENT "Rust: building the libraries of ${executable}" CACHE INTERNAL "")
    endif()
    corrosion_import_crate(
        MANIFEST_PATH "${dir}/Cargo.toml"
        CRATES ${bundle}
        CRATE_TYPES staticlib
        PROFILE ${profile}
        NO_LINKER_OVERRIDE
        ${no_uses_terminal}
        FLAGS ${cargo_flags}
    )
    unset(cor_uses_terminal CACHE)
    set_target_properties(${bundle} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY "${dir}/archive")
    # Only those who link the bundle want it built.
    set_target_properties(cargo-build_${bundle} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    set_target_properties(_cargo-build_${bundle} PROPERTIES EchoString "Rust: copying the archive of ${executable}")

    set(inlined "")
    if(its_SYS)
        add_dependencies(cargo-prebuild_${bundle} ${sys}_gen)
        if(its_CLANG)
            message(STATUS "Rust: system calls are inlined from C, by ${its_CLANG}")
            set(inlined "${dir}/inlined.o")
            _sel4_rust_add_inlining(
                ${bundle}
                "${dir}"
                ${sys}
                "${sys_dir}"
                "${its_CLANG}"
                "${its_CLANGFLAGS}"
                "${its_LLD}"
            )
        else()
            message(STATUS "Rust: system calls call C's functions (${its_CALLS})")
        endif()
    endif()
    _sel4_rust_platform(own_std OWN_STD)
    set(seal_flags "")
    # Debuggers follow Rust's frames by the unwind tables; C's Release build has none.
    if(profile MATCHES "^(release|minsizerel)$")
        if(its_STD)
            list(APPEND seal_flags no-symbolizer)
        endif()
        # They are for panics that unwind, and for backtraces.
        if(NOT its_STD OR (RUST_STD_PANIC STREQUAL "abort" AND NOT RUST_BACKTRACE))
            list(APPEND seal_flags no-unwind-tables)
        endif()
    endif()
    if(its_TPIDRURO)
        list(APPEND seal_flags no-read-tp)
    endif()
    _sel4_rust_seal(${executable} ${bundle} "${dir}" "${inlined}" "${its_LIBGCC}" "${seal_flags}")
    if(its_STD AND own_std)
        target_sources(${executable} PRIVATE $<TARGET_OBJECTS:sel4std>)
    elseif(its_STD)
        _sel4_rust_link_std(${executable} ${bundle} ${its_TRIPLE} "${its_UNWINDER}")
    endif()
    if(its_SYS)
        set_property(TARGET ${bundle}-sealed APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${sys})
    endif()
    if("sel4-test" IN_LIST its_LINKS)
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

# Stops where two libraries of `executable` have headers of one name: the first on the include path would hide the other,
# and C accepts calls without a prototype.
function(_sel4_rust_check_headers executable libraries)
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
endfunction()

# Stops unless `executable` can be built beside `first`: Corrosion builds for one Rust target.
function(_sel4_rust_check_triple first executable)
    foreach(target IN ITEMS first executable)
        get_target_property(${target}_triple ${${target}} SEL4_RUST_TRIPLE)
        get_target_property(${target}_folder ${${target}} SOURCE_DIR)
    endforeach()
    if(NOT first_triple STREQUAL executable_triple)
        _sel4_rust_error(
            "Corrosion builds Rust for one target, but `${executable}` (`${executable_folder}`) is compiled for `${executable_triple}` and `${first}` (`${first_folder}`) for `${first_triple}`."
            "give both the same C flags for floating point, or link Rust libraries into one of them only"
        )
    endif()
endfunction()

# Sets `out` to the request for the bundle `bundle` in `dir` of the libraries, with C flags `flags`.
function(
    _sel4_rust_bundle_request
    out
    bundle
    dir
    libraries
    std
    flags
)
    if(NOT RUST_HEAP_BYTES MATCHES "^[1-9][0-9]*$")
        _sel4_rust_error(
            "RUST_HEAP_BYTES is `${RUST_HEAP_BYTES}`; it must be a number of bytes above 0."
            "configure with -DRUST_HEAP_BYTES=262144 or another size"
        )
    endif()
    _sel4_rust_check_choice(RUST_HEAP "${RUST_HEAP}" "rlsf;linked-list;muslc;none")
    _sel4_rust_check_choice(RUST_PANIC "${RUST_PANIC}" "abort;fault")
    _sel4_rust_check_choice(RUST_LOGGER "${RUST_LOGGER}" "console;none")
    _sel4_rust_check_choice(RUST_LOG_LEVEL "${RUST_LOG_LEVEL}" "off;error;warn;info;debug;trace")
    _sel4_rust_check_choice(RUST_INLINE "${RUST_INLINE}" "AUTO;ON;OFF")
    _sel4_rust_platform(runtime RUNTIME)
    _sel4_rust_platform(features RUNTIME_FEATURES)
    _sel4_rust_platform(own_std OWN_STD)
    _sel4_rust_platform(libsel4_in_rust LIBSEL4_IN_RUST)
    get_property(std_call GLOBAL PROPERTY SEL4_RUST_STD_CALL)
    if(NOT runtime)
        set(runtime "${SEL4_RUST_DIR}/rust/libsel4-rt/Cargo.toml")
        set(features heap-${RUST_HEAP})
        if(std)
            set(features heap-none)
        elseif(RUST_PANIC STREQUAL "fault")
            list(APPEND features panic-fault)
        endif()
    endif()
    if(std)
        list(APPEND features std)
    endif()
    if(RUST_LOGGER STREQUAL "none")
        list(APPEND features no-logger)
    endif()
    _sel4_rust_cargo_profile(profile)
    set(request "")
    _sel4_rust_put_cargo(request)
    _sel4_rust_put_compiler(request "${flags}" "${std_call}")
    _sel4_rust_put(request TEXT out "${dir}")
    _sel4_rust_put(request TEXT name ${bundle})
    _sel4_rust_put(request TEXT profile ${profile})
    _sel4_rust_put(request TEXT log-level ${RUST_LOG_LEVEL})
    _sel4_rust_put(request TEXT environment.SEL4_RUST_HEAP_BYTES ${RUST_HEAP_BYTES})
    if(std)
        _sel4_rust_put(request FLAG std TRUE)
        if(NOT own_std AND RUST_STD_PANIC STREQUAL "abort")
            _sel4_rust_put(request FLAG panic-abort TRUE)
        endif()
    endif()
    if(libsel4_in_rust)
        # libsel4-sys takes the platform's where none is named.
        string(APPEND request "environment.SEL4_SYS_DIR = ''\n")
    else()
        _sel4_rust_choose_bindings("${flags}" FALSE sys sys_dir)
        _sel4_rust_put(request TEXT bindings-dir "${sys_dir}")
        _sel4_rust_put(request TEXT inline ${RUST_INLINE})
        _sel4_rust_put(request TEXT objcopy "${CMAKE_OBJCOPY}")
    endif()
    _sel4_rust_put(request TEXT runtime.manifest "${runtime}")
    _sel4_rust_put(request TEXT runtime.lock "${SEL4_RUST_DIR}/Cargo.lock")
    _sel4_rust_put(request LIST runtime.features "${features}")
    # Panic messages name files as seen from the project, not as they lie on this machine; debuggers find them still.
    set(rustflags
        "--remap-path-prefix=${SEL4_RUST_DIR}/=sel4-rust-kit/"
        "--remap-path-prefix=${CMAKE_SOURCE_DIR}/="
        "--remap-path-scope=macro"
    )
    if(std AND NOT own_std AND RUST_BACKTRACE AND profile MATCHES "^(release|minsizerel)$")
        # For ./backtrace. They stay in the file: nothing of them is loaded.
        list(APPEND rustflags "-Cdebuginfo=line-tables-only")
    endif()
    _sel4_rust_put(request LIST rustflags "${rustflags}")
    foreach(library IN LISTS libraries)
        string(APPEND request "\n[[library]]\n")
        _sel4_rust_put(request TEXT target ${library})
        foreach(key IN ITEMS package manifest lock profile)
            string(TOUPPER ${key} property)
            get_target_property(value ${library} SEL4_RUST_${property})
            _sel4_rust_put(request TEXT ${key} "${value}")
        endforeach()
        get_target_property(features ${library} SEL4_RUST_FEATURES)
        _sel4_rust_put(request LIST features "${features}")
        get_target_property(no_default_features ${library} SEL4_RUST_NO_DEFAULT_FEATURES)
        _sel4_rust_put(request FLAG no-default-features "${no_default_features}")
    endforeach()
    set(${out} "${request}" PARENT_SCOPE)
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
