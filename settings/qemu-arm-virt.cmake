# SPDX-License-Identifier: BSD-2-Clause
#
# 64-bit unless another architecture is asked for.
if(NOT (AARCH32 OR AARCH32HF OR ARM OR ARM_HYP))
    set(AARCH64 ON CACHE BOOL "Build for aarch64")
endif()

# The ELF loader starts other cores by SMC. QEMU answers to that only in a machine that has EL2, and else to HVC.
if(SMP AND AARCH64)
    set(QEMU_MACHINE "virt,virtualization=on,gic-version=2,dumpdtb=${CMAKE_BINARY_DIR}/qemu-arm-virt.dtb")
    set(simulation_arguments "-machine virtualization=on")
endif()
