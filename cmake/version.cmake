# SPDX-License-Identifier: BSD-2-Clause
#
# Stops a CMake that is too old with the way out; the error of cmake_minimum_required() names none.

if(CMAKE_VERSION VERSION_LESS 3.22)
    string(
        CONCAT message
        "  CMake is of version ${CMAKE_VERSION}, and sel4-rust-kit needs 3.22 or later.\n"
        "  Help: bring a newer one with `pip install cmake` (or apt from Debian 12 and Ubuntu 22.04 on), and start in a fresh build folder"
    )
    message(FATAL_ERROR "${message}")
endif()
