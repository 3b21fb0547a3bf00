# SPDX-License-Identifier: BSD-2-Clause
#
# Adds the programs in the folders PROGRAMS, one of which, BOOTS, is the root server.

set(KIT "${CMAKE_CURRENT_LIST_DIR}/../../..")
include(rootserver)

# bench_program(NAME SOURCE... LIBRARIES TARGET...)
function(bench_program name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LIBRARIES")
    add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} sel4muslcsys muslc startup)
    if(name STREQUAL BOOTS)
        DeclareRootserver(${name})
    else()
        SetSeL4Start(${name})
        set_property(TARGET ${name} APPEND_STRING PROPERTY LINK_FLAGS " -Wl,-T ${TLS_ROOTSERVER} ")
    endif()
endfunction()

foreach(program IN LISTS PROGRAMS)
    get_filename_component(name "${program}" NAME)
    get_filename_component(folder "${program}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_LIST_DIR}")
    add_subdirectory("${folder}" ${name})
endforeach()
