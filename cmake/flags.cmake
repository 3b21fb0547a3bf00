# SPDX-License-Identifier: BSD-2-Clause
#
# C flags. What the kit compiles or asks the compiler for belongs to one executable, and has the flags of its target and
# its folder: projects set them at the top, in a subfolder, or for a single target.

# Sets `out` to the C flags of `target`; without a target, to those of the current folder. Generator expressions that only
# CMake's generator can evaluate are left out.
function(_sel4_rust_flags out target)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    if(target)
        get_target_property(dir ${target} BINARY_DIR)
        get_directory_property(general DIRECTORY "${dir}" DEFINITION CMAKE_C_FLAGS)
        get_directory_property(special DIRECTORY "${dir}" DEFINITION CMAKE_C_FLAGS_${type})
        get_target_property(options ${target} COMPILE_OPTIONS)
        get_target_property(definitions ${target} COMPILE_DEFINITIONS)
        # CMake adds those of the folder only when it generates.
        get_property(of_folder DIRECTORY "${dir}" PROPERTY COMPILE_DEFINITIONS)
        list(APPEND definitions ${of_folder})
        list(REMOVE_DUPLICATES definitions)
    else()
        set(general "${CMAKE_C_FLAGS}")
        set(special "${CMAKE_C_FLAGS_${type}}")
        get_property(options DIRECTORY PROPERTY COMPILE_OPTIONS)
        get_property(definitions DIRECTORY PROPERTY COMPILE_DEFINITIONS)
    endif()
    separate_arguments(flags NATIVE_COMMAND "${general} ${special}")
    _sel4_rust_drop_expressions(options)
    _sel4_rust_drop_expressions(definitions)
    _sel4_rust_drop_included_files(options)
    foreach(option IN LISTS options)
        if(option MATCHES "^SHELL:(.*)")
            separate_arguments(option NATIVE_COMMAND "${CMAKE_MATCH_1}")
        endif()
        list(APPEND flags ${option})
    endforeach()
    list(FILTER definitions EXCLUDE REGEX "-NOTFOUND$")
    list(TRANSFORM definitions PREPEND "-D")
    list(APPEND flags ${definitions})
    list(FILTER flags EXCLUDE REGEX "-NOTFOUND$")
    # CMake adds these itself, so that no variable of flags has them. clang compiles for the host without.
    if(CMAKE_C_COMPILER_TARGET AND CMAKE_C_COMPILE_OPTIONS_TARGET)
        list(PREPEND flags "${CMAKE_C_COMPILE_OPTIONS_TARGET}${CMAKE_C_COMPILER_TARGET}")
    endif()
    if(CMAKE_SYSROOT_COMPILE)
        list(PREPEND flags "--sysroot=${CMAKE_SYSROOT_COMPILE}")
    elseif(CMAKE_SYSROOT)
        list(PREPEND flags "--sysroot=${CMAKE_SYSROOT}")
    endif()
    set(${out} "${flags}" PARENT_SCOPE)
endfunction()

# Sets `out` to the end of the names of what is compiled with the C flags of `executable`: nothing for the first that are
# asked for, a number for others.
function(_sel4_rust_variant out executable)
    _sel4_rust_flags(flags ${executable})
    # Warnings change nothing.
    list(FILTER flags EXCLUDE REGEX "^-W[^l]")
    foreach(property IN ITEMS COMPILE_OPTIONS COMPILE_DEFINITIONS C_STANDARD C_EXTENSIONS)
        get_property(value TARGET ${executable} PROPERTY ${property})
        _sel4_rust_read_properties(value)
        if(property MATCHES "^C_" OR value MATCHES "\\$<")
            list(APPEND flags "${property}=${value}")
        endif()
    endforeach()
    string(SHA256 key "${flags}")
    get_property(keys GLOBAL PROPERTY SEL4_RUST_VARIANTS)
    list(FIND keys "${key}" index)
    if(index EQUAL -1)
        list(LENGTH keys index)
        set_property(GLOBAL APPEND PROPERTY SEL4_RUST_VARIANTS "${key}")
    endif()
    set(variant "")
    if(index GREATER 0)
        math(EXPR variant "${index} + 1")
        string(PREPEND variant "_")
    endif()
    set(${out} "${variant}" PARENT_SCOPE)
endfunction()

