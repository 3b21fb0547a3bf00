# SPDX-License-Identifier: BSD-2-Clause
#
# libtest runs on the first thread's stack, a test on one of its own. The heap, the stacks, and images of several MiB take
# a slot for each 4 KiB.
set(KernelArmExportVCNTUser ON CACHE BOOL "")
set(KernelRootCNodeSizeBits 17 CACHE STRING "")
set(Sel4RuntimeRootStack 1048576 CACHE STRING "")
set(LibSel4MuslcSysMorecoreBytes 33554432 CACHE STRING "")
