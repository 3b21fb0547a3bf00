# SPDX-License-Identifier: BSD-2-Clause
#
# Of it the hosted platform has archives of files; a root server that links more is told so by DeclareRootserver().

function(util_libs_import_libraries)
    # Its functions are in the bundle of an executable, its header is beside that of sel4runtime.
    add_library(cpio INTERFACE)
endfunction()

set(util_libs_FOUND TRUE)
