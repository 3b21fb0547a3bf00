#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Say which functions and lines the addresses in a console's output are.

    ./simulate | ./backtrace
    ./backtrace < console.txt

Copies standard input. Below each line with an address of the program it prints the function and the source line:
for frames of Rust's backtraces, and for the faulting instruction and the stack in the kernel's fault reports. Every
word of the stack that may be a return address is shown; some are left over from calls that have returned.
"""

import argparse
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

# As Rust's std and the kernel write them. The second is where the next instruction is, not the one behind a call.
FRAME = re.compile(r"^\s*\d+:\s+0x([0-9a-f]+) - <unknown>$")
FAULT = re.compile(r"at address 0x([0-9a-f]+)$")
FIRST_FRAME = re.compile(r"^\s*0:")
# Markers around the frames between a panic and its report.
PANIC_ENDS = "__rust_end_short_backtrace"
STACK_BEGINS = "With stack:"
STACK = re.compile(r"^0x[0-9a-f]+: 0x([0-9a-f]+)$")

UNKNOWN = "??"
# What the compiler adds to names, and where Rust's own sources are said to lie.
HASH = re.compile(r"\[[0-9a-f]{8,16}\]|::h[0-9a-f]{16}$")
RUSTC = re.compile(r"^.*/rustc/\w+/")
INDENT = " " * 27


def code_of(elf):
    """Where the executable's sections with code lie: a range for each."""
    wide = elf[4] == 2  # 64 bits
    (table,) = struct.unpack_from("<Q" if wide else "<I", elf, 0x28 if wide else 0x20)
    size, count = struct.unpack_from("<HH", elf, 0x3A if wide else 0x2E)
    found = []
    for section in range(table, table + size * count, size):
        flags, address, _, length = struct.unpack_from("<4Q" if wide else "<4I", elf, section + 8)
        if flags & 4:  # SHF_EXECINSTR
            found.append(range(address, address + length))
    return found


class Program:
    """The executable, as addr2line knows it."""

    def __init__(self, executable, addr2line, sources):
        self.sources = [f"{folder}/" for folder in sources]
        self.code = code_of(Path(executable).read_bytes())
        self.process = subprocess.Popen(
            [addr2line, "--exe", executable, "--functions", "--inlines", "--demangle"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def places(self, address):
        """[(function, file:line)] of an address: the innermost function first, then those that it is inlined into."""
        # Nothing is at 0: where the answer to that begins, the one before ends.
        self.process.stdin.write(f"{address:#x}\n0\n")
        self.process.stdin.flush()
        found = []
        while True:
            function, place = self.process.stdout.readline().strip(), self.process.stdout.readline().strip()
            if not place:
                sys.exit(
                    f"error: `{self.process.args[0]}` ended with status {self.process.wait()}\n"
                    "help: what it says above tells why; build the program if it is not there: ninja"
                )
            if function == UNKNOWN and found:
                return [pair for pair in found if pair[0] != UNKNOWN]
            found.append((HASH.sub("", function), self.shown(place)))

    def shown(self, place):
        """A place as it is told: of the project's files and of Rust's own the path below their folders."""
        place = RUSTC.sub("", place.partition(" (discriminator")[0])
        if place.startswith(UNKNOWN):
            return ""
        folder = next(filter(place.startswith, self.sources), "")
        return place.removeprefix(folder).removesuffix(":?")

    def called_from(self, address):
        """As places(), of the call that returns to `address`."""
        return self.places(address - 1)

    def pushed(self, address):
        """As called_from(); empty for what is no code, and where a function begins: then it is a pointer to that."""
        if not any(address in part for part in self.code):
            return []
        before, there = self.called_from(address), self.places(address)
        return before if before and there and before[-1][0] == there[-1][0] else []


def explain(places, first):
    """Lines for functions, each with its place below, behind `first`, whatever is to stand before the innermost."""
    lines = []
    for function, place in places:
        lines.append(f"{first}{function}")
        if place:
            lines.append(f"{INDENT}   at {place}")
        first = INDENT
    return lines


def explained(lines, program, full):
    """Yields the lines, with an explanation of each address."""
    # Frames that are left out if they turn out to be those of std's report of a panic.
    held, in_stack = [], False
    for line in lines:
        # A terminal in raw mode wants a carriage return, too.
        text = line.rstrip("\r\n")
        in_stack = text == STACK_BEGINS or in_stack and STACK.match(text) is not None
        if match := FRAME.match(text):
            places = program.called_from(int(match[1], 16))
            frame = explain(places, text.removesuffix("<unknown>")) or [text]
            if not full and any(PANIC_ENDS in function for function, _ in places):
                held = []
            elif held or not full and FIRST_FRAME.match(text):
                held += frame
            else:
                yield from frame
            continue
        yield from held
        held = []
        yield text
        if match := FAULT.search(text):
            yield from explain(program.places(int(match[1], 16)), INDENT)
        elif in_stack and (match := STACK.match(text)):
            yield from explain(program.pushed(int(match[1], 16)), INDENT)
    yield from held


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("executable", help="the program that printed the addresses, not stripped")
    parser.add_argument("--addr2line", default="addr2line", help="addr2line of the C compiler's tools")
    parser.add_argument(
        "--sources", action="append", default=[], help="a folder that is left out of the paths of its files"
    )
    parser.add_argument("--full", action="store_true", help="also the functions of Rust's std that report a panic")
    arguments = parser.parse_args()
    if not Path(arguments.executable).is_file():
        sys.exit(f"error: there is no program `{arguments.executable}`\nhelp: build it: ninja")
    try:
        program = Program(arguments.executable, arguments.addr2line, arguments.sources)
    except OSError as error:
        sys.exit(
            f"error: cannot start `{arguments.addr2line}`: {error}\nhelp: it is one of the compiler's tools (binutils)"
        )
    sys.stdin.reconfigure(errors="replace")
    try:
        for line in explained(sys.stdin, program, arguments.full):
            print(line, flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        # The reader has closed the pipe. Without stdout, Python does not complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
