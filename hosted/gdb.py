# SPDX-License-Identifier: BSD-2-Clause
"""seL4's threads in gdb, on the hosted platform: `gdb -x hosted/gdb.py PROGRAM`, then `info sel4-threads`."""

import gdb


class Threads(gdb.Command):
    """The seL4 threads of the program: name, priority, address, and what each waits for."""

    def __init__(self):
        super().__init__("info sel4-threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        text = gdb.parse_and_eval("(*(const char *(**)(void)) &sel4_hosted_threads)()")
        gdb.write(text.string())


Threads()
# Faults are the seL4 program's own business; SIGVTALRM ends time slices.
gdb.execute("handle SIGSEGV SIGBUS SIGILL SIGFPE SIGVTALRM nostop noprint pass", to_string=True)
