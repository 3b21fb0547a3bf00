# SPDX-License-Identifier: BSD-2-Clause
#
# How an seL4 project finds the kit, in the manner of seL4's own libraries. The functions are there after
# find_package(); a project that never calls them needs no Rust, no cargo and no Corrosion.

set(SEL4_RUST_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE STRING "Folder of sel4-rust-kit")
mark_as_advanced(SEL4_RUST_DIR)

include("${SEL4_RUST_DIR}/cmake/sel4_rust.cmake")

# Kept for the habit of the other projects, which are brought in by a call of this form.
function(sel4_rust_import_project)
endfunction()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(sel4_rust DEFAULT_MSG SEL4_RUST_DIR)
