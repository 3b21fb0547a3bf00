# SPDX-License-Identifier: BSD-2-Clause
#
# Turns the options of easy-settings.cmake into a configuration of the seL4 build. init-build.sh runs it first
# (`cmake -C`), and CMakeLists.txt includes it, so that an edit takes effect in a configured folder too.

include("${CMAKE_CURRENT_LIST_DIR}/../cmake/version.cmake")
cmake_minimum_required(VERSION 3.22)
include_guard(GLOBAL)

get_filename_component(kit_dir "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
include("${kit_dir}/easy-settings.cmake")
if(PLATFORM STREQUAL "hosted")
    # A Linux program, which needs none of the sources.
    include("${kit_dir}/hosted/cmake/settings.cmake")
    return()
endif()
# Every project of the manifest but the kit itself, which is where this file lies.
file(STRINGS "${kit_dir}/manifest.xml" paths REGEX "<project [^>]*path=")
foreach(path IN LISTS paths)
    string(REGEX REPLACE ".* path=\"([^\"]*)\".*" "\\1" path "${path}")
    if(NOT path STREQUAL "projects/sel4-rust-kit" AND NOT EXISTS "${SEL4_WORKSPACE}/${path}")
        message(
            FATAL_ERROR
            "the workspace `${SEL4_WORKSPACE}` has no `${path}`.\n"
            "Help: get the sources that manifest.xml names with `repo sync` there, or with `./quickstart`; then configure with init-build.sh in a fresh folder"
        )
    endif()
endforeach()
file(GLOB projects "${SEL4_WORKSPACE}/projects/*")
list(
    APPEND CMAKE_MODULE_PATH
    ${SEL4_WORKSPACE}/kernel
    ${SEL4_WORKSPACE}/tools/seL4/cmake-tool/helpers
    ${SEL4_WORKSPACE}/tools/seL4/elfloader-tool
    ${projects}
    ${kit_dir}
)
file(GLOB assembly "${kit_dir}/apps/${APP}/*.camkes")
if(assembly)
    include("${CMAKE_CURRENT_LIST_DIR}/camkes.cmake")
endif()
set(OPENSBI_PATH "${SEL4_WORKSPACE}/tools/opensbi" CACHE STRING "OpenSBI, the firmware of RISC-V images")
set(SEL4_CONFIG_DEFAULT_ADVANCED ON)

include("${CMAKE_CURRENT_LIST_DIR}/${PLATFORM}.cmake" OPTIONAL)
include("${kit_dir}/apps/${APP}/settings.cmake" OPTIONAL)

include(application_settings)
correct_platform_strings()
find_package(seL4 REQUIRED)
sel4_configure_platform_settings()

# muslc takes the thread pointer from these registers and no others.
if(KernelSel4ArchAarch32)
    set(KernelArmTLSReg tpidruro CACHE STRING "" FORCE)
elseif(KernelSel4ArchAarch64)
    set(KernelArmTLSReg tpidru CACHE STRING "" FORCE)
endif()
if(SIMULATION)
    ApplyCommonSimulationSettings(${KernelSel4Arch})
endif()
ApplyCommonReleaseVerificationSettings(${RELEASE} ${VERIFICATION})
# A release build turns the kernel's console off, and with it what a simulation is watched by.
if(PRINTING STREQUAL "AUTO" AND SIMULATION AND NOT VERIFICATION)
    set(KernelPrinting ON CACHE BOOL "" FORCE)
elseif(NOT PRINTING STREQUAL "AUTO")
    set(KernelPrinting ${PRINTING} CACHE BOOL "" FORCE)
endif()
if(SMP)
    set(KernelMaxNumNodes ${NUM_NODES} CACHE STRING "" FORCE)
    string(APPEND simulation_arguments " -smp cpus=${NUM_NODES}")
else()
    set(KernelMaxNumNodes 1 CACHE STRING "" FORCE)
endif()
set(KernelIsMCS ${MCS} CACHE BOOL "" FORCE)

# Every 4 KiB of the root server's image takes a slot; the default of 2^12 is too few for a large heap.
set(KernelRootCNodeSizeBits 13 CACHE STRING "")
