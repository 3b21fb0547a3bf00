# SPDX-License-Identifier: BSD-2-Clause
#
# 64-bit unless another architecture is asked for.
if(NOT (AARCH32 OR AARCH32HF OR ARM OR ARM_HYP))
    set(AARCH64 ON CACHE BOOL "Build for aarch64")
endif()
