# SPDX-License-Identifier: BSD-2-Clause
#
# The options a user sets when making a build folder: `../init-build.sh -DPLATFORM=zynqmp -DAPP=hello`.
# They belong to a fresh build folder; most cannot be changed in one that is configured.

#[=======================================================================[.md:
ANCHOR: options
| option | default | |
|---|---|---|
| `PLATFORM` | `zynqmp` | platform, as seL4 names it; files in [settings/](../settings) say what some of them preset. `hosted` is [a model of the kernel in a Linux process](hosted.md) |
| `AARCH64`, `AARCH32`, `RISCV64` … | by platform | architecture, where the platform has several |
| `CROSS_COMPILER_PREFIX` | found | prefix of the C toolchain |
| `APP` | `hello` | folder of [apps/](../apps) that becomes the root server |
| `RELEASE` | `OFF` | optimised, without the kernel's debugging |
| `VERIFICATION` | `OFF` | only kernel features that verification covers |
| `MCS` | `OFF` | kernel with mixed-criticality scheduling |
| `SMP`, `NUM_NODES` | `OFF`, `2` | kernel for several cores, and how many |
| `SIMULATION` | `ON` | build for QEMU and write `./simulate` |
| `PRINTING` | `AUTO` | whether the kernel prints to the console: `ON`, `OFF`, or `AUTO` for debug builds and simulation |
ANCHOR_END: options
#]=======================================================================]

set(PLATFORM "zynqmp" CACHE STRING "Platform to build for, as seL4 names it; settings/ says what each presets")
set(APP "hello" CACHE STRING "Folder of apps/ that becomes the root server")
set(RELEASE OFF CACHE BOOL "Optimised build, without the kernel's debugging")
set(VERIFICATION OFF CACHE BOOL "Only kernel features that verification covers")
set(MCS OFF CACHE BOOL "Kernel with mixed-criticality scheduling")
set(SMP OFF CACHE BOOL "Kernel for several cores")
set(NUM_NODES "2" CACHE STRING "Number of cores of an SMP kernel")
set(SIMULATION ON CACHE BOOL "Build for QEMU and write ./simulate")
set(PRINTING AUTO CACHE STRING "Kernel prints to the console: ON, OFF, or AUTO for debug builds and simulation")

# RUST_HEAP and its kin, which every project with the kit in it has.
include("${CMAKE_CURRENT_LIST_DIR}/cmake/options.cmake")
