#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run Rust's own tests of its library, and those of crates, in a C root server, on the real kernel in QEMU.

Builds them from the component rust-src and from the registry, boots each program, and compares what libtest says with
exclusions.txt. Needs what `./test tests/suites` sets up. All take several hours.
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


class Table:
    """A page's table of results, one column for each configuration. Cells that were not run stay as they are."""

    def __init__(self, page, head, rows, configurations):
        self.page = KIT / "docs" / page
        self.head, self.rows, self.configurations = head, rows, configurations

    def record(self, name, configuration, results):
        page = self.page.read_text()
        place = TABLE.search(page)
        lines = [line for line in place[0].splitlines() if line.startswith("|")]
        old = [[word.strip() for word in line.strip("|").split("|")] for line in lines]
        columns = old[0][1:] if old else []
        cells = {row[0].strip("`"): dict(zip(columns, row[1:], strict=True)) for row in old[2:]}
        cells.setdefault(name, {})[configuration] = cell(results)
        table = {
            row: [cells.get(row, {}).get(configuration, "–") for configuration in self.configurations]
            for row in self.rows
        }
        sums = [
            cell(tuple(map(sum, zip(*(counts(row[i]) for row in table.values()), strict=True))))
            for i in range(len(self.configurations))
        ]
        lines = [f"| {self.head} | {' | '.join(self.configurations)} |", "|---|" + "---:|" * len(self.configurations)]
        lines += [f"| `{each}` | {' | '.join(row)} |" for each, row in table.items()]
        text = "\n".join([*lines, f"| all | {' | '.join(sums)} |"])
        self.page.write_text(TABLE.sub(lambda _: f"{place[1]}\n{text}\n\n{place[2]}", page))


OF_RUST = Table("std-suites.md", "suite", programs.names(), list(suite.CONFIGURATIONS))
OF_CRATES = Table("crates.md", "crate", list(registry.CRATES), list(suite.OF_CRATES))


def run(configuration, objects):
    """Boots the programs; yields the verdicts."""
    for name, verdict in suite.judge(suite.build_root_server(configuration), configuration, objects):
        print(
            f"{configuration}: {name}: {verdict.passed} passed, {len(verdict.findings)} findings, "
            f"{verdict.ignored} ignored, {verdict.excluded} excluded",
            flush=True,
        )
        for finding in verdict.findings:
            print("  " + finding.replace("\n", "\n  "), flush=True)
        yield name, verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="run these (default: all)")
    parser.add_argument(
        "--on",
        action="append",
        choices=suite.CONFIGURATIONS,
        metavar="CONFIGURATION",
        help=f"run there; may be given again ({', '.join(suite.CONFIGURATIONS)}; default: all)",
    )
    parser.add_argument("--record", action="store_true", help="write what passed into the pages in docs")
    arguments = parser.parse_args()
    script.begin("suites")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    known = [*programs.names(), *registry.CRATES]
    unknown = set(arguments.suites) - set(known)
    if unknown:
        parser.error(f"there is no suite `{min(unknown)}`; help: give some of: {' '.join(known)}")
    failed = False
    for configuration in arguments.on or suite.CONFIGURATIONS:
        architecture = suite.architecture_of(configuration)
        wanted = arguments.suites or [*programs.names(), *(registry.CRATES if configuration in suite.OF_CRATES else ())]
        print(f"{configuration}: building {len(wanted)} suites", file=sys.stderr, flush=True)
        of_rust = [name for name in wanted if name not in registry.CRATES]
        of_crates = [name for name in wanted if name in registry.CRATES]
        objects = programs.build(suite.programs_folder(), architecture, of_rust) if of_rust else {}
        for name, verdict in run(configuration, objects):
            failed |= bool(verdict.findings)
            if arguments.record and not verdict.findings:
                OF_RUST.record(name, configuration, (verdict.passed, verdict.ignored, verdict.excluded))
        objects = registry.build(suite.programs_folder() / "registry", architecture, of_crates)
        verdicts = dict(run(configuration, objects))
        for name in of_crates:
            its = [verdict for program, verdict in verdicts.items() if program.split("/")[0] == name]
            bad = any(verdict.findings for verdict in its)
            failed |= bad
            if arguments.record and not bad and configuration in suite.OF_CRATES:
                sums = tuple(sum(getattr(verdict, kind) for verdict in its) for kind in KINDS)
                OF_CRATES.record(name, configuration, sums)
    return 1 if failed else 0


try:
    sys.exit(main())
except support.Failure as failure:
    sys.exit(f"error: {failure}")
except KeyboardInterrupt:
    sys.exit(130)
