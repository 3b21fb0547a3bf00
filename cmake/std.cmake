# SPDX-License-Identifier: BSD-2-Clause
#
# Rust's std: the Rust target whose prebuilt std fits this build, what must be configured for it, and the C library
# libsel4std that it stands on.

# Appends what std needs of the configuration to the request in the variable `_to`, for the host tool to check.
function(_sel4_rust_put_std _to)
    _sel4_rust_platform(own_std OWN_STD)
    if(own_std)
        return()
    endif()
    set(names
        KernelArchARM
        KernelArmExportVCNTUser
        LibSel4UseThreadLocals
        RUST_STD_FAULT
        RUST_STD_GROWTH
        RUST_STD_MEMORY
        RUST_STD_PANIC
        RUST_STD_STACK
        RUST_STD_THREADS
    )
    # What concerns a root server alone.
    _sel4_rust_platform(in_components COMPONENTS)
    if(NOT in_components)
        list(APPEND names KernelRootCNodeSizeBits LibSel4MuslcSysMorecoreBytes Sel4RuntimeRootStack)
    endif()
    foreach(name IN LISTS names)
        if(DEFINED ${name})
            string(APPEND ${_to} "std.${name} = '''${${name}}'''\n")
        endif()
    endforeach()
    set(${_to} "${${_to}}" PARENT_SCOPE)
endfunction()

# Notes that a library of this build uses std, by the call `call`, and adds the C library.
function(_sel4_rust_use_std call)
    _sel4_rust_platform(own_std OWN_STD)
    if(NOT own_std)
        foreach(needed IN ITEMS sel4muslcsys muslc sel4runtime)
            if(NOT TARGET ${needed})
                _sel4_rust_error(
                    "${call}: there is no target `${needed}`, and Rust's std needs it."
                    "bring in musllibc, sel4runtime and seL4_libs before, as other root servers with muslc do"
                )
            endif()
        endforeach()
        # libsel4std replaces functions inside musl, and those of 1.1 are others.
        set(version "")
        if(EXISTS "${MUSLLIBC_CURRENT_DIR}/VERSION")
            file(STRINGS "${MUSLLIBC_CURRENT_DIR}/VERSION" version LIMIT_COUNT 1)
        endif()
        if(version AND version VERSION_LESS 1.2)
            _sel4_rust_error(
                "${call}: muslc is of version ${version}, and Rust's std needs 1.2.5, as seL4 14.0.0 and later have it."
                "take the musllibc of a later release, or leave STD out: libraries without STD work with this one"
            )
        endif()
        set_property(GLOBAL PROPERTY SEL4_RUST_STD_CALL "${call}")
    endif()
    # Here and not when executables are linked: CMake adds no subdirectory in a deferred call.
    if(NOT TARGET sel4std)
        add_subdirectory("${SEL4_RUST_DIR}/libsel4std" "${CMAKE_BINARY_DIR}/libsel4std" EXCLUDE_FROM_ALL)
    endif()
endfunction()

# Has the linker look behind the archive of `bundle` for what std's panics need.
function(_sel4_rust_put_behind_std bundle facts)
    _sel4_rust_platform(own_std OWN_STD)
    if(own_std)
        return()
    endif()
    _sel4_rust_read_facts("${facts}" UNWINDER)
    if(NOT fact_UNWINDER)
        _sel4_rust_error(
            "`${CMAKE_C_COMPILER}` has no libgcc_eh.a, the unwinder for Rust's panics."
            "use a GCC with its static libraries, such as Debian's package gcc"
        )
    endif()
    get_target_property(behind ${bundle}-sealed INTERFACE_LINK_LIBRARIES)
    set_property(
        TARGET ${bundle}-sealed
        PROPERTY INTERFACE_LINK_LIBRARIES "${fact_UNWINDER};sel4muslcsys;sel4runtime;sel4;${behind}"
    )
endfunction()

