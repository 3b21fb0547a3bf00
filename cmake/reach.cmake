# SPDX-License-Identifier: BSD-2-Clause
#
# Walks over the project: its executables, and what each of them links, directly or through other libraries.

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

# Sets `out` to the Rust libraries in the link closure of `target`.
function(_sel4_rust_find_libraries target out)
    set(found "")
    _sel4_rust_find_closure(${target} "LINK_LIBRARIES;INTERFACE_LINK_LIBRARIES" "^$" closure items)
    foreach(item IN LISTS closure)
        get_target_property(library ${item} SEL4_RUST_LIBRARY)
        if(library)
            list(APPEND found ${item})
        endif()
    endforeach()
    list(REMOVE_DUPLICATES found)
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

# Sets `out` to the targets that `target` reaches by the properties, but for those whose names match `except`, and
# `out_items` to all that stands in these properties. Follows `$<TARGET_PROPERTY:target,property>`: of CAmkES' components,
# properties of custom targets keep the libraries.
function(
    _sel4_rust_find_closure
    target
    properties
    except
    out
    out_items
)
    set(found "")
    set(all "")
    # Names of targets, and `target,property` for a single property of one.
    set(next ${target})
    set(followed "")
    while(next)
        list(POP_FRONT next at)
        set(reads "${properties}")
        if(at MATCHES "^(.+),(.+)$")
            set(at "${CMAKE_MATCH_1}")
            set(reads "${CMAKE_MATCH_2}")
        endif()
        set(items "")
        foreach(property IN LISTS reads)
            get_target_property(value ${at} ${property})
            if(value)
                list(APPEND items ${value})
            endif()
        endforeach()
        string(REGEX MATCHALL "TARGET_PROPERTY:[^<>,;]+,[A-Za-z0-9_]+" references "${items}")
        foreach(reference IN LISTS references)
            string(REPLACE "TARGET_PROPERTY:" "" reference "${reference}")
            string(REGEX REPLACE ",.*" "" other "${reference}")
            if(TARGET "${other}" AND NOT reference IN_LIST followed)
                list(APPEND followed "${reference}")
                list(APPEND next "${reference}")
            endif()
        endforeach()
        # Of a generator expression any part may name a target. Taking in too much is harmless: of a crate in the
        # archive only what is called gets into the image.
        # A `::` belongs to the name of a target, a lone `:` to the expression.
        string(REPLACE "::" "\t" items "${items}")
        string(REGEX REPLACE "[$<>:,;\"]+" ";" items "${items}")
        string(REPLACE "\t" "::" items "${items}")
        list(APPEND all ${items})
        foreach(item IN LISTS items)
            if(NOT TARGET "${item}")
                continue()
            endif()
            get_target_property(aliased ${item} ALIASED_TARGET)
            if(aliased)
                set(item ${aliased})
            endif()
            if(NOT item IN_LIST found AND NOT item MATCHES "${except}")
                list(APPEND found ${item})
                list(APPEND next ${item})
            endif()
        endforeach()
    endwhile()
    set(${out} "${found}" PARENT_SCOPE)
    set(${out_items} "${all}" PARENT_SCOPE)
endfunction()
