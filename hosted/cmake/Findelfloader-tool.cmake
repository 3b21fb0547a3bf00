# SPDX-License-Identifier: BSD-2-Clause
#
# The hosted platform has no ELF loader. DeclareRootserver() refuses a root server that links it.

function(ApplyData61ElfLoaderSettings)
endfunction()

function(elfloader_import_project)
endfunction()

set(elfloader-tool_FOUND TRUE)
