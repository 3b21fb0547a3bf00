# SPDX-License-Identifier: BSD-2-Clause
#
# Options of a build folder: `../init-build.sh -DPLATFORM=x86_64`.

set(PLATFORM "qemu-arm-virt" CACHE STRING "Platform to build for, as seL4 names it, or hosted")
set(APP "server" CACHE STRING "Folder of apps/ that becomes the root server")
set(RELEASE OFF CACHE BOOL "Optimised build, without the kernel's debugging")
set(MCS OFF CACHE BOOL "Kernel with mixed-criticality scheduling")
set(SIMULATION ON CACHE BOOL "Build for QEMU and write ./simulate")
