# SPDX-License-Identifier: BSD-2-Clause
#
# The host's gcc links 32-bit code only with Debian's gcc-multilib, which conflicts with the cross compilers.
if(NOT CROSS_COMPILER_PREFIX)
    find_program(i686_gcc i686-linux-gnu-gcc NO_CACHE)
    if(i686_gcc)
        set(CROSS_COMPILER_PREFIX "i686-linux-gnu-" CACHE STRING "Prefix of the C toolchain")
    endif()
endif()
