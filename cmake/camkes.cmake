# SPDX-License-Identifier: BSD-2-Clause
#
# The platform CAmkES, whose build makes an executable `<instance>.instance.bin` of each instance of a component, at the end
# of the configuration.

# Sets the hooks of CAmkES if this project has it.
function(_sel4_rust_camkes_begin)
    if(COMMAND GenerateCAmkESRootserver AND NOT COMMAND _GenerateCAmkESRootserver)
        CAmkESAddTemplatesPath("${SEL4_RUST_DIR}/rust/libsel4-rt/camkes")
        # CMake keeps the function of this name under the other one.
        macro(GenerateCAmkESRootserver)
            _sel4_rust_camkes_add_templates("${CMAKE_SOURCE_DIR}")
            _GenerateCAmkESRootserver(${ARGN})
        endmacro()
        set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_ADAPT _sel4_rust_camkes_adapt)
        set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_COMPONENTS TRUE)
        set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_BIND _sel4_rust_camkes_bind)
    endif()
endfunction()

# Has CAmkES generate the runtime's part of each component that links a Rust library, of those declared in `dir` and below.
function(_sel4_rust_camkes_add_templates dir)
    get_property(targets DIRECTORY "${dir}" PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
        if(NOT target MATCHES "^CAmkESComponent_")
            continue()
        endif()
        _sel4_rust_find_closure(${target} "COMPONENT_LIBS;LINK_LIBRARIES;INTERFACE_LINK_LIBRARIES" "^$" libraries items)
        foreach(library IN LISTS libraries)
            get_target_property(is_rust ${library} SEL4_RUST_LIBRARY)
            if(NOT is_rust)
                continue()
            endif()
            # CAmkES reads the templates of a component, not those of what one instance adds.
            string(REGEX REPLACE "_instance_.*" "" component "${target}")
            if(NOT TARGET ${component})
                add_custom_target(${component})
            endif()
            get_property(present TARGET ${component} PROPERTY COMPONENT_TEMPLATE_SOURCES)
            if(NOT "sel4_rust.template.c" IN_LIST present)
                set_property(TARGET ${component} APPEND PROPERTY COMPONENT_TEMPLATE_SOURCES sel4_rust.template.c)
                set_property(TARGET ${component} APPEND PROPERTY COMPONENT_TEMPLATE_HEADERS sel4_rust.template.h)
            endif()
            if(is_rust MATCHES "\nstd = true" AND NOT "sel4_rust_std.template.c" IN_LIST present)
                set_property(TARGET ${component} APPEND PROPERTY COMPONENT_TEMPLATE_SOURCES sel4_rust_std.template.c)
                break()
            endif()
        endforeach()
    endforeach()
    get_property(subdirs DIRECTORY "${dir}" PROPERTY SUBDIRECTORIES)
    foreach(subdir IN LISTS subdirs)
        _sel4_rust_camkes_add_templates("${subdir}")
    endforeach()
endfunction()

# Checks that std can work in the instance, and has its tables for unwinding kept.
function(_sel4_rust_camkes_check_std executable instance library)
    set(call "the instance `${instance}` of a CAmkES component links `${library}`, which uses Rust's std")
    get_target_property(link_flags ${executable} LINK_FLAGS)
    if(link_flags MATCHES "--relocatable")
        _sel4_rust_error(
            "${call}, and shares its address space: the C library of a group would be there several times."
            "take the instance out of its group, or leave STD out of add_rust_library(${library})"
        )
    endif()
    if(RUST_STD_GROWTH OR RUST_STD_EXECUTABLE OR NOT RUST_STD_FAULT STREQUAL "stop")
        _sel4_rust_error(
            "${call}, and RUST_STD_GROWTH (`${RUST_STD_GROWTH}`), RUST_STD_EXECUTABLE (`${RUST_STD_EXECUTABLE}`) or RUST_STD_FAULT (`${RUST_STD_FAULT}`) needs capabilities that only a root server has."
            "configure with -DRUST_STD_GROWTH=0 -DRUST_STD_EXECUTABLE=OFF -DRUST_STD_FAULT=stop"
        )
    endif()
    get_target_property(folder ${executable} SOURCE_DIR)
    if(NOT folder STREQUAL CMAKE_SOURCE_DIR)
        _sel4_rust_error(
            "${call}, and is made in `${folder}`, where nothing can be added to it."
            "call GenerateCAmkESRootserver() in the project's first CMakeLists.txt"
        )
    endif()
    get_property(done TARGET ${executable} PROPERTY SEL4_RUST_KEEPS_UNWINDING)
    if(NOT done)
        set_target_properties(${executable} PROPERTIES SEL4_RUST_KEEPS_UNWINDING TRUE)
        # CAmkES removes the tables by their names.
        add_custom_command(
            TARGET ${executable}
            POST_BUILD
            COMMAND
                "${CMAKE_OBJCOPY}" --rename-section .eh_frame=.sel4_rust_unwind --rename-section
                .eh_frame_hdr=.sel4_rust_unwind_hdr "$<TARGET_FILE:${executable}>"
            VERBATIM
        )
    endif()
endfunction()

# Prepares `executable`, if it is an instance, for the archive of the libraries.
function(_sel4_rust_camkes_adapt executable libraries)
    string(REGEX REPLACE "\\.instance\\.bin$" "" instance "${executable}")
    if(NOT TARGET "${instance}_generated")
        return()
    endif()
    set(includes "")
    set(sees_camkes FALSE)
    foreach(library IN LISTS libraries)
        get_target_property(text ${library} SEL4_RUST_LIBRARY)
        get_target_property(links ${library} SEL4_RUST_LINKS)
        if("camkes" IN_LIST links)
            set(sees_camkes TRUE)
        endif()
        if(text MATCHES "\nstd = true")
            _sel4_rust_camkes_check_std(${executable} ${instance} ${library})
        endif()
        get_target_property(header ${library} SEL4_RUST_HEADER)
        string(APPEND includes "#include <${header}>\n")
    endforeach()
    set_target_properties(
        ${executable}
        PROPERTIES
            # As camkes.h declares them.
            SEL4_RUST_CALLBACKS "pre_init;post_init;*__init;*_handle"
            SEL4_RUST_RUNTIME_FEATURES camkes
    )
    # An archive of crates that do not see camkes.h is the same for all instances, which then share it.
    if(sees_camkes)
        set(dir "${CMAKE_BINARY_DIR}/rust/${executable}/camkes")
        set_target_properties(${executable} PROPERTIES SEL4_RUST_ENVIRONMENT "SEL4_CAMKES_DIR=${dir}")
    endif()
    # The options of a component are those of its instances, unless one has its own.
    get_target_property(links ${executable} LINK_LIBRARIES)
    string(REGEX MATCHALL "CAmkESComponent_[A-Za-z0-9_]+" sources "${links}")
    foreach(source IN LISTS sources)
        foreach(
            option
            IN
            ITEMS RUST_HEAP RUST_HEAP_BYTES RUST_LOGGER RUST_LOG_LEVEL RUST_PANIC
        )
            get_property(value TARGET ${source} PROPERTY ${option})
            if(NOT "${value}" STREQUAL "")
                set_target_properties(${executable} PROPERTIES ${option} "${value}")
            endif()
        endforeach()
    endforeach()
    # An instance of a group is linked to an object, and the group has no entry: the linker would collect what other
    # instances call, and CAmkES' own tables.
    get_target_property(link_flags ${executable} LINK_FLAGS)
    if(link_flags MATCHES "--relocatable")
        get_target_property(folder ${executable} SOURCE_DIR)
        get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
        foreach(target IN LISTS targets)
            get_target_property(language ${target} LINKER_LANGUAGE)
            get_target_property(link_flags ${target} LINK_FLAGS)
            if(
                (target STREQUAL executable OR language STREQUAL "INSTANCE_GROUP")
                AND NOT link_flags MATCHES "no-gc-sections"
            )
                set_property(TARGET ${target} APPEND_STRING PROPERTY LINK_FLAGS " -Wl,--no-gc-sections ")
            endif()
        endforeach()
    endif()
    # The loader carries instances as they are linked. Their debug information, most of which is Rust's, lies beside them,
    # where debuggers find it.
    get_target_property(folder ${executable} SOURCE_DIR)
    if(NOT CMAKE_BUILD_TYPE MATCHES "^(Release|MinSizeRel)$" AND folder STREQUAL CMAKE_SOURCE_DIR)
        set(file "$<TARGET_FILE:${executable}>")
        add_custom_command(
            TARGET ${executable}
            POST_BUILD
            COMMAND "${CMAKE_OBJCOPY}" --only-keep-debug "${file}" "${file}.debug"
            COMMAND "${CMAKE_OBJCOPY}" --strip-debug "--add-gnu-debuglink=${file}.debug" "${file}"
            VERBATIM
        )
    endif()
    # C's compiler compares the functions that Rust exports with what camkes.h declares.
    set(agrees "${CMAKE_BINARY_DIR}/rust/${executable}/agrees.c")
    _sel4_rust_write_if_changed("${agrees}" "#include <camkes.h>\n${includes}")
    target_sources(${executable} PRIVATE "${agrees}")
endfunction()

# Binds the camkes.h of `executable`, if it is an instance and a crate of its bundle needs that.
function(_sel4_rust_camkes_bind executable bundle facts)
    _sel4_rust_read_facts("${facts}" LINKS TRIPLE)
    if(NOT "camkes" IN_LIST fact_LINKS)
        return()
    endif()
    string(REGEX REPLACE "\\.instance\\.bin$" "" instance "${executable}")
    if(NOT TARGET "${instance}_generated")
        _sel4_rust_error(
            "`${executable}` links a crate that depends on libsel4-camkes, and is not an instance of a CAmkES component."
            "link the crate in the LIBS of DeclareCAmkESComponent(), or take libsel4-camkes out of its dependencies"
        )
    endif()
    _sel4_rust_build_tool(sel4-rust-bindings)
    # Here, so that CMake and not ninja reports a missing libclang.
    _sel4_rust_run_tool(ignored libclang)

    set(dir "${CMAKE_BINARY_DIR}/rust/${executable}/camkes")
    # Headers that the component's own are: generated ones, and those of its INCLUDES. Other types are bound as needed.
    get_target_property(own ${executable} INCLUDE_DIRECTORIES)
    get_target_property(folder ${executable} BINARY_DIR)
    list(FILTER own INCLUDE REGEX "COMPONENT_INCLUDES|^${folder}/${instance}/")
    _sel4_rust_flags(flags ${executable})
    set(request "camkes = true\nheaders = ['camkes.h']\n")
    _sel4_rust_put(request TEXT target ${fact_TRIPLE})
    _sel4_rust_put(request TEXT out "${dir}")
    _sel4_rust_put(request TEXT depfile "${dir}/bindings.d")
    _sel4_rust_put(request LIST flags "${flags}")
    _sel4_rust_put(request GENEX include-dirs "$<FILTER:${own},EXCLUDE,^$>")
    set(all "$<TARGET_PROPERTY:${executable},INCLUDE_DIRECTORIES>")
    _sel4_rust_put(request GENEX system-include-dirs "$<FILTER:${all},EXCLUDE,^$>")
    _sel4_rust_put(request GENEX defines "$<TARGET_PROPERTY:${executable},COMPILE_DEFINITIONS>")
    _sel4_rust_request_file(file bindings ${executable})
    # CMake evaluates the content for each language of the project. C's counts.
    set(other_language "$<$<NOT:$<COMPILE_LANGUAGE:C>>:.$<COMPILE_LANGUAGE>>")
    file(GENERATE OUTPUT "${file}${other_language}" CONTENT "${request}")
    set(files bindings.rs camkes.rs wrappers.c layout.c)
    list(TRANSFORM files PREPEND "${dir}/")
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    add_custom_command(
        OUTPUT ${files}
        COMMAND "${tool}" bindings "${file}"
        DEPENDS "${tool}" "${file}" ${instance}_generated sel4 muslc_gen
        DEPFILE "${dir}/bindings.d"
        COMMENT "Rust: reading camkes.h of ${instance}"
        VERBATIM
    )
    add_custom_target(${bundle}_camkes DEPENDS ${files})
    add_dependencies(cargo-prebuild_${bundle} ${bundle}_camkes)
    # Inline functions of camkes.h, and the proof that both languages lay out its types alike.
    target_sources(${executable} PRIVATE "${dir}/wrappers.c" "${dir}/layout.c")
    set_property(
        SOURCE "${dir}/wrappers.c" "${dir}/layout.c" TARGET_DIRECTORY ${executable}
        PROPERTY COMPILE_OPTIONS -w -ffunction-sections
    )
endfunction()
