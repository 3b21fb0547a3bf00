# SPDX-License-Identifier: BSD-2-Clause
#
# The C library of the hosted platform is that of the host.

function(musllibc_setup_build_environment_with_sel4runtime)
    add_library(muslc INTERFACE)
    # On a kernel, muslc's system calls. Here the library is empty.
    add_library(sel4muslcsys INTERFACE)
endfunction()

set(musllibc_FOUND TRUE)
