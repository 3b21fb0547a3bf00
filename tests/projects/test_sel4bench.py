# SPDX-License-Identifier: BSD-2-Clause
"""SeL4's own benchmarks: the system calls that one of them measures are made by Rust, in its process as in the root server."""

import json
from collections.abc import Sequence

import pytest
from configurations import ARCHITECTURES
from projects.through import Project, ThroughRust
from support import run
from support.builds import STEADY

pytestmark = [pytest.mark.needs("sources", "rust", "protobuf", "aarch64"), pytest.mark.weight(200), pytest.mark.long]

SEL4BENCH = Project("sel4bench", "apps/sel4bench", "sel4benchapp", ("sel4benchsupport", "page_mapping", "sel4benchapp"))
# Those that measure assembly of their own are left out.
OPTIONS = (
    "-DPLATFORM=qemu-arm-virt",
    "-DAARCH64=TRUE",
    "-DMAPPING=ON",
    # Rust is compiled for one target: all programs must have the same flags for floating point.
    "-DHAS_GENERAL_REGS_ONLY=OFF",
    *(f"-D{name}=OFF" for name in ("IPC", "IRQUSER", "SCHED", "SIGNAL", "SYNC")),
    f"-DCROSS_COMPILER_PREFIX={ARCHITECTURES['aarch64'][0]}",
)
PHASES = (
    "Prepare Page Tables",
    "Allocate Pages",
    "Mapping",
    "Protect Pages as Read Only",
    "Unprotect Pages",
)


def results(lines: Sequence[str]) -> dict[tuple[int, str], int]:
    """Returns the cycles that the root server prints as JSON, by number of pages and phase."""
    text = "".join(lines).partition("JSON OUTPUT")[2].partition("END JSON OUTPUT")[0]
    (benchmark,) = json.loads(text)
    return {(row["Num of Page Mapped"], row["Phase"]): row["Min"] for row in benchmark["Results"]}


def test_sel4bench_measures_mapping_through_Rust() -> None:
    bench = ThroughRust(SEL4BENCH, "qemu-arm-virt", OPTIONS)
    # The process that measures makes no system call by itself, and neither does the root server.
    for program in ("page_mapping/CMakeFiles/page_mapping.dir", "CMakeFiles/sel4benchapp.dir"):
        objects = sorted((bench.build.path / "apps" / "sel4bench" / program).rglob("*.obj"))
        assert objects and not [path for path in objects if "\tsvc" in run("aarch64-linux-gnu-objdump", "-d", path)]
    outcome = bench.build.boot(["/END JSON OUTPUT$/", "All is well in the universe."], STEADY)
    cycles = results(outcome.lines)
    assert set(cycles) == {(pages, phase) for pages in (1, 512, 2048) for phase in PHASES}, cycles
    # Each page is mapped by a system call of its own.
    assert 0 < cycles[512, "Mapping"] < cycles[2048, "Mapping"], cycles
