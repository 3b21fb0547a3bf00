# SPDX-License-Identifier: BSD-2-Clause
#
# What a build for the hosted platform presets; settings/settings.cmake includes it in place of seL4's own settings.

foreach(option IN ITEMS SMP VERIFICATION)
    if(${option})
        message(FATAL_ERROR "the hosted platform has no kernel with ${option} yet.\nHelp: leave -D${option}=ON out, or build for another PLATFORM")
    endif()
endforeach()
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}" "${CMAKE_CURRENT_LIST_DIR}/../..")

# Names of the kernel's configuration that projects ask for.
set(KernelPlatform hosted)
set(KernelArch x86)
set(KernelSel4Arch x86_64)
set(KernelSel4ArchX86_64 ON)
set(KernelArchX86 ON)
set(KernelPrinting ON)
set(KernelDebugBuild ON)
set(KernelIsMCS ${MCS})

if(NOT CMAKE_BUILD_TYPE)
    if(RELEASE)
        set(CMAKE_BUILD_TYPE Release CACHE STRING "")
    else()
        set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
    endif()
endif()