# Links what std stands on to `executable`, which links the archive of `bundle`.
function(_sel4_rust_link_std executable bundle facts)
    _sel4_rust_platform(own_std OWN_STD)
    if(own_std)
        target_sources(${executable} PRIVATE $<TARGET_OBJECTS:sel4std>)
        return()
    endif()
    _sel4_rust_platform(in_components COMPONENTS)
    # A root server is entered at this symbol.
    get_target_property(flags ${executable} LINK_FLAGS)
    get_target_property(options ${executable} LINK_OPTIONS)
    if(NOT in_components AND NOT "${flags} ${options}" MATCHES "_sel4_start")
        _sel4_rust_error(
            "`${executable}` links a library with STD, and is not a root server. libsel4std takes threads and memory from BootInfo, which only a root server has."
            "leave STD out of the libraries of `${executable}`, or call DeclareRootserver(${executable})"
        )
    endif()
    _sel4_rust_read_facts("${facts}" TRIPLE)
    if(LibSel4MuslcSysCPIOFS)
        # Those of upstream have assembly of their own.
        _sel4_rust_find_closure(
            ${executable}
            "SOURCES;INTERFACE_SOURCES;LINK_LIBRARIES;INTERFACE_LINK_LIBRARIES"
            "^(muslc|sel4)"
            targets
            objects
        )
        list(FILTER objects INCLUDE REGEX "\\.(o|obj|s|S)$")
        if(NOT objects)
            _sel4_rust_error(
                "LibSel4MuslcSysCPIOFS is `${LibSel4MuslcSysCPIOFS}`, and no source of `${executable}` is an archive of files."
                "add one: include(cpio), MakeCPIO(archive.o FILE...), and archive.o to the sources; or leave LibSel4MuslcSysCPIOFS off and install one with muslcsys_install_cpio_interface()"
            )
        endif()
    endif()
    # As objects, not as an archive: what they define takes the place of muslc's, whatever the order of libraries.
    _sel4_rust_compile_as(sel4std ${executable})
    target_sources(${executable} PRIVATE $<TARGET_OBJECTS:sel4std>)
    # std's prebuilt objects hold more than one function each; what nobody calls must not be in the image, in debug builds
    # neither. muslcsys keeps the archive of files to itself; libsel4std sees where it is installed. It also gives main() a
    # stack with a guard page.
    target_link_options(
        ${executable}
        PRIVATE -Wl,--eh-frame-hdr -Wl,--gc-sections -Wl,--wrap=muslcsys_install_cpio_interface
    )
    # Threads that muslc does not know; and libsel4std's parts for event loops and for handlers of faults, which come with the
    # functions that begin to use them.
    set(wrapped
        epoll_create
        epoll_create1
        eventfd
        pipe
        pipe2
        poll
        ppoll
        sel4runtime_write_tls_image
        socketpair
        timerfd_create
    )
    if(in_components)
        list(APPEND wrapped sel4runtime_get_tls_size)
    else()
        list(
            APPEND wrapped
            __sigaction
            main
            pthread_getspecific
            pthread_key_create
            pthread_key_delete
            pthread_setspecific
            sigaction
            strerror
        )
    endif()
    list(TRANSFORM wrapped PREPEND "-Wl,--wrap=")
    target_link_options(${executable} PRIVATE ${wrapped})
    # libgcc's unwinder reaches these only weakly, and takes a program without them for one without threads.
    foreach(
        symbol
        IN
        ITEMS once key_create getspecific setspecific mutex_lock mutex_unlock
    )
        target_link_options(${executable} PRIVATE -Wl,-u,pthread_${symbol})
    endforeach()
    _sel4_rust_check_linked(${executable} ${bundle} ${fact_TRIPLE})
endfunction()

# Has the host tool run the linker of `executable`, and look at what came out. A step after linking would have to be
# added in the folder of the executable, which CMake has left.
function(_sel4_rust_check_linked executable bundle triple)
    _sel4_rust_check_choice(RUST_STD_CHECK "${RUST_STD_CHECK}")
    if(RUST_STD_CHECK STREQUAL "off")
        return()
    endif()
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    get_property(sysroot GLOBAL PROPERTY SEL4_RUST_SYSROOT)
    get_target_property(archive ${bundle}-sealed IMPORTED_LOCATION)
    get_target_property(libc muslc_imported IMPORTED_LOCATION)
    get_property(launcher TARGET ${executable} PROPERTY RULE_LAUNCH_LINK)
    if(NOT launcher)
        get_property(launcher GLOBAL PROPERTY RULE_LAUNCH_LINK)
    endif()
    # Besides the image's pages, and what libsel4std reserves: the kernel's first capabilities, and those of untyped memory.
    math(EXPR slots "1 << ${KernelRootCNodeSizeBits}")
    math(EXPR others "16 + ${KernelMaxNumBootinfoUntypedCaps}")
    _sel4_rust_platform(in_components COMPONENTS)
    if(in_components)
        # The loader makes as many slots as are needed.
        math(EXPR slots "1 << 32")
    endif()
    set(request "slots = [${slots}, ${others}]\n")
    _sel4_rust_put(request TEXT archive "${archive}")
    _sel4_rust_put(request TEXT libc "${libc}")
    _sel4_rust_put(request TEXT rust-libc "${sysroot}/lib/rustlib/${triple}/lib/self-contained/libc.a")
    if(RUST_STD_CHECK STREQUAL "error")
        _sel4_rust_put(request FLAG strict TRUE)
    endif()
    _sel4_rust_request_file(file link ${bundle})
    _sel4_rust_write_if_changed("${file}" "${request}")
    set_property(TARGET ${executable} APPEND PROPERTY LINK_DEPENDS "${file}")
    set_target_properties(${executable} PROPERTIES RULE_LAUNCH_LINK "\"${tool}\" link \"${file}\" -- ${launcher}")
endfunction()
