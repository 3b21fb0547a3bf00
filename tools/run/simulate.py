#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run a script that simulates a system, and end with the exit code that the system tells.

    tools/run/simulate.py SCRIPT [ARGUMENT...]

A root server cannot end QEMU. This program watches the console for the line below, then stops SCRIPT and everything
that SCRIPT started, and exits with that code. Without such a line it exits when SCRIPT does, with SCRIPT's status.
"""

import os
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

# What sel4std_exit() and apps/startup print.
ENDED = re.compile(rb"^The program ended with exit code (-?\d+)\r?$")


def descendants(parent):
    """The processes that `parent` started, and those that they did."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything.
            pid, parents_pid = (
                int(stat.parent.name),
                int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]),
            )
        except OSError:
            continue  # it has ended since
        parents.setdefault(parents_pid, []).append(pid)
    found = [parent]
    for pid in found:
        found += parents.get(pid, [])
    return found[1:]


def stop():
    """Parents first, so that none has time to be surprised."""
    for pid in descendants(os.getpid()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def copy_until_the_end(source):
    """Copy what comes; return the exit code if there is one, else None."""
    line = b""
    while chunk := os.read(source, 1 << 16):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        *whole, line = (line + chunk).split(b"\n")
        for ended in filter(None, map(ENDED.match, whole)):
            return int(ended[1]) & 0xFF
    return None


def main():
    # QEMU changes the terminal, and does not restore it when it is killed.
    terminal = termios.tcgetattr(0) if os.isatty(0) else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
    try:
        code = copy_until_the_end(process.stdout.fileno())
        return process.wait() if code is None else code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has closed the pipe. Without stdout, Python does not complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    finally:
        stop()
        if terminal is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, terminal)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"{__doc__}\nerror: no script is given\nhelp: run ./simulate in a build folder")
    sys.exit(main())
