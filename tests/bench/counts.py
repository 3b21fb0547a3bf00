# SPDX-License-Identifier: BSD-2-Clause
"""Instructions: of the heaps for each operation, and of calls between C and Rust.

Counted at user level on the real kernel, in QEMU with -icount: exact, and the same in every boot of an image, which is
checked. One image for each heap that RUST_HEAP may name; C's malloc runs the same workload in each of them. Its figures
depend a little on where the image puts its memory.
"""

import re

import console
import support as kit
from bench.project import Build
from bench.table import markdown, ratio, step
from support.builds import LIMIT, SILENCE

HEAPS = {
    # RUST_HEAP: mean and worst of allocate and of free, counted before the kit, without lock and call from C
    "linked-list": "7,600 / 26,525; 8,955 / 26,734",
    "rlsf": "74.9 / 111; 49.3 / 95",
    "muslc": "140 / 342; 118 / 292",
}
HEAP_BYTES = 16 << 20
FIGURES = ("call ", "heap ")
LAST = "Suspending current thread"


def measure(arguments):
    build = Build("counts")
    calls, heaps = {}, {}
    for heap in HEAPS:
        step(f"instructions: RUST_HEAP={heap}")
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
        figures, again = _boot(build), _boot(build)
        kit.check(
            figures == again, f"two boots of one image gave different figures: {sorted(set(figures) ^ set(again))}"
        )
        calls = {name: int(count) for name, count in _found(r"call (.+): (\d+) instructions", figures)}
        for name, *numbers in _found(
            r"heap of (.+): alloc sum (\d+) worst (\d+), free sum (\d+) worst (\d+), of (\d+)", figures
        ):
            alloc, alloc_worst, free, free_worst, pairs = map(int, numbers)
            heaps[heap, name] = alloc / pairs, alloc_worst, free / pairs, free_worst
    return f"{_calls_table(calls)}\n\n{_heaps_table(heaps)}"


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


def _heaps_table(heaps):
    rows = []
    for heap, before in HEAPS.items():
        c, rust = heaps[heap, "C"], heaps[heap, "Rust"]
        for what, (alloc, alloc_worst, free, free_worst) in ((f"`{heap}`", rust), ("… C's `malloc` beside it", c)):
            ratios = (ratio(alloc, c[0]), ratio(free, c[2])) if what[0] == "`" else ("", "")
            rows.append(
                (
                    what,
                    f"{alloc:,.1f}",
                    f"{alloc_worst:,}",
                    ratios[0],
                    f"{free:,.1f}",
                    f"{free_worst:,}",
                    ratios[1],
                    before if what[0] == "`" else "",
                )
            )
    return markdown(
        "Instructions of the heaps for each operation, aarch64, Release",
        ["heap", "allocate", "worst", "ratio", "free", "worst", "ratio", "before"],
        rows,
        "10,000 live blocks of 16 to 4096 bytes in 16 MiB, 50,000 times free and allocate, called from C.",
    )
