# SPDX-License-Identifier: BSD-2-Clause
"""Instructions: of the heaps for each operation, and of calls between C and Rust.

Counted at user level on the real kernel, in QEMU with -icount: exact, and the same in every boot. One boot for each
heap that RUST_HEAP may name; C's malloc runs the same workload in each of them.
"""

import re

import kit
from kit import console
from project import Build
from table import markdown, ratio, step

HEAPS = {
    # RUST_HEAP: mean and worst of allocate and of free, counted before the kit, without lock and call from C
    "linked-list": "7,600 / 26,525; 8,955 / 26,734",
    "rlsf": "74.9 / 111; 49.3 / 95",
    "muslc": "140 / 342; 118 / 292",
}
HEAP_BYTES = 16 << 20
LAST = "Suspending current thread"


def measure(arguments):
    build = Build("counts")
    calls, heaps = {}, {}
    for heap in HEAPS:
        step(f"instructions: RUST_HEAP={heap}")
        # A slot of the root server's CNode for each 4 KiB of the two heaps in the image.
        build.configure(["counts"], "-DPLATFORM=qemu-arm-virt", "-DRELEASE=ON", "-DKernelArmExportPMUUser=ON",
                        "-DKernelRootCNodeSizeBits=14", f"-DRUST_HEAP={heap}", f"-DRUST_HEAP_BYTES={HEAP_BYTES}",
                        f"-DLibSel4MuslcSysMorecoreBytes={HEAP_BYTES}")
        build.ninja()
        lines = _boot(build)
        calls = {name: int(count) for name, count in _found(r"call (.+): (\d+) instructions", lines)}
        for name, *numbers in _found(r"heap (.+): alloc sum (\d+) worst (\d+), free sum (\d+) worst (\d+), of (\d+)",
                                     lines):
            alloc, alloc_worst, free, free_worst, pairs = map(int, numbers)
            name = "C's `malloc`" if name == "of C" else heap
            figures = alloc / pairs, alloc_worst, free / pairs, free_worst
            # C's heap comes in every boot: were its figures not the same each time, none would be exact.
            kit.check(heaps.setdefault(name, figures) == figures,
                      f"the figures of {name} differ between boots: {heaps[name]} and {figures}")
    return f"{_calls_table(calls)}\n\n{_heaps_table(heaps)}"


def _boot(build):
    command = ["./simulate", "--extra-qemu-args=-icount shift=0,sleep=off"]
    outcome = console.run(command, console.expectations([LAST]), build.path, show=_show, silence=300)
    kit.check(outcome.passed, "\n".join([outcome.reason, "the console:", *outcome.lines]))
    return outcome.lines


def _show(line):
    if line.startswith(("call ", "heap ")):
        step(f"  {line}")


def _found(pattern, lines):
    found = [match.groups() for line in lines if (match := re.match(pattern, line))]
    kit.check(found, f"no console line looks like `{pattern}`")
    return found


def _calls_table(calls):
    rows = [(what, calls[f"{name} C"], calls[f"{name} Rust"], ratio(calls[f"{name} Rust"], calls[f"{name} C"]))
            for what, name in (("C calls the routine, and gets its result", "routine in"),
                               ("C calls a function that calls back into C", "callback through"))]
    return markdown("Instructions of a call, aarch64, Release", ["", "in C", "in Rust", "ratio"], rows,
                    "The caller's part, which is the same for both, included.")


def _heaps_table(heaps):
    base = heaps["C's `malloc`"]
    rows = [(name, f"{alloc:,.1f}", f"{alloc_worst:,}", ratio(alloc, base[0]), f"{free:,.1f}", f"{free_worst:,}",
             ratio(free, base[2]), HEAPS.get(name, HEAPS["muslc"]))
            for name, (alloc, alloc_worst, free, free_worst) in heaps.items()]
    return markdown("Instructions of the heaps for each operation, aarch64, Release",
                    ["heap", "allocate", "worst", "ratio", "free", "worst", "ratio", "before"], rows,
                    "10,000 live blocks of 16 to 4096 bytes in 16 MiB, 50,000 times free and allocate, called from C.")
