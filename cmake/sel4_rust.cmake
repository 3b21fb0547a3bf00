# SPDX-License-Identifier: BSD-2-Clause
#
# The kit's CMake functions, one file per step, in the order in which the steps happen.

include("${CMAKE_CURRENT_LIST_DIR}/version.cmake") # before all that an old CMake does not know
cmake_minimum_required(VERSION 3.22)

include("${CMAKE_CURRENT_LIST_DIR}/options.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/platform.cmake") # hooks of a platform
include("${CMAKE_CURRENT_LIST_DIR}/request.cmake") # errors, and requests to the host tool
include("${CMAKE_CURRENT_LIST_DIR}/tools.cmake") # cargo, Corrosion and the host tool
include("${CMAKE_CURRENT_LIST_DIR}/flags.cmake") # the C flags of a folder or a target
include("${CMAKE_CURRENT_LIST_DIR}/std.cmake") # Rust's std, and what of C it stands on
include("${CMAKE_CURRENT_LIST_DIR}/library.cmake") # add_rust_library()
include("${CMAKE_CURRENT_LIST_DIR}/rootserver.cmake") # add_rust_rootserver()
include("${CMAKE_CURRENT_LIST_DIR}/bindings.cmake") # libsel4 for Rust
include("${CMAKE_CURRENT_LIST_DIR}/reach.cmake") # which libraries an executable reaches
include("${CMAKE_CURRENT_LIST_DIR}/environment.cmake") # in which cargo compiles
include("${CMAKE_CURRENT_LIST_DIR}/bundle.cmake") # one Rust archive per executable
include("${CMAKE_CURRENT_LIST_DIR}/seal.cmake") # the archive without what C provides
include("${CMAKE_CURRENT_LIST_DIR}/camkes.cmake") # the platform CAmkES
include("${CMAKE_CURRENT_LIST_DIR}/scripts.cmake") # ./run-tests and ./backtrace

# seL4_tools ships a module of the same name; callers of `include(rust)` get this one.
list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}/compat")
