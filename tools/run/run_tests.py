#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boot a build folder's image, whose Rust libraries have tests, and tell what they came to.

One line for each test, what it printed if it failed, and `N passed, N failed, N skipped`. Exit status 0
only if at least one test passed and none failed. A test that hangs the whole system is cut off, and the
system is booted again for the remaining ones. docs/testing.md says how tests are written.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
import console

PREFIX = "libsel4-test: "
# Where an image has which of its tests run: rust/libsel4-test/src/selection.rs.
MARK, DIGITS, TEXT = b"libsel4-test selection: ", 6, 64
# What ends all tests at once.
FATAL = (
    rf"{PREFIX}cannot begin",
    r"KERNEL \w+ ABORT",
    r"seL4 (called fail|failed assertion)",
    r"root server abort\(\)ed",
    r"^halting\.\.\.",
)
# QEMU's monitor shares the console: what to type for the registers of all cores, and where in them is what runs. Asked
# more than once, as QEMU likes to stop where an interrupt begins.
REGISTERS = (b"\x01c", *3 * [b"info registers -a\n"])
CORE = re.compile(r"^CPU#(\d+)")
PLACE = re.compile(r"^\s*(?:PC=|RIP=|EIP=|pc +)([0-9a-f]+)|\bR15=([0-9a-f]{8})\b")


class Unusable(Exception):
    """A build folder that no test can be run in; says why and what to do."""


