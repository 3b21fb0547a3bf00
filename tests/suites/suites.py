#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run Rust's own tests of its library, and those of crates, in a C root server, on the real kernel in QEMU.

Builds them from the component rust-src and from the registry, boots each program, and compares what libtest says with
exclusions.txt. Needs what `./test tests/suites` sets up. Rust's take about an hour.
"""

import argparse
import re
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
KIT = Path(__file__).resolve().parents[2]
# In place of this folder, where `suites` would be this file.
sys.path[:1] = [str(KIT / folder) for folder in ("tests", "tools", "tools/run")]

import support
from suites import programs, registry, suite
from support import script

PAGE = KIT / "docs" / "std-suites.md"
TABLE = re.compile(r"(<!-- written by tests/suites/suites.py --record -->\n).*?(<!-- end -->)", re.DOTALL)
KINDS = ("passed", "ignored", "excluded")


def cell(counts):
    """`335, 1 ignored` for (335, 1, 0)."""
    return ", ".join(
        [f"{counts[0]:,}", *(f"{count} {kind}" for count, kind in zip(counts[1:], KINDS[1:], strict=True) if count)]
    )


def counts(text):
    """The way back from a cell; what was not run has none."""
    found = [re.search(pattern, text.replace(",", "")) for pattern in (r"^(\d+)", r"(\d+) ignored", r"(\d+) excluded")]
    return tuple(int(match[1]) if match else 0 for match in found)


def record(name, configuration, verdict):
    """Write a result into the page's table, whose other cells stay."""
    page = PAGE.read_text()
    place = TABLE.search(page)
    rows = [
        [word.strip() for word in line.strip("|").split("|")] for line in place[0].splitlines() if line.startswith("|")
    ]
    configurations = list(suite.CONFIGURATIONS)
    cells = {row[0].strip("`"): row[1:] for row in rows[2:]}
    table = {each: cells.get(each, ["–"] * len(configurations)) for each in programs.names()}
    table[name][configurations.index(configuration)] = cell((verdict.passed, verdict.ignored, verdict.excluded))
    sums = [
        cell(tuple(map(sum, zip(*(counts(row[i]) for row in table.values()), strict=True))))
        for i in range(len(configurations))
    ]
    lines = [f"| suite | {' | '.join(configurations)} |", "|---|" + "---:|" * len(configurations)]
    lines += [f"| `{each}` | {' | '.join(row)} |" for each, row in table.items()]
    lines += [f"| all | {' | '.join(sums)} |"]
    text = "\n".join(lines)
    PAGE.write_text(TABLE.sub(lambda _: f"{place[1]}\n{text}\n\n{place[2]}", page))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="run these (default: all of Rust's)")
    parser.add_argument(
        "--on",
        action="append",
        choices=suite.CONFIGURATIONS,
        metavar="CONFIGURATION",
        help=f"run there; may be given again ({', '.join(suite.CONFIGURATIONS)}; default: all)",
    )
    parser.add_argument("--record", action="store_true", help=f"write what passed into docs/{PAGE.name}")
    arguments = parser.parse_args()
    script.begin("suites")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    known = [*programs.names(), *registry.CRATES]
    unknown = set(arguments.suites) - set(known)
    if unknown:
        parser.error(f"there is no suite `{min(unknown)}`; help: give some of: {' '.join(known)}")
    wanted = arguments.suites or programs.names()
    failed = False
    for configuration in arguments.on or suite.CONFIGURATIONS:
        architecture = suite.CONFIGURATIONS[configuration][0]
        print(f"{configuration}: building {len(wanted)} suites", file=sys.stderr, flush=True)
        of_rust = [name for name in wanted if name not in registry.CRATES]
        objects = programs.build(suite.programs_folder(), architecture, of_rust) if of_rust else {}
        for name in wanted:
            if name in registry.CRATES:
                objects |= registry.build(suite.programs_folder() / "registry", architecture, name)
        for name in objects:
            verdict = suite.judge(suite.build_root_server(configuration), configuration, name, objects[name])
            print(
                f"{configuration}: {name}: {verdict.passed} passed, {len(verdict.findings)} findings, "
                f"{verdict.ignored} ignored, {verdict.excluded} excluded, {verdict.seconds:.0f} s",
                flush=True,
            )
            if arguments.record and name in programs.names() and not verdict.findings:
                record(name, configuration, verdict)
            for finding in verdict.findings:
                failed = True
                print("  " + finding.replace("\n", "\n  "), flush=True)
    return 1 if failed else 0


try:
    sys.exit(main())
except support.Failure as failure:
    sys.exit(f"error: {failure}")
except KeyboardInterrupt:
    sys.exit(130)
