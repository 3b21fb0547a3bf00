# SPDX-License-Identifier: BSD-2-Clause
#
# The C library of the hosted platform is that of the host.

function(musllibc_setup_build_environment_with_sel4runtime)
    add_library(muslc INTERFACE)
    # Where muslc finds seL4; there is nothing to find here.
    add_library(sel4muslcsys INTERFACE)
endfunction()

set(musllibc_FOUND TRUE)
