# SPDX-License-Identifier: BSD-2-Clause
"""seL4's threads in gdb, on the hosted platform: `info sel4-threads`.

gdb -x hosted/gdb.py PROGRAM        a program of PLATFORM=hosted
tools/run/hosted.py --gdb BUILD     an unmodified image
"""

import gdb


def words(count, name):
    """The first `count` words of a variable of the hosted platform."""
    address = int(gdb.parse_and_eval(f"(unsigned long) &{name}"))
    return [word(address + 8 * index) for index in range(count)]


def word(address):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, 8), "little")


class Threads(gdb.Command):
    """Lists the seL4 threads of the program: name, priority, address, and the object that each waits for."""

    def __init__(self):
        super().__init__("info sel4-threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        kernel, function, stack, storage, selector = words(6, "sel4_hosted_debugger")[:5]
        if not kernel:
            raise gdb.GdbError("the kernel runs now, not an seL4 thread\nhelp: continue to a breakpoint in a thread")
        # The function is part of the host: it needs the host's stack and storage, and Linux' system calls.
        registers = {"$sp": word(stack) - 1024}
        if gdb.selected_frame().architecture().name().startswith("i386"):
            registers["$fs_base"] = storage
        frame = gdb.selected_frame()
        gdb.newest_frame().select()
        before = {name: int(gdb.parse_and_eval(f"(unsigned long) {name}")) for name in registers}
        inferior = gdb.selected_inferior()
        calls = bytes(inferior.read_memory(selector, 1)) if selector else b""
        try:
            self.set(registers)
            inferior.write_memory(selector, b"\0" * len(calls))
            text = gdb.parse_and_eval(f"((const char *(*)(void)) {function})()").string()
        finally:
            inferior.write_memory(selector, calls)
            self.set(before)
            frame.select()
        gdb.write(text)

    def set(self, registers):
        for name, value in registers.items():
            gdb.execute(f"set var {name} = {value}", to_string=True)


class Image(gdb.Command):
    """Starts an unmodified image and stops when it is loaded, so that breakpoints can be set in it."""

    def __init__(self):
        super().__init__("sel4-image", gdb.COMMAND_RUNNING, gdb.COMPLETE_FILENAME)

    def invoke(self, image, from_tty):
        gdb.Breakpoint("sel4_hosted_loaded", temporary=True)
        gdb.execute("run")
        gdb.execute(f"add-symbol-file {image}", to_string=True)


class Steps(gdb.Function):
    """True while the program executes a single step, an access to the timer, which ends with a SIGTRAP."""

    def __init__(self):
        super().__init__("sel4_steps")

    def invoke(self):
        stepping = words(6, "sel4_hosted_debugger")[5]
        return stepping != 0 and gdb.selected_inferior().read_memory(stepping, 1)[0] != b"\0"


Threads()
Image()
Steps()
# gdb uses SIGTRAP for its breakpoints, and passes one on only from such a catchpoint.
gdb.execute("catch signal SIGTRAP", to_string=True)
gdb.execute("condition $bpnum $sel4_steps()")
gdb.execute("commands $bpnum\nsilent\nsignal SIGTRAP\nend")
# Faults and system calls are the seL4 program's own business; SIGVTALRM ends time slices.
gdb.execute("handle SIGSEGV SIGBUS SIGILL SIGFPE SIGVTALRM SIGSYS nostop noprint pass", to_string=True)
