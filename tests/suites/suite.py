# SPDX-License-Identifier: BSD-2-Clause
"""Boots test programs of Rust's in the root server beside, and judges what libtest says against exclusions.txt."""

import functools
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import console
from suites import programs, registry
from support import Failure, folder, write
from support.builds import LIMIT, SILENCE, Build, Shared

HERE = Path(__file__).resolve().parent
CONFIGURATIONS = {
    "qemu-arm-virt": ("aarch64", "-DPLATFORM=qemu-arm-virt"),
    "qemu-arm-virt MCS": ("aarch64", "-DPLATFORM=qemu-arm-virt", "-DMCS=ON"),
    "x86_64": ("x86_64", "-DPLATFORM=x86_64"),
}
# Some tests make a hundred threads and more. std is linked with all that it has, and not all of it is implemented.
OPTIONS = ("-DRUST_STD_CHECK=off", "-DRUST_STD_THREADS=160", "-DRUST_STD_STACK=524288", "-DRUST_STD_MEMORY=167772160")
# What the kernel and C say when something went wrong for good. Panics belong to many tests.
CRASHES = [pattern for pattern in console.CRASHES if "panicked" not in pattern]
APP = "tests/suites/libtest"
EXPECTED = console.read_expected(HERE / "libtest/expected.txt")


@dataclass(frozen=True)
class Exclusion:
    """A test that is not asked to pass. `how`: it `fails`, or, where that would end the whole program, it is `left out`."""

    suite: str
    test: str
    where: str
    how: str
    reason: str

    def holds(self, suite, configuration):
        return self.suite == suite and self.where in ("everywhere", configuration, configuration.split()[0])


@dataclass
class Verdict:
    """What a suite came to in a configuration. `findings` is empty if it did what it should."""

    passed: int = 0
    ignored: int = 0
    excluded: int = 0
    seconds: float = 0.0
    findings: list = field(default_factory=list)


@functools.cache
def exclusions():
    found, suites = [], [*programs.names(), *registry.CRATES]
    for number, line in enumerate((HERE / "exclusions.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("|")]
        if (
            len(columns) != 5
            or not all(columns)
            or columns[0].split("/")[0] not in suites
            or columns[2] not in ("everywhere", *CONFIGURATIONS)
            or columns[3] not in ("fails", "left out")
        ):
            raise Failure(
                f"exclusions.txt, line {number}: `{line}` is not an exclusion\n"
                "help: suite | test | configuration or `everywhere` | `fails` or `left out` | reason"
            )
        found.append(Exclusion(*columns))
    return found


def build_root_server(configuration: str) -> Build:
    """Returns a build folder of its own with the root server, configured; nothing is built yet."""
    build = Build(configuration.replace(" ", "-"))
    if not (build.path / "build.ninja").exists():
        build.configure(f"-DAPP=../{APP}", *CONFIGURATIONS[configuration][1:], *options())
    return build


def select_root_server(build: Shared) -> Build:
    """Makes the root server that of a shared build folder; nothing is built yet."""
    if not build.is_selected(APP, *options()):
        build.select(APP, *options())
    return build


def options() -> tuple[str, ...]:
    """Returns the root server's options. The folder SUITE has the program to run and its arguments."""
    suite = folder() / "suite"
    suite.mkdir(exist_ok=True)
    return (*OPTIONS, f"-DSUITE={suite}")


def boot(build: Build, program: Path, arguments: list[str]) -> tuple[console.Outcome, list[dict[str, Any]]]:
    """Boots `program`; returns the console.Outcome and libtest's events."""
    words = ["suite", "--test-threads=1", "-Zunstable-options", "--format=json", *arguments]
    listed = ", ".join(json.dumps(word) for word in words)
    suite = folder() / "suite"
    counted = f"int suite_argument_count = {len(words)};"
    write(suite / "arguments.c", f"char *suite_arguments[] = {{{listed}, 0}};\n{counted}\n")
    shutil.copy(program, suite / "suite.o")
    build.ninja()
    with open(suite / "console.txt", "w") as log:

        def show(line: str) -> None:
            print(line, file=log, flush=True)

        limits = {"silence": SILENCE, "limit": LIMIT}
        outcome = console.run(["./simulate"], EXPECTED, build.path, forbidden=CRASHES, show=show, **limits)
    events = []
    for line in outcome.lines:
        # A line of the C library may have begun before.
        start = line.find('{ "type"')
        if start >= 0:
            try:
                events.append(json.loads(line[start:]))
            except ValueError:
                # Cut off, or another line fell into it: the test is then missing, and libtest's own count tells.
                continue
    return outcome, events


def judge(build: Build, configuration: str, suite: str, program: Path) -> Verdict:
    """Runs a suite in a configured build folder, without what would end it."""
    mine = [exclusion for exclusion in exclusions() if exclusion.holds(suite, configuration)]
    may_fail = {exclusion.test for exclusion in mine if exclusion.how == "fails"}
    left_out = [exclusion.test for exclusion in mine if exclusion.how == "left out"]
    skips = [word for test in left_out for word in ("--skip", test)]
    outcome, events = boot(build, program, ["--exact", *skips] if left_out else [])
    return verdict(outcome, events, may_fail, left_out)


def verdict(outcome, events, may_fail, left_out):
    tests = {event["name"]: event for event in events if event["type"] == "test"}
    ends = [event for event in events if event["type"] == "suite" and event["event"] != "started"]
    kinds = {
        kind: {name for name, event in tests.items() if event["event"] == kind}
        for kind in ("started", "ok", "failed", "ignored")
    }
    result = Verdict(len(kinds["ok"]), len(kinds["ignored"]), len(may_fail) + len(left_out), outcome.seconds)
    say = result.findings.append
    for name in sorted(kinds["failed"] - may_fail):
        say(f"{name} failed:\n{tests[name].get('stdout') or tests[name].get('message') or ''}".rstrip())
    for name in sorted(may_fail - kinds["failed"]):
        say(f"{name} is excluded because it fails, and it {'passed' if name in kinds['ok'] else 'is not there'}")
    for name in kinds["started"]:
        say(f"{name} did not come to its end")
    if not outcome.passed or not ends:
        last = "\n".join(outcome.lines[-15:])
        say(f"the suite did not come to its end: {outcome.reason}; the last lines:\n{last}")
    elif ends[0]["filtered_out"] != len(left_out):
        say(f"of {len(left_out)} tests that are left out there are {ends[0]['filtered_out']}: {' '.join(left_out)}")
    elif any(
        ends[0][total] != len(kinds[kind]) for total, kind in (("passed", "ok"), ("failed", "failed"), ("ignored",) * 2)
    ):
        say(f"libtest's own count is another: {ends[0]}")
    return result


def programs_folder():
    return folder() / "programs"
