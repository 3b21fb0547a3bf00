# SPDX-License-Identifier: BSD-2-Clause
#
# Nothing of it is on the hosted platform; a root server that links some of it is told so by DeclareRootserver().

function(ApplyData61ElfLoaderSettings)
endfunction()

function(elfloader_import_project)
endfunction()

set(elfloader-tool_FOUND TRUE)
