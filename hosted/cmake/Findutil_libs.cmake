# SPDX-License-Identifier: BSD-2-Clause
#
# The hosted platform has libcpio only. DeclareRootserver() refuses a root server that links others.

function(util_libs_import_libraries)
    # The functions are in the bundle of an executable, the header is beside that of sel4runtime.
    add_library(cpio INTERFACE)
endfunction()

set(util_libs_FOUND TRUE)
