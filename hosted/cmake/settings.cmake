# SPDX-License-Identifier: BSD-2-Clause
#
# Settings of a build for the hosted platform. settings/settings.cmake includes this file in place of seL4's settings.

foreach(option IN ITEMS SMP VERIFICATION)
    if(${option})
        message(
            FATAL_ERROR
            "the hosted platform has no kernel with ${option} yet.\nHelp: leave -D${option}=ON out, or build for another PLATFORM"
        )
    endif()
endforeach()
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}" "${CMAKE_CURRENT_LIST_DIR}/../..")

# Variables of the kernel's configuration that projects read.
set(KernelPlatform hosted)
# Programs are built for this machine, or for the target of CROSS_COMPILER_PREFIX.
cmake_host_system_information(RESULT hosted_architecture QUERY OS_PLATFORM)
set(SEL4_HOSTED_EMULATOR "")
if(CROSS_COMPILER_PREFIX MATCHES "(aarch64|x86_64)-linux-gnu-$" AND NOT CMAKE_MATCH_1 STREQUAL hosted_architecture)
    set(hosted_architecture "${CMAKE_MATCH_1}")
    # Debian's place of another architecture's C library.
    set(SEL4_HOSTED_EMULATOR "qemu-${hosted_architecture} -L /usr/${hosted_architecture}-linux-gnu ")
endif()
if(CROSS_COMPILER_PREFIX)
    set(CMAKE_C_COMPILER "${CROSS_COMPILER_PREFIX}gcc" CACHE STRING "")
    set(CMAKE_CXX_COMPILER "${CROSS_COMPILER_PREFIX}g++" CACHE STRING "")
endif()
if(hosted_architecture STREQUAL "x86_64")
    set(KernelArch x86)
    set(KernelSel4Arch x86_64)
    set(KernelSel4ArchX86_64 ON)
    set(KernelArchX86 ON)
elseif(hosted_architecture STREQUAL "aarch64")
    set(KernelArch arm)
    set(KernelSel4Arch aarch64)
    set(KernelSel4ArchAarch64 ON)
    set(KernelArchARM ON)
else()
    message(
        FATAL_ERROR
        "the hosted platform does not run on ${hosted_architecture}.\nHelp: it needs a Linux machine, x86_64 or aarch64"
    )
endif()
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
