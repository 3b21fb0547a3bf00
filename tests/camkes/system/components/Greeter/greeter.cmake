# SPDX-License-Identifier: BSD-2-Clause
add_rust_library(greeter)
