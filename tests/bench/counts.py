# SPDX-License-Identifier: BSD-2-Clause
"""Instructions: of the heaps for each operation, and of calls between C and Rust.

Counted at user level on the real kernel, in QEMU with -icount: exact, and the same in every boot of an image, which is
checked. One image for each heap that RUST_HEAP may name; C's malloc runs the same workload in each of them, with 10 to
10,000 live blocks. Its figures depend a little on where the image puts its memory.
"""

import re
from dataclasses import dataclass

import console
import support as kit
from bench.project import Build
from bench.table import markdown, ratio, step
from support.builds import LIMIT, SILENCE

# What RUST_HEAP may name; the first is the default.
HEAPS = ("rlsf", "linked-list", "muslc")
LIVE = (10, 100, 1_000, 10_000)
HEAP_BYTES = 16 << 20
FIGURES = ("call ", "heap ")
LAST = "Suspending current thread"


@dataclass(frozen=True)
class Heap:
    """Figures of a heap with one number of live blocks: mean and worst instructions, and bytes taken for a byte."""

    alloc: float
    alloc_worst: int
    free: float
    free_worst: int
    room: float


Heaps = dict[tuple[str, int], Heap]


def measure(_):
    calls, heaps = {}, {}
    for heap in HEAPS:
        step(f"instructions: RUST_HEAP={heap}")
        calls, heaps[heap] = figures(heap)
    return f"{_calls_table(calls)}\n\n{_heaps_table(heaps)}"


def figures(heap: str) -> tuple[dict[str, int], Heaps]:
    """Returns {what: instructions} of calls, and the figures of {("Rust" or "C", live blocks)}, in one image."""
    build = Build(f"counts-{heap}")
    # A slot of the root server's CNode for each 4 KiB of the two heaps in the image.
    build.configure(
        ["counts"],
        "-DPLATFORM=qemu-arm-virt",
        "-DRELEASE=ON",
        "-DKernelArmExportPMUUser=ON",
        "-DKernelRootCNodeSizeBits=14",
        f"-DRUST_HEAP={heap}",
        f"-DRUST_HEAP_BYTES={HEAP_BYTES}",
        f"-DLibSel4MuslcSysMorecoreBytes={HEAP_BYTES}",
    )
    build.ninja()
    lines, again = _boot(build), _boot(build)
    kit.check(lines == again, f"two boots of one image gave different figures: {sorted(set(lines) ^ set(again))}")
    calls = {name: int(count) for name, count in _found(r"call (.+): (\d+) instructions", lines)}
    heaps = {}
    for name, *numbers in _found(
        r"heap of (.+) with (\d+): alloc sum (\d+) worst (\d+), free sum (\d+) worst (\d+), of (\d+) each, "
        r"room (\d+) for (\d+)",
        lines,
    ):
        live, alloc, alloc_worst, free, free_worst, pairs, room, most = map(int, numbers)
        heaps[name, live] = Heap(alloc / pairs, alloc_worst, free / pairs, free_worst, room / most)
    kit.check(sorted(heaps) == sorted((name, live) for name in ("C", "Rust") for live in LIVE), f"figures: {heaps}")
    return calls, heaps


def _boot(build):
    command = ["./simulate", "--extra-qemu-args=-icount shift=0,sleep=off"]
    outcome = console.run(command, console.expectations([LAST]), build.path, show=_show, silence=SILENCE, limit=LIMIT)
    kit.check(outcome.passed, "\n".join([outcome.reason, "the console:", *outcome.lines]))
    return [line for line in outcome.lines if line.startswith(FIGURES)]


def _show(line):
    if line.startswith(FIGURES):
        step(f"  {line}")


def _found(pattern, lines):
    found = [match.groups() for line in lines if (match := re.match(pattern, line))]
    kit.check(found, f"no console line looks like `{pattern}`")
    return found


def _calls_table(calls):
    rows = [
        (what, calls[f"{name} C"], calls[f"{name} Rust"], ratio(calls[f"{name} Rust"], calls[f"{name} C"]))
        for what, name in (
            ("C calls the routine, and gets its result", "routine in"),
            ("C calls a function that calls back into C", "callback through"),
        )
    ]
    return markdown(
        "Instructions of a call, aarch64, Release",
        ["", "in C", "in Rust", "ratio"],
        rows,
        "The caller's part, which is the same for both, included.",
    )


def _heaps_table(heaps: dict[str, Heaps]) -> str:
    rows = []
    for live in LIVE:
        for heap in HEAPS:
            c, rust = heaps[heap]["C", live], heaps[heap]["Rust", live]
            rows.append((f"{live:,}", f"`{heap}`", *_row(rust, c)))
        rows.append((f"{live:,}", "C's `malloc`", *_row(heaps[HEAPS[0]]["C", live])))
    return markdown(
        "Instructions of the heaps for each operation, aarch64, Release",
        ["live blocks", "heap", "allocate", "worst", "free", "worst", "both, over C", "room"],
        rows,
        "Blocks of 16 to 4096 bytes in 16 MiB, 50,000 times free and allocate, called from C. *Room*: bytes from the "
        "first to the last place of a block, for each byte that lived at most.",
    )


def _row(heap: Heap, c: Heap | None = None) -> tuple[str, ...]:
    over = ratio(heap.alloc + heap.free, c.alloc + c.free) if c else ""
    return (
        f"{heap.alloc:,.1f}",
        f"{heap.alloc_worst:,}",
        f"{heap.free:,.1f}",
        f"{heap.free_worst:,}",
        over,
        f"{heap.room:.2f}",
    )
