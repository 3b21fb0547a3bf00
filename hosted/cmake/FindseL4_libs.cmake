# SPDX-License-Identifier: BSD-2-Clause
#
# Nothing of it is on the hosted platform; a root server that links some of it is told so by DeclareRootserver().

function(sel4_libs_import_libraries)
endfunction()

set(seL4_libs_FOUND TRUE)