class Places:
    """Source lines of the addresses that the monitor and QEMU have printed, by addr2line."""

    # The program counter and, on architectures that have one, the register of the return address.
    ADDRESSES = re.compile(r"\b(?:pc|rip|eip|x30|r14|ra):(0x[0-9a-f]+)|\bwas seen at (0x.*)")

    def __init__(self, executable, addr2line):
        self.command = [addr2line, "--exe", executable, "--functions", "--inlines", "--demangle", "--pretty-print"]

    def of(self, lines):
        """A line for each that is known."""
        found = [
            address
            for line in lines
            for match in self.ADDRESSES.findall(line)
            for text in match
            for address in re.findall(r"0x[0-9a-f]+", text)
        ]
        if not all(self.command[:3]) or not found:
            return []
        answer = subprocess.run([*self.command, *found], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return [
            "in " + re.sub(r"/rustc/\w+/", "", line.removeprefix(" (inlined by) "))
            for line in answer.stdout.splitlines()
            if "??" not in line
        ]


class Tests:
    """What is known of the tests so far."""

    def __init__(self, places):
        self.places = places
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.seen = self.booted = self.ended = False
        self.number, self.name, self.details, self.since = -1, "", [], 0.0

    def see(self, line):
        """Take in a line of the console."""
        before, prefix, said = line.partition(PREFIX)
        if not prefix:
            self.details.append(line)
            return
        if before:
            self.details.append(before)
        if re.fullmatch(r"\d+ tests", said):
            self.booted, self.details = True, []
        elif said == "end":
            self.ended = True
        elif found := re.fullmatch(r"run (\d+) (\S+)", said):
            self.number, self.name = int(found[1]), found[2]
            self.details, self.since, self.seen = [], time.monotonic(), True
            print(f"  {self.name} ... ", end="", flush=True)
        elif found := re.fullmatch(r"(ok|not ok|skip) (\S+)(?: # (.*))?", said):
            self.result(found[1], found[3])
        else:
            self.details.append(said)

    def tell_places(self):
        """Of what QEMU's monitor has said keep where each core is."""
        typed = next(
            (number for number, line in enumerate(self.details) if line.startswith("QEMU ")), len(self.details)
        )
        said, self.details[typed:] = self.details[typed:], []
        core, places = "0", {}
        for line in said:
            if found := CORE.search(line):
                core = found[1]
            elif found := PLACE.search(line):
                # A dictionary keeps the order and no place twice.
                places.setdefault(core, {})[f"{int(found[1] or found[2], 16):#x}"] = True
        self.details += [f"core {core} was seen at {', '.join(seen)}" for core, seen in places.items()]

    def result(self, verdict, why):
        word = {"ok": "ok", "not ok": "FAILED", "skip": "skipped"}[verdict]
        self.passed += verdict == "ok"
        self.failed += verdict == "not ok"
        self.skipped += verdict == "skip"
        print(f"{word}  {time.monotonic() - self.since:.1f} s" + (f"  ({why})" if why else ""))
        if verdict == "not ok":
            for line in (*self.details, *self.places.of(self.details)):
                print(f"      {line}")
        sys.stdout.flush()
        self.name, self.details = "", []


def image(folder):
    """The file that the root server is in, as ./simulate boots it."""
    try:
        command = subprocess.run(["./simulate", "--dry-run"], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unusable(
            f"cannot boot `{folder}`: {error}\nhelp: configure it for simulation (init-build.sh) and build it (ninja)"
        ) from None
    words = (command.stdout + command.stderr).split()
    for option in ("-initrd", "-kernel"):
        if option in words[:-1]:
            return folder / words[words.index(option) + 1]
    raise Unusable(f"`{folder}/simulate` names no image")


def select(content, first, text):
    """An image in which the tests from number `first` on run whose names contain `text`."""
    pattern = re.escape(MARK) + rb"\d{%d}.{%d}" % (DIGITS, TEXT)
    chosen = MARK + str(first).zfill(DIGITS).encode() + text.ljust(TEXT, b"\0")
    content, count = re.subn(pattern, lambda _: chosen, content, flags=re.DOTALL)
    if count == 0:
        raise Unusable(
            "the image has no tests in it\nhelp: a Rust library in it calls libsel4_test::run(); see docs/testing.md"
        )
    return content


def run(folder, program, text, silence, limit, shown, tests):
    """Boot until all tests have run, and have `tests` see it. A program of Linux, if there is one, is the image."""
    path = program or image(folder)
    if not path.is_file():
        raise Unusable(f"there is no `{path}`\nhelp: build it: ninja")
    content = path.read_bytes()
    chosen = folder / f"run-tests-{os.getpid()}.image"
    command = ["./simulate", "-i", str(chosen)]
    if program:
        command = [f"./{chosen.name}"]
        # A thread that computes for ever is named before silence cuts it off.
        os.environ.setdefault("SEL4_HOSTED_WATCHDOG", str(max(1, int(silence / 2))))

    def see(line):
        if shown:
            print(line, flush=True)
        tests.see(line)

    try:
        while not tests.ended:
            chosen.write_bytes(select(content, tests.number + 1, text.encode()))
            chosen.chmod(0o755)
            tests.booted, before = False, tests.number
            outcome = console.run(
                command,
                console.expectations([f"/{PREFIX}end$/"]),
                folder,
                show=see,
                forbidden=FATAL,
                silence=silence,
                limit=limit,
                ask=REGISTERS,
            )
            if "no new line" in outcome.reason:
                tests.tell_places()
            # It says first which line did not come, which is not what is wrong.
            reason = outcome.reason.partition("did not come: ")[2] or outcome.reason.partition(";")[0]
            if tests.name:
                tests.result("not ok", f"the system stopped: {reason}")
            elif not tests.ended and (not tests.booted or tests.number == before):
                lines = "\n".join(outcome.lines[-30:])
                raise Unusable(f"no test began: {reason}\n{lines}\nhelp: the console above says how far it came")
    finally:
        chosen.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="the build folder")
    parser.add_argument("text", nargs="?", default="", metavar="TEXT", help="run only tests with TEXT in their names")
    parser.add_argument(
        "--silence",
        type=float,
        default=30,
        metavar="SECONDS",
        help="a system that prints no new line for this long hangs (default: 30)",
    )
    parser.add_argument(
        "--limit", type=float, default=1200, metavar="SECONDS", help="seconds for each boot (default: 1200)"
    )
    parser.add_argument(
        "--program", type=Path, metavar="FILE", help="a program of Linux to run, in place of booting an image"
    )
    parser.add_argument("--executable", metavar="FILE", help="the root server, to name the source line of a thread")
    parser.add_argument(
        "--addr2line", default="addr2line", metavar="PROGRAM", help="addr2line of the C compiler's tools"
    )
    parser.add_argument("--console", action="store_true", help="show all that the console shows")
    arguments = parser.parse_intermixed_args()
    if len(arguments.text.encode()) > TEXT:
        parser.error(f"TEXT has at most {TEXT} bytes")
    # A terminated run stops QEMU like an interrupted one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tests = Tests(Places(arguments.executable, arguments.addr2line))
    status = 0
    try:
        run(
            arguments.build.resolve(),
            arguments.program,
            arguments.text,
            arguments.silence,
            arguments.limit,
            arguments.console,
            tests,
        )
    except Unusable as error:
        print(f"error: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    if tests.seen:
        print(f"{tests.passed} passed, {tests.failed} failed, {tests.skipped} skipped")
    elif not status:
        print(f"error: no test has `{arguments.text}` in its name", file=sys.stderr)
    return status or (0 if tests.passed and not tests.failed else 1)


if __name__ == "__main__":
    sys.exit(main())
