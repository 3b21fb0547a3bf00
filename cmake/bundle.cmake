# SPDX-License-Identifier: BSD-2-Clause
#
# One Rust archive per executable, the bundle. A Rust static library carries a panic handler, an allocator and a copy
# of every crate it uses, so two of them in one executable clash or, worse, duplicate statics. Hence all Rust
# libraries that an executable reaches become dependencies of one generated crate, which Corrosion builds. Executables with
# the same libraries, options and C flags link the same bundle; what differs between them lies in C, beside it.
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
    # The first executable of each bundle, which gives it its name.
    set(firsts "")
    _sel4_rust_find_executables("${CMAKE_SOURCE_DIR}" executables)
    foreach(executable IN LISTS executables)
        _sel4_rust_find_libraries(${executable} libraries)
        get_target_property(needed ${executable} SEL4_RUST_NEEDS_BUNDLE)
        if(NOT libraries AND NOT needed)
            continue()
        endif()
        _sel4_rust_platform(adapt ADAPT)
        if(adapt)
            cmake_language(CALL ${adapt} ${executable} "${libraries}")
        endif()
        # Sorted, so that the bundle does not depend on the order in which CMake met the libraries.
        list(SORT libraries)
        if(libraries)
            list(JOIN libraries ", " names)
            message(STATUS "Rust in ${executable}: ${names}")
        endif()
        _sel4_rust_bundle_request(request ${executable} "${libraries}")
        string(SHA256 key "${request}")
        if(NOT DEFINED first_${key})
            set(first_${key} ${executable})
            set(libraries_of_${executable} "${libraries}")
            set(request_of_${executable} "${request}")
            list(APPEND firsts ${executable})
        endif()
        list(APPEND users_of_${first_${key}} ${executable})
    endforeach()

    get_property(triple GLOBAL PROPERTY SEL4_RUST_TRIPLE)
    set(first "")
    foreach(executable IN LISTS firsts)
        _sel4_rust_resolve(${executable} "${request_of_${executable}}" bundle facts)
        _sel4_rust_read_facts("${facts}" TRIPLE)
        if(NOT first)
            set(first ${executable})
            set(triple ${fact_TRIPLE})
            _sel4_rust_import_corrosion(${triple})
        elseif(NOT fact_TRIPLE STREQUAL triple)
            get_target_property(folder ${executable} SOURCE_DIR)
            get_target_property(first_folder ${first} SOURCE_DIR)
            _sel4_rust_error(
                "Corrosion builds Rust for one target, but `${executable}` (`${folder}`) is compiled for `${fact_TRIPLE}` and `${first}` (`${first_folder}`) for `${triple}`."
                "give both the same C flags for floating point, or link Rust libraries into one of them only"
            )
        endif()
        _sel4_rust_build_bundle("${users_of_${executable}}" ${bundle} "${libraries_of_${executable}}" "${facts}")
        foreach(user IN LISTS users_of_${executable})
            _sel4_rust_link_bundle(${user} ${bundle} "${facts}")
        endforeach()
    endforeach()
    # Headers depend on the target by `cfg`s. Compilers judge them, which need the headers that these include.
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    set(cxx "")
    if("CXX" IN_LIST languages)
        set(cxx "${CMAKE_CXX_COMPILER}")
    endif()
    get_property(libraries GLOBAL PROPERTY SEL4_RUST_LIBRARIES)
    foreach(library IN LISTS libraries)
        set_target_properties(${library} PROPERTIES SEL4_RUST_HEADER_TRIPLE ${triple} SEL4_RUST_CXX "${cxx}")
        foreach(needed IN ITEMS sel4 muslc_gen)
            if(TARGET ${needed})
                add_dependencies(${library}-header ${needed})
            endif()
        endforeach()
    endforeach()
endfunction()

# Has the host tool write the bundle that is called after `executable`, by the request for it. Sets `out` to the bundle's
# name and `out_facts` to the tool's facts about it.
function(_sel4_rust_resolve executable request out out_facts)
    string(MAKE_C_IDENTIFIER "sel4_rust_${executable}" bundle)
    # The executables `a-b` and `a_b` have the same identifier.
    get_property(names GLOBAL PROPERTY SEL4_RUST_BUNDLES)
    while(bundle IN_LIST names)
        string(APPEND bundle "_")
    endwhile()
    set_property(GLOBAL APPEND PROPERTY SEL4_RUST_BUNDLES ${bundle})
    _sel4_rust_request_file(seal seal ${bundle})
    set(whole "")
    _sel4_rust_put(whole TEXT executable ${executable})
    _sel4_rust_put(whole TEXT name ${bundle})
    _sel4_rust_put(whole TEXT out "${CMAKE_BINARY_DIR}/rust/${executable}")
    _sel4_rust_put(whole TEXT seal "${seal}")
    _sel4_rust_run_step(facts bundle ${bundle} "${whole}${request}")
    set(${out} ${bundle} PARENT_SCOPE)
    set(${out_facts} "${facts}" PARENT_SCOPE)
