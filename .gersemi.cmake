# SPDX-License-Identifier: BSD-2-Clause
#
# Commands of seL4's CMake projects, for gersemi alone: it writes commands without a definition in lower case.

function(ApplyCommonReleaseVerificationSettings release verification)
endfunction()
function(ApplyCommonSimulationSettings architecture)
endfunction()
function(ApplyData61ElfLoaderSettings platform architecture)
endfunction()
function(DeclareRootserver executable)
endfunction()
function(GenerateSimulateScript)
endfunction()
function(MakeCPIO output inputs)
endfunction()
function(SetSeL4Start target)
endfunction()
function(_SetDefaultMemSize default)
endfunction()

function(CAmkESAddTemplatesPath)
endfunction()

function(DeclareCAmkESComponent name)
    cmake_parse_arguments(
        PARSE_ARGV 1
        ARG
        ""
        "LINKER_LANGUAGE"
        "SOURCES;INCLUDES;C_FLAGS;CXX_FLAGS;LD_FLAGS;LIBS;TEMPLATE_SOURCES;TEMPLATE_HEADERS"
    )
endfunction()

function(DeclareCAmkESRootserver adl)
endfunction()

function(ExtendCAmkESComponentInstance component instance)
endfunction()

function(_GenerateCAmkESRootserver)
endfunction()
