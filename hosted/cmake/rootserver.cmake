# SPDX-License-Identifier: BSD-2-Clause

# Makes an executable a root server: a Linux program with the model of the kernel in it.
function(DeclareRootserver rootserver)
    get_target_property(libraries ${rootserver} LINK_LIBRARIES)
    foreach(library IN LISTS libraries)
        if(library MATCHES "^(sel4|platsupport|utils|cpio|elf|lwip|pci)" AND NOT TARGET ${library})
            message(
                FATAL_ERROR
                "`${rootserver}` links `${library}`, which the hosted platform does not have.\n"
                "Help: build for another PLATFORM, or use only libsel4, sel4runtime and the C library"
            )
        endif()
    endforeach()
    get_property(before GLOBAL PROPERTY SEL4_HOSTED_ROOTSERVER)
    if(before)
        message(
            FATAL_ERROR
            "`${before}` and `${rootserver}` are both root servers.\nHelp: call DeclareRootserver() for one of them only"
        )
    endif()
    set_property(GLOBAL PROPERTY SEL4_HOSTED_ROOTSERVER ${rootserver})
    # The kernel is Rust, so a program without Rust libraries needs a bundle too.
    _sel4_rust_find_triple(triple)
    set_target_properties(${rootserver} PROPERTIES SEL4_RUST_NEEDS_BUNDLE TRUE)
    target_link_libraries(${rootserver} PRIVATE sel4runtime "$<TARGET_PROPERTY:SEL4_RUST_BUNDLE>")
    _sel4_rust_bundle_at_end()
endfunction()
