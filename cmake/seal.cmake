# SPDX-License-Identifier: BSD-2-Clause
#
# The archive of a bundle as an executable links it: without what C's own libraries provide.

# Adds the imported library <bundle>-sealed: the archive of the bundle of `executable` less what C's own libraries provide,
# so that memcpy() and the compiler's helpers stay C's. The step `bundle` has written the request. The object `inlined`, if
# any, takes the place of rustc's. The targets `headers` write the headers that the archive is compared with.
function(
    _sel4_rust_seal
    executable
    bundle
    inlined
    headers
    facts
)
    _sel4_rust_read_facts("${facts}" LIBGCC)
    set(dir "${CMAKE_BINARY_DIR}/rust/${executable}")
    add_library(${bundle}-sealed STATIC IMPORTED GLOBAL)
    set(archive "${dir}/archive/lib${bundle}.a")
    _sel4_rust_platform(link_libraries LINK_LIBRARIES)
    if(link_libraries)
        _sel4_rust_platform(link_options LINK_OPTIONS)
        set_target_properties(
            ${bundle}-sealed
            PROPERTIES
                IMPORTED_LOCATION "${archive}"
                INTERFACE_LINK_LIBRARIES "${link_libraries}"
                INTERFACE_LINK_OPTIONS "${link_options}"
        )
        add_dependencies(${bundle}-sealed cargo-build_${bundle})
        return()
    endif()

    # The linker finds what is left out in these, and in the executable's own part of the runtime.
    set(provided_by ${fact_LIBGCC})
    set(depends "")
    if(TARGET muslc_imported)
        list(PREPEND provided_by muslc)
        get_target_property(libc muslc_imported IMPORTED_LOCATION)
        set(depends muslc_gen "${libc}")
    endif()
    set(sealed "${dir}/lib${bundle}.a")
    # The linker's options for what nothing refers to: constructors, such as that of the logger, and functions that C only
    # refers to weakly.
    set(needed "${dir}/needed")
    _sel4_rust_request_file(file seal ${bundle})
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    add_custom_command(
        OUTPUT "${sealed}" "${needed}"
        COMMAND "${tool}" seal "${file}"
        DEPENDS "${tool}" "${file}" "${archive}" cargo-build_${bundle} ${headers} ${inlined} ${depends}
        COMMENT "Rust: sealing lib${bundle}.a"
        VERBATIM
    )
    add_custom_target(${bundle}-seal DEPENDS "${sealed}")
    set_target_properties(
        ${bundle}-sealed
        PROPERTIES
            IMPORTED_LOCATION "${sealed}"
            INTERFACE_LINK_LIBRARIES "$<TARGET_PROPERTY:SEL4_RUST_RUNTIME>;${provided_by}"
            INTERFACE_LINK_OPTIONS "@${needed}"
    )
    add_dependencies(${bundle}-sealed ${bundle}-seal)
endfunction()

# Sets `out` to the libraries of C's side of the runtime for `executable`, compiled as that is: sel4_rust_rt, and the region
# of the heap. Executables with the same C flags share the first, and with the same size the second. `std` is true if Rust's
# std has the heap.
function(_sel4_rust_add_runtime out executable std)
    set(${out} "" PARENT_SCOPE)
    _sel4_rust_platform(link_libraries LINK_LIBRARIES)
    if(link_libraries)
        return()
    endif()
    _sel4_rust_variant(variant ${executable})
    set(runtime sel4_rust_rt${variant})
    _sel4_rust_compile_runtime(${runtime} ${executable} console.c fault.c lock.c thread.c)
    _sel4_rust_option(heap ${executable} RUST_HEAP)
    _sel4_rust_option(bytes ${executable} RUST_HEAP_BYTES)
    if(NOT std AND heap MATCHES "^(rlsf|linked-list)$")
        list(APPEND runtime sel4_rust_heap${variant}_${bytes})
        _sel4_rust_compile_runtime(sel4_rust_heap${variant}_${bytes} ${executable} heap.c)
        target_compile_definitions(sel4_rust_heap${variant}_${bytes} PRIVATE SEL4_RUST_HEAP_BYTES=${bytes})
    endif()
    set(${out} "${runtime}" PARENT_SCOPE)
