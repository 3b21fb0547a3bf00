# SPDX-License-Identifier: BSD-2-Clause
#
# Hooks of the hosted platform for cmake/, which describes them in platform.cmake: an executable is a Linux program, with
# the model of the kernel in its Rust archive.

set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_TRIPLE ${KernelSel4Arch}-unknown-linux-gnu)
set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_RUNTIME "${SEL4_RUST_DIR}/hosted/rt/Cargo.toml")
if(KernelIsMCS)
    set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_RUNTIME_FEATURES mcs)
endif()
set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_LIBSEL4_IN_RUST TRUE)
set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_OWN_STD TRUE)
set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_PROGRAMS TRUE)
set_property(
    GLOBAL
    PROPERTY SEL4_RUST_PLATFORM_LINK_LIBRARIES gcc_s util rt pthread m dl c
)
set_property(GLOBAL PROPERTY SEL4_RUST_PLATFORM_LINK_OPTIONS -Wl,-u,sel4_hosted_begin -no-pie)
