# SPDX-License-Identifier: BSD-2-Clause

cmake_minimum_required(VERSION 3.16.0)
include_guard(GLOBAL)

set(project_dir "${CMAKE_CURRENT_LIST_DIR}/../../")
file(GLOB project_modules ${project_dir}/projects/*)
list(
    APPEND CMAKE_MODULE_PATH
    ${project_dir}/kernel
    ${project_dir}/tools/seL4/cmake-tool/helpers/
    ${project_dir}/tools/seL4/elfloader-tool/
    ${project_modules}
)
set(OPENSBI_PATH "${project_dir}/tools/opensbi" CACHE STRING "OpenSBI Folder location")
set(SEL4_CONFIG_DEFAULT_ADVANCED ON)

include("${CMAKE_CURRENT_LIST_DIR}/easy-settings.cmake")
include(application_settings)

if(PLATFORM STREQUAL "qemu-arm-virt")
    set(AARCH64 ON CACHE BOOL "")
endif()
correct_platform_strings()
find_package(seL4 REQUIRED)
sel4_configure_platform_settings()

ApplyCommonReleaseVerificationSettings(${RELEASE} OFF)
if(SIMULATION)
    ApplyCommonSimulationSettings(${KernelSel4Arch})
    set(KernelPrinting ON CACHE BOOL "" FORCE)
endif()
set(KernelMaxNumNodes 1 CACHE STRING "")
set(KernelRootCNodeSizeBits 13 CACHE STRING "")
