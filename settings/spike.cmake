# SPDX-License-Identifier: BSD-2-Clause
#
# 64-bit unless another architecture is asked for.
if(NOT RISCV32)
    set(RISCV64 ON CACHE BOOL "Build for riscv64")
endif()
