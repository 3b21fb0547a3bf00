# SPDX-License-Identifier: BSD-2-Clause
#
# Turns the options of easy-settings.cmake into a configuration of the seL4 build.

set(kit_dir "${CMAKE_CURRENT_LIST_DIR}/sel4-rust-kit")
include("${kit_dir}/cmake/version.cmake")
cmake_minimum_required(VERSION 3.22)
include_guard(GLOBAL)

include("${CMAKE_CURRENT_LIST_DIR}/easy-settings.cmake")
if(PLATFORM STREQUAL "hosted")
    # A model of the kernel in a Linux process, which needs no sources of seL4.
    include("${kit_dir}/hosted/cmake/settings.cmake")
    return()
endif()

# init-build.sh sets it where the sources are elsewhere.
set(SEL4_WORKSPACE "${CMAKE_CURRENT_LIST_DIR}/../.." CACHE PATH "Folder with kernel/, tools/ and projects/")
file(GLOB projects "${SEL4_WORKSPACE}/projects/*")
list(
    APPEND CMAKE_MODULE_PATH
    ${SEL4_WORKSPACE}/kernel
    ${SEL4_WORKSPACE}/tools/seL4/cmake-tool/helpers
    ${SEL4_WORKSPACE}/tools/seL4/elfloader-tool
    ${kit_dir}
    ${projects}
)
set(OPENSBI_PATH "${SEL4_WORKSPACE}/tools/opensbi" CACHE STRING "OpenSBI, the firmware of RISC-V images")
set(SEL4_CONFIG_DEFAULT_ADVANCED ON)

# Presets of the platform (the architecture, say) and of the app.
include("${kit_dir}/settings/${PLATFORM}.cmake" OPTIONAL)
include("${CMAKE_CURRENT_LIST_DIR}/apps/${APP}/settings.cmake" OPTIONAL)

include(application_settings)
correct_platform_strings()
find_package(seL4 REQUIRED)
sel4_configure_platform_settings()

ApplyCommonReleaseVerificationSettings(${RELEASE} OFF)
if(SIMULATION)
    ApplyCommonSimulationSettings(${KernelSel4Arch})
    # A release build turns the kernel's console off, and with it what a simulation is watched by.
    set(KernelPrinting ON CACHE BOOL "" FORCE)
endif()
set(KernelMaxNumNodes 1 CACHE STRING "" FORCE)
set(KernelIsMCS ${MCS} CACHE BOOL "" FORCE)
# Every 4 KiB of the root server's image takes a slot.
set(KernelRootCNodeSizeBits 13 CACHE STRING "")
