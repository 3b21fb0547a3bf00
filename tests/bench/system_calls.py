# SPDX-License-Identifier: BSD-2-Clause
"""What system calls cost: instructions of kernel and user level together, in C, with libsel4-sys and with libsel4.

Counted on the real kernel, in QEMU with -icount, side by side in one image: project/system_calls. The figures are of a
release build with default settings, where C is compiled at -O3; the least of several runs, so that no timer interrupt is in
it. They are exact to less than an instruction, and the same in every boot.
"""

import re

import console
import support as kit
from bench.project import Build, Programs
from bench.table import markdown, step
from support.builds import LIMIT, SILENCE

# What they are called: how they are configured, and what else QEMU is told. User level may read Arm's clock only if asked.
ARM = ("-DPLATFORM=qemu-arm-virt", "-DKernelArmExportVCNTUser=ON")
CONFIGURATIONS = {
    "aarch64": (ARM, ""),
    "aarch64 MCS": ((*ARM, "-DMCS=ON"), ""),
    "aarch32": ((*ARM, "-DAARCH32=TRUE"), ""),
    "riscv64": (("-DPLATFORM=qemu-riscv-virt",), "-bios none "),
    "x86_64": (("-DPLATFORM=x86_64",), ""),
}
# Where C's functions are called, too, instead of inlined; it is much the same everywhere.
CALLED = "aarch64"
KINDS = ("C", "libsel4-sys", "libsel4")
LAST = "Suspending current thread"


def costs(build: Programs, inlined: bool, *options: str, qemu: str = "") -> dict[str, dict[str, float]]:
    """Returns {workload: {kind: instructions of a round}}. Each kind must have the same result."""
    build.configure(["system_calls"], *options, f"-DRUST_INLINE={'ON' if inlined else 'OFF'}")
    build.ninja()
    command = ["./simulate", f"--extra-qemu-args={qemu}-icount shift=0,sleep=off"]
    outcome = console.run(command, console.expectations([LAST]), build.path, silence=SILENCE, limit=LIMIT)
    kit.check(outcome.passed, "\n".join([outcome.reason, "the console:", *outcome.lines]))
    found: dict[str, dict[str, float]] = {}
    results: dict[str, str] = {}
    for line in outcome.lines:
        if match := re.match(r"cost of (.+), (\S+): (\d+) in (\d+) rounds, result (\d+)$", line):
            workload, kind, count, rounds, result = match.groups()
            found.setdefault(workload, {})[kind] = int(count) / int(rounds)
            kit.check(results.setdefault(workload, result) == result, f"C has another result: {line}")
    kit.check(found and all(tuple(each) == KINDS for each in found.values()), f"figures are missing: {found}")
    return found


def _costs(configuration, inlined):
    options, qemu = CONFIGURATIONS[configuration]
    build = Build(f"system-calls-{configuration.replace(' ', '-')}")
    return costs(build, inlined, *options, "-DRELEASE=ON", qemu=qemu)


def measure(_):
    tables = []
    for configuration in CONFIGURATIONS:
        step(f"system calls: {configuration}, inlined")
        tables.append(_table(f"{configuration}, inlined", _costs(configuration, True)))
    step(f"system calls: {CALLED}, called")
    tables.append(_table(f"{CALLED}, called", _costs(CALLED, False)))
    return "\n\n".join(tables)


def _table(title, found):
    rows = [
        (workload, f"{each['C']:,.1f}", *(f"{each[kind]:,.1f} ×{each[kind] / each['C']:.3f}" for kind in KINDS[1:]))
        for workload, each in found.items()
    ]
    return markdown(f"Instructions of system calls: {title}, Release", ["", *KINDS], rows)