# Replaces in `variable` each `$<TARGET_PROPERTY:target,property>` by what the property is. CAmkES gives each instance options
# that name it, and are mostly empty.
function(_sel4_rust_read_properties variable)
    set(text "${${variable}}")
    string(REGEX MATCHALL "\\$<TARGET_PROPERTY:[^<>,;]+,[A-Za-z0-9_]+>" references "${text}")
    foreach(reference IN LISTS references)
        string(REGEX MATCH ":([^,]+),([^>]+)>" parts "${reference}")
        if(TARGET "${CMAKE_MATCH_1}")
            get_property(value TARGET "${CMAKE_MATCH_1}" PROPERTY ${CMAKE_MATCH_2})
            string(REPLACE "${reference}" "${value}" text "${text}")
        endif()
    endforeach()
    set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# Evaluates the generator expressions in the list in `variable` for files in C, and removes those that are not known yet. One may
# be several items of the list, as in `$<$<COMPILE_LANGUAGE:CXX>:-a -b>`.
function(_sel4_rust_drop_expressions variable)
    set(list "${${variable}}")
    string(REGEX REPLACE "\\$<COMPILE_LANGUAGE:([A-Z]+,)*C(,[A-Z]+)*>" "1" list "${list}")
    string(REGEX REPLACE "\\$<COMPILE_LANGUAGE:[^<>]*>" "0" list "${list}")
    string(
        REGEX REPLACE "\\$<(COMPILE_LANG_AND_ID:C,|C_COMPILER_ID:)([^<>]*,)?${CMAKE_C_COMPILER_ID}(,[^<>]*)?>"
        "1"
        list
        "${list}"
    )
    string(REGEX REPLACE "\\$<(COMPILE_LANG_AND_ID|C_COMPILER_ID):[^<>]*>" "0" list "${list}")
    _sel4_rust_take_branches(list)
    set(before "")
    while(NOT list STREQUAL before)
        set(before "${list}")
        string(REGEX REPLACE "\\$<[^<>]*>" "EXPRESSION-NOTFOUND" list "${list}")
    endwhile()
    list(FILTER list EXCLUDE REGEX "\\$<|EXPRESSION-NOTFOUND|^$")
    set(${variable} "${list}" PARENT_SCOPE)
endfunction()

# Removes from the list in `variable` the options that include a file of the program's own before each source.
function(_sel4_rust_drop_included_files variable)
    set(kept "")
    set(is_file FALSE)
    foreach(option IN LISTS ${variable})
        if(option MATCHES "^-(include|imacros)$")
            set(is_file TRUE)
        elseif(is_file)
            set(is_file FALSE)
        elseif(NOT option MATCHES "(^|[: ])-(include|imacros)")
            # An option may hold a list itself, in a generator expression.
            string(REPLACE ";" "\\;" option "${option}")
            list(APPEND kept "${option}")
        endif()
    endforeach()
    set(${variable} "${kept}" PARENT_SCOPE)
endfunction()

# Sets `out` to the folders of the headers of libsel4 and muslc, as far as the project has them: a generator expression.
function(_sel4_rust_header_folders out)
    set(folders "")
    foreach(
        target
        IN
        ITEMS sel4 sel4_autoconf kernel_Config sel4_Config muslc
    )
        list(APPEND folders "$<$<TARGET_EXISTS:${target}>:$<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>>")
    endforeach()
    set(${out} "${folders}" PARENT_SCOPE)
endfunction()

