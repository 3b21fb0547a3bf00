# SPDX-License-Identifier: BSD-2-Clause
#
# What this app presets. std's clock reads the processor's counter.
set(KernelArmExportVCNTUser ON CACHE BOOL "")
