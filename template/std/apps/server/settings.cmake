# SPDX-License-Identifier: BSD-2-Clause
#
# The clock of Rust's std reads the processor's counter.
set(KernelArmExportVCNTUser ON CACHE BOOL "")
