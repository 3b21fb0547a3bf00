# SPDX-License-Identifier: BSD-2-Clause
#
# Every error of the kit has this form: what failed and with which value, then the next step.

function(_sel4_rust_error what help)
    message(FATAL_ERROR "${what}\nHelp: ${help}")
endfunction()
