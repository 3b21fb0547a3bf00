# SPDX-License-Identifier: BSD-2-Clause
"""Boots test programs of Rust's in the root server beside, and judges what libtest says against exclusions.txt."""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import console
from suites import programs, registry
from support import Failure, folder, write
from support.builds import LIMIT, SILENCE, Build, Shared

HERE = Path(__file__).resolve().parent
ARM = ("-DPLATFORM=qemu-arm-virt", "-DKernelArmExportVCNTUser=ON")
RELEASE, SMP = "-DRELEASE=ON", ("-DSMP=ON", "-DNUM_NODES=2")
CONFIGURATIONS = {
    "qemu-arm-virt": ARM,
    "qemu-arm-virt Release": (*ARM, RELEASE),
    "qemu-arm-virt MCS": (*ARM, "-DMCS=ON"),
    "qemu-arm-virt SMP": (*ARM, *SMP),
    "x86_64": ("-DPLATFORM=x86_64",),
    "x86_64 Release": ("-DPLATFORM=x86_64", RELEASE),
    "hosted": ("-DPLATFORM=hosted",),
}
# Crates are tried where they are used.
OF_CRATES = ("qemu-arm-virt Release", "x86_64 Release")
# Some tests make a hundred threads and more. std is linked with all that it has, and not all of it is implemented.
OPTIONS = ("-DRUST_STD_CHECK=off", "-DRUST_STD_THREADS=160", "-DRUST_STD_STACK=524288", "-DRUST_STD_MEMORY=167772160")
# What the kernel and C say when something went wrong for good. Panics belong to many tests.
CRASHES = [pattern for pattern in console.CRASHES if "panicked" not in pattern]
# So large are the objects for one image together, unless a single one is larger.
IMAGE_BYTES = 48 << 20
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
        build.configure(f"-DAPP=../{APP}", *CONFIGURATIONS[configuration], *options())
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


def write_programs(suite: Path, objects: list[Path], architecture: str, words: dict[str, list[str]]) -> None:
    """Writes what the root server runs: the programs as one object, and their names and arguments (`words`)."""
    programs.join(objects, architecture, suite / "suite.o")
    lines = ["typedef int main_t(int count, char **arguments);"]
    rows = []
    for number, (name, arguments) in enumerate(words.items()):
        listed = ", ".join(json.dumps(word) for word in arguments)
        lines += [f"extern main_t suite_main_{number};", f"static char *arguments_{number}[] = {{{listed}, 0}};"]
        rows += [f"    {{{json.dumps(name)}, suite_main_{number}, {len(arguments)}, arguments_{number}}},"]
    lines += ["const struct {", "    const char *name;", "    main_t *main;", "    int count;", "    char **arguments;"]
    lines += ["} suite_programs[] = {", *rows, "};", f"const int suite_count = {len(rows)};"]
    write(suite / "arguments.c", "\n".join(lines) + "\n")


def parts(lines: list[str]) -> dict[str, list[str]]:
    """Returns the lines of the console by the suite that wrote them."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if begin := re.search(r"The suite (\S+) begins$", line):
            current = found.setdefault(begin[1], [])
        current.append(line)
    return found


def events_of(lines: list[str]) -> list[dict[str, Any]]:
    """Returns libtest's events."""
    events = []
    for line in lines:
        # A line of the C library may have begun before.
        start = line.find('{ "type"')
        if start >= 0:
            try:
                events.append(json.loads(line[start:]))
            except ValueError:
                # Cut off, or another line fell into it: the test is then missing, and libtest's own count tells.
                continue
    return events


def boot(build: Build, architecture: str, objects: dict[str, Path], more: dict[str, list[str]]) -> console.Outcome:
    """Boots the programs `objects`, one after the other, each with `more` arguments."""
    words = ["--test-threads=1", "-Zunstable-options", "--format=json"]
    suite = folder() / "suite"
    arguments = {name: [name, *words, *more[name]] for name in objects}
    write_programs(suite, list(objects.values()), architecture, arguments)
    build.ninja()
    with open(suite / "console.txt", "w") as log:

        def show(line: str) -> None:
            print(line, file=log, flush=True)

        limits = {"silence": SILENCE, "limit": LIMIT}
        return console.run(["./simulate"], EXPECTED, build.path, forbidden=CRASHES, show=show, **limits)


def images(objects: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """Yields the programs that one image takes: as many as are not too large together."""
    some: dict[str, Path] = {}
    size = 0
    for name, path in objects.items():
        size += path.stat().st_size
        if some and size > IMAGE_BYTES:
            yield some
            some, size = {}, path.stat().st_size
        some[name] = path
    if some:
        yield some


def judge(build: Build, configuration: str, objects: dict[str, Path]) -> Iterator[tuple[str, Verdict]]:
    """Runs suites in a configured build folder, without what would end them; yields the verdict on each."""
    for some in images(objects):
        yield from judge_image(build, configuration, some).items()


def judge_image(build: Build, configuration: str, objects: dict[str, Path]) -> dict[str, Verdict]:
    """Runs suites in one image."""
    mine = {name: [each for each in exclusions() if each.holds(name, configuration)] for name in objects}
    may_fail = {name: {each.test for each in found if each.how == "fails"} for name, found in mine.items()}
    left_out = {name: [each.test for each in found if each.how == "left out"] for name, found in mine.items()}
    skips = {name: [word for test in tests for word in ("--skip", test)] for name, tests in left_out.items()}
    more = {name: ["--exact", *words] if words else [] for name, words in skips.items()}
    outcome = boot(build, architecture_of(configuration), objects, more)
    lines = parts(outcome.lines)
    verdicts = {name: verdict(outcome, lines.get(name, []), may_fail[name], left_out[name]) for name in objects}
    if not outcome.passed and not any(each.findings for each in verdicts.values()):
        # All suites have ended, and what came then is the last one's.
        *_, last = verdicts.values()
        last.findings.append(f"the image did not come to its end: {outcome.reason}")
    return verdicts


def architecture_of(configuration: str) -> str:
    """Returns the key of programs.TARGETS for a configuration."""
    return "hosted" if configuration == "hosted" else "x86_64" if "x86_64" in configuration else "aarch64"


def verdict(outcome, lines, may_fail, left_out):
    events = events_of(lines)
    tests = {event["name"]: event for event in events if event["type"] == "test"}
    ends = [event for event in events if event["type"] == "suite" and event["event"] != "started"]
    kinds = {
        kind: {name for name, event in tests.items() if event["event"] == kind}
        for kind in ("started", "ok", "failed", "ignored")
    }
    result = Verdict(len(kinds["ok"]), len(kinds["ignored"]), len(may_fail) + len(left_out))
    say = result.findings.append
    for name in sorted(kinds["failed"] - may_fail):
        say(f"{name} failed:\n{tests[name].get('stdout') or tests[name].get('message') or ''}".rstrip())
    for name in sorted(may_fail - kinds["failed"]):
        say(f"{name} is excluded because it fails, and it {'passed' if name in kinds['ok'] else 'is not there'}")
    for name in kinds["started"]:
        say(f"{name} did not come to its end")
    if not ends:
        last = "\n".join(lines[-15:])
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
