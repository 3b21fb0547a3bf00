# SPDX-License-Identifier: BSD-2-Clause
#
# The environment in which cargo compiles a bundle: variables, cfgs and C flags of the project, and nothing that would
# change the kit's own flags.

# Sets `out` to the flags of rustc that the environment of this configuration has, as cargo reads them. They become part
# of the build folder; at build time cargo would take them in place of all others.
function(_sel4_rust_environment_flags out)
    set(flags "")
    string(ASCII 31 separator)
    if(NOT "$ENV{CARGO_ENCODED_RUSTFLAGS}" STREQUAL "")
        string(REPLACE "${separator}" ";" flags "$ENV{CARGO_ENCODED_RUSTFLAGS}")
    elseif(NOT "$ENV{RUSTFLAGS}" STREQUAL "")
        string(REGEX REPLACE "[ \t]+" ";" flags "$ENV{RUSTFLAGS}")
    elseif(NOT "$ENV{CARGO_BUILD_RUSTFLAGS}" STREQUAL "")
        string(REGEX REPLACE "[ \t]+" ";" flags "$ENV{CARGO_BUILD_RUSTFLAGS}")
    endif()
    list(REMOVE_ITEM flags "")
    set(${out} "${flags}" PARENT_SCOPE)
endfunction()

# Sets the environment in which cargo builds `bundle` of `executable`, with what its libraries ask for. Sets `out` to the
# libraries of C's side of the bindings among that. `facts` are the host tool's about the bundle.
function(
    _sel4_rust_set_environment
    out
    executable
    bundle
    libraries
    facts
)
    _sel4_rust_read_facts("${facts}" TRIPLE STD)
    set(triple ${fact_TRIPLE})
    set(${out} "" PARENT_SCOPE)
    set(bound "")
    set(cfg_files "")
    set(variables "")
    set(cfgs "")
    set(folders "")
    set(needed "")
    foreach(library IN LISTS libraries)
        get_target_property(env ${library} SEL4_RUST_ENV)
        get_target_property(cfg ${library} SEL4_RUST_CFG)
        get_target_property(includes ${library} SEL4_RUST_INCLUDES)
        get_target_property(depends ${library} SEL4_RUST_DEPENDS)
        foreach(variable IN LISTS env)
            string(REGEX MATCH "^[^=]*" name "${variable}")
            if(DEFINED of_${name} AND NOT "${of_${name}}" STREQUAL "${variable}")
                _sel4_rust_error(
                    "`${executable}` links `${library}` with ENV `${variable}`, and another library with ENV `${of_${name}}`."
                    "the libraries of one executable are built together: give both the same value, or one of them another name"
                )
            endif()
            set(of_${name} "${variable}")
        endforeach()
        list(APPEND variables ${env})
        list(APPEND cfgs ${cfg})
        list(APPEND folders ${includes} "$<TARGET_PROPERTY:${library},INTERFACE_INCLUDE_DIRECTORIES>")
        list(APPEND needed ${depends})
        get_target_property(binds ${library} SEL4_RUST_BINDS)
        foreach(bind IN LISTS binds)
            _sel4_rust_bind(bindings variable ${bind} ${executable} "${facts}")
            add_dependencies(cargo-prebuild_${bundle} ${bindings}_gen)
            list(APPEND variables "${variable}")
            string(REGEX REPLACE "^[^=]*=(.*)/bindings\\.rs$" "\\1/cfg" file "${variable}")
            list(APPEND cfg_files "${file}")
            list(APPEND bound ${bindings})
        endforeach()
    endforeach()
    set(${out} "${bound}" PARENT_SCOPE)
    if(needed)
        # Unlike add_dependencies(), a command evaluates generator expressions in its targets.
        set(stamp "${CMAKE_BINARY_DIR}/rust/${executable}/depends")
        add_custom_command(
            OUTPUT "${stamp}"
            COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
            DEPENDS ${needed}
            COMMENT ""
            VERBATIM
        )
        add_custom_target(${bundle}-depends DEPENDS "${stamp}")
        add_dependencies(cargo-prebuild_${bundle} ${bundle}-depends)
    endif()
    if(cfg_files)
        # For libsel4_cfg::emit() in build scripts.
        list(REMOVE_DUPLICATES cfg_files)
        list(JOIN cfg_files ":" cfg_files)
        list(APPEND variables "SEL4_BINDS_CFG=${cfg_files}")
    endif()
    list(REMOVE_DUPLICATES variables)
    list(REMOVE_DUPLICATES cfgs)
    foreach(library IN LISTS libraries)
        set_property(TARGET ${library} APPEND PROPERTY SEL4_RUST_CFGS ${cfgs})
        set_property(TARGET ${library} APPEND PROPERTY SEL4_RUST_ENVIRONMENT ${variables})
    endforeach()

    # In literal strings of TOML. A generator expression may come to nothing.
    set(content "")
    foreach(cfg IN LISTS cfgs)
        set(line "'''--cfg=${cfg}''',\n")
        if(cfg MATCHES "^\\$<")
            set(line "$<$<BOOL:${cfg}>:${line}>")
        elseif(cfg MATCHES "^([^=]+)=")
            string(APPEND line "'''--check-cfg=cfg(${CMAKE_MATCH_1}, values(any()))''',\n")
        else()
            string(APPEND line "'''--check-cfg=cfg(${cfg})''',\n")
        endif()
        string(APPEND content "${line}")
    endforeach()
    set(content "[target.${triple}]\nrustflags = [\n${content}]\n")
    # A configuration of cargo's in the user's home or project may say otherwise, and this comes last.
    _sel4_rust_cargo_profile(profile)
    set(panic abort)
    _sel4_rust_platform(own_std OWN_STD)
    if(fact_STD AND (own_std OR NOT RUST_STD_PANIC STREQUAL "abort"))
        set(panic unwind)
    endif()
    string(APPEND content "[profile.${profile}]\npanic = '${panic}'\n")
    file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/rust/${executable}/cfg.toml" CONTENT "${content}")

    # C in build scripts is compiled as the executable is. Warnings are for the authors of that C.
    get_target_property(dir ${executable} BINARY_DIR)
    get_property(of_folder DIRECTORY "${dir}" PROPERTY INCLUDE_DIRECTORIES)
    _sel4_rust_header_folders(of_image)
    list(APPEND folders ${of_folder} ${of_image})
    _sel4_rust_flags(flags ${executable})
    list(FILTER flags EXCLUDE REGEX "^-W[^l]")
    # `cc` takes the flags apart at spaces, or as a shell does. Not all releases of it know of shells.
    set(needs_shell "")
    if(flags MATCHES "[ '\"\\]")
        list(TRANSFORM flags REPLACE "'" "'\\\\''")
        list(TRANSFORM flags REPLACE "^(.*[ '\"\\].*)$" "'\\1'")
        set(needs_shell 1)
    endif()
    # bindgen's clang needs no options of a processor, and may not know those of GCC.
    set(defines "${flags}")
    list(FILTER defines INCLUDE REGEX "^'?(-[DU]|--sysroot=)")
    list(JOIN defines " " defines)
    list(JOIN flags " " flags)
    # By a property, since a list has no place in an item of another.
    set_target_properties(${bundle} PROPERTIES SEL4_RUST_FOLDERS "${folders}")
    set(folders "$<TARGET_GENEX_EVAL:${bundle},$<TARGET_PROPERTY:${bundle},SEL4_RUST_FOLDERS>>")
    set(folders "$<FILTER:$<REMOVE_DUPLICATES:${folders}>,EXCLUDE,^$>")
    set(has_space "$<BOOL:$<FILTER:${folders},INCLUDE,[ ]>>")
    if(needs_shell)
        set(has_space 1)
    endif()
    set(quote "$<${has_space}:'>")
    set(includes "$<$<BOOL:${folders}>:-isystem ${quote}$<JOIN:${folders},${quote} -isystem ${quote}>${quote}>")
    string(REPLACE "-" "_" suffix "${triple}")
    string(TOUPPER "${suffix}" suffix_upper)
    list(
        APPEND variables
        "CRATE_CC_NO_DEFAULTS=1"
        "CC_SHELL_ESCAPED_FLAGS=${has_space}"
        "CFLAGS_${suffix}=${flags} ${includes}"
        "BINDGEN_EXTRA_CLANG_ARGS_${suffix}=${defines} ${includes}"
    )

    # Variables of the user's shell that would replace the kit's flags and settings.
    foreach(
        name
        IN
        ITEMS
            RUSTC
            RUSTFLAGS
            CARGO_ENCODED_RUSTFLAGS
            CARGO_BUILD_RUSTFLAGS
            CARGO_BUILD_BUILD_DIR
            CARGO_BUILD_TARGET
            CARGO_TARGET_DIR
            CARGO_BUILD_TARGET_DIR
            CARGO_TARGET_${suffix_upper}_RUSTFLAGS
    )
        list(APPEND variables "--unset=${name}")
    endforeach()
    string(TOUPPER "${profile}" profile)
    foreach(name IN ITEMS ${profile} RELEASE)
        foreach(
            key
            IN
            ITEMS
                CODEGEN_UNITS
                DEBUG
                DEBUG_ASSERTIONS
                INCREMENTAL
                LTO
                OPT_LEVEL
                OVERFLOW_CHECKS
                PANIC
                RPATH
                SPLIT_DEBUGINFO
                STRIP
        )
            list(APPEND variables "--unset=CARGO_PROFILE_${name}_${key}")
        endforeach()
    endforeach()
    list(REMOVE_DUPLICATES variables)
    corrosion_set_env_vars(${bundle} ${variables})
endfunction()