# Compiles `target` as `executable` is compiled: with the flags of its folder and its own.
function(_sel4_rust_compile_as target executable)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    get_target_property(from ${executable} BINARY_DIR)
    get_target_property(to ${target} BINARY_DIR)
    set(all "")
    foreach(variable IN ITEMS CMAKE_C_FLAGS CMAKE_C_FLAGS_${type})
        get_directory_property(flags DIRECTORY "${from}" DEFINITION ${variable})
        get_directory_property(present DIRECTORY "${to}" DEFINITION ${variable})
        if(NOT flags STREQUAL present AND NOT flags MATCHES "^ *$")
            list(APPEND all "SHELL:${flags}")
        endif()
    endforeach()
    if(NOT from STREQUAL to)
        # CMake adds the definitions of a folder to its targets when it generates.
        get_property(definitions DIRECTORY "${from}" PROPERTY COMPILE_DEFINITIONS)
        target_compile_definitions(${target} PRIVATE ${definitions})
        get_property(folders DIRECTORY "${from}" PROPERTY INCLUDE_DIRECTORIES)
        target_include_directories(${target} PRIVATE ${folders})
    endif()
    foreach(property IN ITEMS COMPILE_OPTIONS COMPILE_DEFINITIONS)
        foreach(source IN ITEMS ${executable} ${target})
            get_target_property(flags ${source} ${property})
            _sel4_rust_drop_included_files(flags)
            if(flags)
                list(APPEND all "${flags}")
            endif()
        endforeach()
        set_property(TARGET ${target} PROPERTY ${property} "${all}")
        set(all "")
    endforeach()
    foreach(property IN ITEMS C_STANDARD C_EXTENSIONS)
        get_property(value TARGET ${executable} PROPERTY ${property})
        if(NOT "${value}" STREQUAL "")
            set_property(TARGET ${target} PROPERTY ${property} "${value}")
        endif()
    endforeach()
endfunction()

# Appends the C compiler with `flags` to the request in the variable `_to`. `std` is the call that asks for Rust's
# std in this build, or nothing.
function(_sel4_rust_put_compiler _to flags std)
    if(NOT KernelSel4Arch)
        _sel4_rust_error(
            "KernelSel4Arch is not set: there is no seL4 kernel in this project yet."
            "call sel4_import_kernel() before add_rust_library()"
        )
    endif()
    get_property(sysroot GLOBAL PROPERTY SEL4_RUST_SYSROOT)
    _sel4_rust_platform(triple TRIPLE)
    _sel4_rust_put(${_to} TEXT compiler.program "${CMAKE_C_COMPILER}")
    _sel4_rust_put(${_to} LIST compiler.flags "${flags}")
    _sel4_rust_put(${_to} TEXT compiler.sel4-arch "${KernelSel4Arch}")
    _sel4_rust_put(${_to} TEXT compiler.platform-triple "${triple}")
    _sel4_rust_put(${_to} TEXT compiler.sysroot "${sysroot}")
    _sel4_rust_put(${_to} TEXT compiler.std "${std}")
    set(${_to} "${${_to}}" PARENT_SCOPE)
endfunction()

# Appends cargo, and where its answers are kept, to the request in the variable `_to`.
function(_sel4_rust_put_cargo _to)
    get_property(cargo GLOBAL PROPERTY SEL4_RUST_CARGO)
    _sel4_rust_put(${_to} TEXT cargo.program "${cargo}")
    _sel4_rust_put(${_to} TEXT cargo.cache "${CMAKE_BINARY_DIR}/rust/metadata")
    set(${_to} "${${_to}}" PARENT_SCOPE)
endfunction()

# Notes that the current folder is compiled for `triple`, which must not differ between the folders of one build.
function(_sel4_rust_agree_on_triple triple)
    get_property(before GLOBAL PROPERTY SEL4_RUST_TRIPLE)
    get_property(folder GLOBAL PROPERTY SEL4_RUST_TRIPLE_FOLDER)
    if(before AND NOT before STREQUAL triple)
        _sel4_rust_error(
            "Rust libraries of one build must agree on their target, but `${CMAKE_CURRENT_SOURCE_DIR}` is compiled for `${triple}` and another folder for `${before}`: `${folder}`."
            "set the C flags that decide the float ABI at the top of the project"
        )
    endif()
    set_property(GLOBAL PROPERTY SEL4_RUST_TRIPLE "${triple}")
    set_property(GLOBAL PROPERTY SEL4_RUST_TRIPLE_FOLDER "${CMAKE_CURRENT_SOURCE_DIR}")
endfunction()

# Sets `out` to the Rust target that fits the current folder.
function(_sel4_rust_find_triple out)
    _sel4_rust_find_tools()
    _sel4_rust_flags(flags "")
    set(request "")
    _sel4_rust_put_compiler(request "${flags}" "")
    string(MD5 name "${CMAKE_CURRENT_BINARY_DIR}")
    _sel4_rust_run_step(facts target ${name} "${request}")
    _sel4_rust_read_facts("${facts}" TRIPLE)
    _sel4_rust_agree_on_triple(${fact_TRIPLE})
    set(${out} ${fact_TRIPLE} PARENT_SCOPE)
endfunction()