endfunction()

# Adds, once, the library `library` of the sources in libsel4-rt's folder c, compiled as `executable` is.
function(_sel4_rust_compile_runtime library executable)
    if(TARGET ${library})
        return()
    endif()
    list(TRANSFORM ARGN PREPEND "${SEL4_RUST_DIR}/rust/libsel4-rt/c/" OUTPUT_VARIABLE sources)
    add_library(${library} STATIC EXCLUDE_FROM_ALL ${sources})
    _sel4_rust_compile_as(${library} ${executable})
    target_compile_options(${library} PRIVATE -ffunction-sections)
    # Programs for the machine of the build have no libsel4.
    if(TARGET sel4)
        target_compile_definitions(${library} PRIVATE SEL4_RUST_ON_SEL4)
        target_link_libraries(${library} PRIVATE sel4 sel4_autoconf)
    endif()
    if(TARGET muslc)
        target_link_libraries(${library} PRIVATE muslc)
    endif()
endfunction()

# Adds the steps that make <dir>/inlined.o, the code of `bundle` with C's inline functions inlined. clang compiles the
# wrappers of libsel4-sys, those of the target `sys`, to LLVM's code; LLVM's linker, which comes with rustc, optimises that
# and all Rust code as one. A system call from Rust is then the instructions that C gets of it. The result is an ordinary
# object; the project's linker links the image as ever.
function(_sel4_rust_add_inlining bundle dir sys facts)
    _sel4_rust_read_facts("${facts}" CLANG CLANGFLAGS LLD)
    get_target_property(sys_dir ${sys} SEL4_RUST_DIR)
    set(wrappers "${sys_dir}/wrappers.bc")
    if(NOT TARGET ${sys}_bc)
        # Without the attribute many wrappers stay calls, as clang and rustc name the processor's features differently.
        _sel4_rust_write_if_changed(
            "${sys_dir}/inlined.c"
            "#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)
#include \"wrappers.c\"
#pragma clang attribute pop
"
        )
        set(includes "$<TARGET_PROPERTY:${sys},INCLUDE_DIRECTORIES>")
        set(defines "$<TARGET_PROPERTY:${sys},COMPILE_DEFINITIONS>")
        add_custom_command(
            OUTPUT "${wrappers}"
            COMMAND
                "${fact_CLANG}" ${fact_CLANGFLAGS} "$<$<BOOL:${includes}>:-I;$<JOIN:${includes},;-I;>>"
                "$<$<BOOL:${defines}>:-D;$<JOIN:${defines},;-D;>>" -emit-llvm -c "${sys_dir}/inlined.c" -o "${wrappers}"
                -MD -MT "${wrappers}" -MF "${wrappers}.d"
            DEPENDS "${sys_dir}/inlined.c" "${sys_dir}/wrappers.c" ${sys}_gen
            DEPFILE "${wrappers}.d"
            COMMENT "Rust: compiling libsel4's functions for inlining"
            COMMAND_EXPAND_LISTS
            VERBATIM
        )
        add_custom_target(${sys}_bc DEPENDS "${wrappers}")
    endif()

    corrosion_add_target_local_rustflags(${bundle} "--emit=llvm-bc=${dir}/rust.bc")
    # rustc writes its code beside the archive; the archive is what ninja knows the time of.
    add_custom_command(
        OUTPUT "${dir}/inlined.o"
        COMMAND "${fact_LLD}" -flavor gnu -r --lto-O3 -o "${dir}/linked.o" "${dir}/rust.bc" "${wrappers}"
        # Nothing outside calls what is inlined everywhere.
        COMMAND "${CMAKE_OBJCOPY}" --wildcard "--localize-symbol=*__extern" "${dir}/linked.o" "${dir}/inlined.o"
        DEPENDS "${dir}/archive/lib${bundle}.a" cargo-build_${bundle} "${wrappers}" ${sys}_bc
        COMMENT "Rust: inlining libsel4 into lib${bundle}.a"
        VERBATIM
    )
endfunction()
