# SPDX-License-Identifier: BSD-2-Clause
#
# Errors of the kit, and requests to its host tool: a request is one TOML file, a step reads it.

# Stops with what failed and with which value, and the next step.
function(_sel4_rust_error what help)
    _sel4_rust_stop("${what}\nHelp: ${help}")
endfunction()

# Stops with `text`. CMake leaves indented lines as they are; others it wraps, commands to copy among them.
function(_sel4_rust_stop text)
    string(REPLACE "\n" "\n  " text "  ${text}")
    message(FATAL_ERROR "${text}")
endfunction()

# Stops unless `value`, which the option `option` has here, is one of the option's choices.
function(_sel4_rust_check_choice option value)
    get_property(choices CACHE ${option} PROPERTY STRINGS)
    if(NOT value IN_LIST choices)
        list(JOIN choices ", " choices)
        _sel4_rust_error("${option} is `${value}`." "configure with -D${option}= one of: ${choices}")
    endif()
endfunction()

# Appends to the request in the variable `_to`: a TEXT, if it is not empty; a LIST, if it has items; GENEX, a
# generator expression for a list; or a FLAG, if it is true.
function(_sel4_rust_put _to kind key value)
    if(kind STREQUAL "FLAG" AND value)
        string(APPEND ${_to} "${key} = true\n")
    elseif(kind STREQUAL "GENEX")
        # Literal strings of TOML, so that nothing needs to be escaped.
        string(APPEND ${_to} "${key} = [$<$<BOOL:${value}>:'''$<JOIN:${value},''', '''>'''>]\n")
    elseif(NOT kind STREQUAL "FLAG" AND NOT "${value}" STREQUAL "")
        if(kind STREQUAL "LIST")
            list(JOIN value "''', '''" value)
            string(APPEND ${_to} "${key} = ['''${value}''']\n")
        else()
            string(APPEND ${_to} "${key} = '''${value}'''\n")
        endif()
    endif()
    set(${_to} "${${_to}}" PARENT_SCOPE)
endfunction()

# Sets `out` to the file for the request `name` to `step`.
function(_sel4_rust_request_file out step name)
    set(${out} "${CMAKE_BINARY_DIR}/rust/requests/${name}.${step}.toml" PARENT_SCOPE)
endfunction()

# Has the host tool take the step `step` now, by the text of its request. Sets `out` to the facts that the tool prints.
# The tool words its own errors.
function(_sel4_rust_run_step out step name request)
    _sel4_rust_request_file(file ${step} "${name}")
    _sel4_rust_write_if_changed("${file}" "${request}")
    _sel4_rust_run_tool(facts ${step} "${file}")
    set(${out} "${facts}" PARENT_SCOPE)
endfunction()

# Sets fact_<KEY>, for each key that follows, to the list of its values in `facts`.
function(_sel4_rust_read_facts facts)
    foreach(key IN LISTS ARGN)
        set(fact_${key} "")
    endforeach()
    string(REPLACE "\n" ";" lines "${facts}")
    foreach(line IN LISTS lines)
        if(line MATCHES "^([A-Z]+)=(.*)$" AND CMAKE_MATCH_1 IN_LIST ARGN)
            list(APPEND fact_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
        endif()
    endforeach()
    foreach(key IN LISTS ARGN)
        set(fact_${key} "${fact_${key}}" PARENT_SCOPE)
    endforeach()
endfunction()

# Runs the host tool. Its standard output goes to `out`.
function(_sel4_rust_run_tool out)
    get_property(tool GLOBAL PROPERTY SEL4_RUST_TOOL)
    get_property(rustc GLOBAL PROPERTY SEL4_RUST_RUSTC)
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -E env "RUSTC=${rustc}" "${tool}" ${ARGN}
        RESULT_VARIABLE result
        OUTPUT_VARIABLE stdout
        ERROR_VARIABLE stderr
    )
    if(NOT result EQUAL 0)
        string(STRIP "${stderr}" stderr)
        string(REGEX REPLACE "^(Fetching [^\n]*\n)*error: " "" stderr "${stderr}")
        string(REPLACE "\nhelp: " "\nHelp: " stderr "${stderr}")
        _sel4_rust_stop("${stderr}")
    elseif(stderr)
        message("${stderr}")
    endif()
    set(${out} "${stdout}" PARENT_SCOPE)
endfunction()

# Writes a file whose content changes. file(CONFIGURE) would do this, but takes an `@` in a path for a variable.
function(_sel4_rust_write_if_changed file content)
    if(EXISTS "${file}")
        file(READ "${file}" before)
        if(before STREQUAL content)
            return()
        endif()
    endif()
    file(WRITE "${file}" "${content}")
endfunction()
