#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stands in for the linker of a test program: makes one object of what is the program's own.

    SUITE_LD=PREFIX-ld gather ARGUMENTS-OF-A-LINKER

std, and what comes with it, stays outside: the root server has it, as the kit links it. libtest is not among that.
"""

import os
import sys
from pathlib import Path


def words(arguments):
    """The arguments, and those in files that stand for more of them."""
    for argument in arguments:
        if argument.startswith("@"):
            yield from Path(argument[1:]).read_text().splitlines()
        else:
            yield argument


def is_own(path):
    if path.name.endswith(".rlib"):
        return "rustlib" not in path.parts or path.name.startswith(("libtest-", "libgetopts-"))
    return path.name.endswith(".rcgu.o")


arguments = list(words(sys.argv[1:]))
parts = [word for word in arguments if is_own(Path(word))]
linker = os.environ["SUITE_LD"]
output = arguments[arguments.index("-o") + 1]
os.execvp(linker, [linker, "-r", "--strip-debug", "--force-group-allocation", "-o", output, *parts])
