# SPDX-License-Identifier: BSD-2-Clause
#
# The options of this project; `../init-build.sh -DPLATFORM=qemu-arm-virt`.

set(PLATFORM "qemu-arm-virt" CACHE STRING "Platform to build for")
set(RELEASE OFF CACHE BOOL "Optimised build without debugging")
set(SIMULATION ON CACHE BOOL "Build for QEMU")
