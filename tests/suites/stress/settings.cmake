# SPDX-License-Identifier: BSD-2-Clause
#
# The first thread's stack is that of unoptimised Rust; 16 MiB of heap take a slot for each 4 KiB.
set(KernelArmExportVCNTUser ON CACHE BOOL "")
set(KernelRootCNodeSizeBits 14 CACHE STRING "")
set(Sel4RuntimeRootStack 262144 CACHE STRING "")
set(LibSel4MuslcSysMorecoreBytes 16777216 CACHE STRING "")
