# SPDX-License-Identifier: BSD-2-Clause
#
# Every error of the kit has this form: what failed and with which value, then the next step.

function(_sel4_rust_error what help)
    _sel4_rust_stop("${what}\nHelp: ${help}")
endfunction()

# Stops with `text`. CMake leaves indented lines as they are; others it wraps, commands to copy among them.
function(_sel4_rust_stop text)
    string(REPLACE "\n" "\n  " text "  ${text}")
    message(FATAL_ERROR "${text}")
endfunction()