endfunction()

# Sets `out` to the value of `option` for `executable`, which may have one of its own.
function(_sel4_rust_option out executable option)
    get_property(value TARGET ${executable} PROPERTY ${option})
    if("${value}" STREQUAL "")
        set(value "${${option}}")
    endif()
    set(${out} "${value}" PARENT_SCOPE)
endfunction()

# Sets `out` to the request for the bundle of `executable` and the libraries, without what is called after the executable:
# those with the same request share the bundle.
function(_sel4_rust_bundle_request out executable libraries)
    foreach(
        option
        IN
        ITEMS RUST_HEAP RUST_HEAP_BYTES RUST_LOGGER RUST_LOG_LEVEL RUST_PANIC
    )
        _sel4_rust_option(${option} ${executable} ${option})
    endforeach()
    if(NOT RUST_HEAP_BYTES MATCHES "^[1-9][0-9]*$")
        _sel4_rust_error(
            "RUST_HEAP_BYTES is `${RUST_HEAP_BYTES}`; it must be a number of bytes above 0."
            "configure with -DRUST_HEAP_BYTES=262144 or another size"
        )
    endif()
    _sel4_rust_check_choice(RUST_HEAP "${RUST_HEAP}")
    _sel4_rust_check_choice(RUST_PANIC "${RUST_PANIC}")
    _sel4_rust_check_choice(RUST_LOGGER "${RUST_LOGGER}")
    _sel4_rust_check_choice(RUST_LOG_LEVEL "${RUST_LOG_LEVEL}")
    _sel4_rust_check_choice(RUST_EXPORT_CHECK "${RUST_EXPORT_CHECK}")
    _sel4_rust_check_choice(RUST_INLINE "${RUST_INLINE}")
    _sel4_rust_platform(runtime RUNTIME)
    _sel4_rust_platform(features RUNTIME_FEATURES)
    set(std_features ${features} std)
    if(NOT runtime)
        set(runtime "${SEL4_RUST_DIR}/rust/libsel4-rt/Cargo.toml")
        set(features heap-${RUST_HEAP})
        set(std_features heap-none std)
        if(RUST_PANIC STREQUAL "fault")
            list(APPEND features panic-fault)
        endif()
    endif()
    if(RUST_LOGGER STREQUAL "none")
        list(APPEND features no-logger)
        list(APPEND std_features no-logger)
    endif()
    get_property(more TARGET ${executable} PROPERTY SEL4_RUST_RUNTIME_FEATURES)
    list(APPEND features ${more})
    list(APPEND std_features ${more})
    _sel4_rust_flags(flags ${executable})
    # Warnings change nothing.
    list(FILTER flags EXCLUDE REGEX "^-W[^l]")
    _sel4_rust_cargo_profile(profile)
    get_property(std_call GLOBAL PROPERTY SEL4_RUST_STD_CALL)
    # What C in the crates includes belongs to what executables must agree on.
    get_target_property(dir ${executable} BINARY_DIR)
    get_property(folders DIRECTORY "${dir}" PROPERTY INCLUDE_DIRECTORIES)
    set(request "# ${folders}\n")
    _sel4_rust_put_cargo(request)
    _sel4_rust_put_compiler(request "${flags}" "${std_call}")
    _sel4_rust_put(request TEXT target-folder "${CMAKE_BINARY_DIR}/cargo")
    _sel4_rust_put(request TEXT export-check ${RUST_EXPORT_CHECK})
    get_property(callbacks TARGET ${executable} PROPERTY SEL4_RUST_CALLBACKS)
    _sel4_rust_put(request LIST callbacks "${callbacks}")
    _sel4_rust_put(request TEXT profile ${profile})
    _sel4_rust_put(request TEXT log-level ${RUST_LOG_LEVEL})
    get_property(environment TARGET ${executable} PROPERTY SEL4_RUST_ENVIRONMENT)
    foreach(variable IN LISTS environment)
        string(REGEX MATCH "^([^=]+)=(.*)$" variable "${variable}")
        _sel4_rust_put(request TEXT environment.${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
    endforeach()
    _sel4_rust_platform(own_std OWN_STD)
    if(NOT own_std)
        _sel4_rust_put(request FLAG backtrace "${RUST_BACKTRACE}")
        if(RUST_STD_PANIC STREQUAL "abort")
            _sel4_rust_put(request FLAG panic-abort TRUE)
        endif()
    endif()
    _sel4_rust_put(request LIST trap-crates "${RUST_TRAP_CRATES}")
    if(TARGET muslc_imported)
        get_target_property(libc muslc_imported IMPORTED_LOCATION)
        _sel4_rust_put(request TEXT libc "${libc}")
    endif()
    _sel4_rust_platform(libsel4_in_rust LIBSEL4_IN_RUST)
    if(libsel4_in_rust)
        # libsel4-sys takes the platform's where none is named.
        string(APPEND request "environment.SEL4_SYS_DIR = ''\n")
    else()
        _sel4_rust_variant(variant ${executable})
        _sel4_rust_put(request TEXT bindings-dir "${CMAKE_BINARY_DIR}/rust/libsel4-sys${variant}")
        _sel4_rust_put(request TEXT inline ${RUST_INLINE})
        _sel4_rust_put(request TEXT objcopy "${CMAKE_OBJCOPY}")
    endif()
    _sel4_rust_put(request TEXT runtime.manifest "${runtime}")
    _sel4_rust_put(request TEXT runtime.lock "${SEL4_RUST_DIR}/Cargo.lock")
    _sel4_rust_put(request LIST runtime.features "${features}")
    _sel4_rust_put(request LIST runtime.std-features "${std_features}")
    # Panic messages name files as seen from the project, not as they lie on this machine; debuggers find them still. The
    # user's own flags come first, and the kit's win.
    _sel4_rust_environment_flags(rustflags)
    list(
        APPEND rustflags
        "--cfg=sel4"
        "--check-cfg=cfg(sel4)"
        "--remap-path-prefix=${SEL4_RUST_DIR}/=sel4-rust-kit/"
        "--remap-path-prefix=${CMAKE_SOURCE_DIR}/="
        "--remap-path-scope=macro"
    )
    _sel4_rust_put(request LIST rustflags "${rustflags}")
    foreach(library IN LISTS libraries)
        get_target_property(text ${library} SEL4_RUST_LIBRARY)
        string(APPEND request "\n[[library]]\n${text}")
    endforeach()
    set(${out} "${request}" PARENT_SCOPE)
endfunction()

# Has Corrosion build the bundle of the executables and the libraries. It is called after the first, and compiled for it.
function(_sel4_rust_build_bundle executables bundle libraries facts)
    list(POP_FRONT executables executable)
    list(LENGTH executables others)
    set(users "${executable}")
    if(others)
        string(APPEND users " and ${others} more")
    endif()
    _sel4_rust_read_facts(
        "${facts}"
        TRIPLE
        CONFIG
        LINKS
        CLANG
        CALLS
        STD
    )
    set(dir "${CMAKE_BINARY_DIR}/rust/${executable}")
    _sel4_rust_cargo_profile(profile)
    set(configs "${fact_CONFIG}")
    list(TRANSFORM fact_CONFIG PREPEND "--config=")
    # Corrosion has no COMMENT for its step (docs/upstream/corrosion-comment.patch offers one), so that ninja shows the
    # whole command line. With NO_USES_TERMINAL, Corrosion 0.6 unsets a variable in the place where one can stand, and a
    # cache variable is then seen. If a later version does not look there, the command line is shown.
    get_property(has_no_uses_terminal GLOBAL PROPERTY SEL4_RUST_CORROSION_HAS_NO_USES_TERMINAL)
    set(no_uses_terminal "")
    if(has_no_uses_terminal)
        set(no_uses_terminal NO_USES_TERMINAL)
        set(comment "Rust: building the libraries of ${users}")
        set(cor_uses_terminal USES_TERMINAL COMMENT "${comment}" CACHE INTERNAL "")
    endif()
    corrosion_import_crate(
        MANIFEST_PATH "${dir}/Cargo.toml"
        CRATES ${bundle}
        CRATE_TYPES staticlib
        PROFILE ${profile}
        NO_LINKER_OVERRIDE
        ${no_uses_terminal}
        FLAGS --locked ${fact_CONFIG} "--config=${dir}/cfg.toml"
    )
    unset(cor_uses_terminal CACHE)
    set_target_properties(${bundle} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY "${dir}/archive")
    # Only executables that link the bundle build it.
    set_target_properties(cargo-build_${bundle} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    set_target_properties(_cargo-build_${bundle} PROPERTIES EchoString "Rust: copying the archive of ${users}")

    # Build scripts that compile C read its headers, which are generated and installed.
    if(fact_LINKS MATCHES "(^|;)(bindgen|cc|cmake)(;|$)")
        foreach(generated IN ITEMS sel4 muslc_gen)
            if(TARGET ${generated})
                add_dependencies(cargo-prebuild_${bundle} ${generated})
            endif()
        endforeach()
    endif()

    # Libraries that Rust's code needs stand after the archive on the linker's command line.
    _sel4_rust_set_environment(needs ${executable} ${bundle} "${libraries}" "${facts}")
    set(inlined "")
    _sel4_rust_platform(libsel4_in_rust LIBSEL4_IN_RUST)
    if("sel4" IN_LIST fact_LINKS AND NOT libsel4_in_rust)
        _sel4_rust_add_bindings(sys ${executable} ${fact_TRIPLE})
        list(APPEND needs ${sys})
        add_dependencies(cargo-prebuild_${bundle} ${sys}_gen)
        get_target_property(sys_dir ${sys} SEL4_RUST_DIR)
        if(fact_CLANG)
            message(STATUS "Rust: system calls are inlined from C, by ${fact_CLANG}")
            set(inlined "${dir}/inlined.o")
            _sel4_rust_write_if_changed("${sys_dir}/calls" "inlined\n")
            _sel4_rust_add_inlining(${bundle} "${dir}" ${sys} "${facts}")
        else()
            message(STATUS "Rust: system calls call C's functions (${fact_CALLS})")
            _sel4_rust_write_if_changed("${sys_dir}/calls" "plain\n")
        endif()
    endif()
    foreach(library IN LISTS libraries)
        set_property(TARGET ${library} APPEND PROPERTY SEL4_RUST_MANIFESTS "${dir}/Cargo.toml")
        set_property(TARGET ${library} APPEND PROPERTY SEL4_RUST_CONFIGS ${configs})
        # One bundle is enough for rustc to speak first; the others are not made to wait for each other.
        get_target_property(waits ${library}-header SEL4_RUST_WAITS)
        if(NOT waits)
            set_target_properties(${library}-header PROPERTIES SEL4_RUST_WAITS TRUE)
            set_target_properties(${library} PROPERTIES SEL4_RUST_ARCHIVE "${dir}/archive/lib${bundle}.a")
            add_dependencies(${library}-header cargo-build_${bundle})
        endif()
        get_target_property(of_library ${library} INTERFACE_LINK_LIBRARIES)
        list(FILTER of_library EXCLUDE REGEX "SEL4_RUST_BUNDLE|^::@")
        list(REMOVE_ITEM of_library ${libraries})
        list(APPEND needs ${of_library})
    endforeach()
    list(TRANSFORM libraries APPEND -header OUTPUT_VARIABLE headers)
    _sel4_rust_seal(${executable} ${bundle} "${inlined}" "${headers}" "${facts}")
    if(fact_STD)
        _sel4_rust_put_behind_std(${bundle} "${facts}")
    endif()
    set_property(TARGET ${bundle}-sealed APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${needs})
endfunction()

# Links `bundle` into `executable`, with what the executable has for itself.
function(_sel4_rust_link_bundle executable bundle facts)
    _sel4_rust_read_facts("${facts}" LINKS STD)
    _sel4_rust_platform(bind BIND)
    if(bind)
        cmake_language(CALL ${bind} ${executable} ${bundle} "${facts}")
    endif()
    if("sel4-test" IN_LIST fact_LINKS)
        _sel4_rust_write_test_runner(${executable})
    endif()
    _sel4_rust_write_backtrace(${executable})
    _sel4_rust_add_runtime(runtime ${executable} "${fact_STD}")
    if(fact_STD)
        _sel4_rust_link_std(${executable} ${bundle} "${facts}")
    endif()
    # The Rust libraries and the bundle name them by these properties of whatever links them.
    set_target_properties(${executable} PROPERTIES SEL4_RUST_BUNDLE ${bundle}-sealed SEL4_RUST_RUNTIME "${runtime}")
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
