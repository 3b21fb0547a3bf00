# SPDX-License-Identifier: BSD-2-Clause
"""What Rust's std costs on seL4: instructions of kernel and user level together, beside the same in C with pthreads, and
what two threads with two notifications can at best: project/std. And how much std adds to an image.

Counted as in system_calls.py. Entries into the kernel come from a second boot, in which QEMU writes each of them down with
its place; a function of the program's marks what is measured. QEMU does so for Arm.
"""

import bisect
import re

import console
import support as kit
from bench.project import Build, Programs
from bench.sizes import Image, detail
from bench.table import markdown, ratio, step, verdict
from support.builds import LIMIT, SILENCE

ARM = ("-DPLATFORM=qemu-arm-virt", "-DKernelArmExportVCNTUser=ON")
CONFIGURATIONS = {
    "aarch64": ARM,
    "aarch64 MCS": (*ARM, "-DMCS=ON"),
    "x86_64": ("-DPLATFORM=x86_64",),
}
# A hundred threads at a time, with their memory, and a slot for each page of it.
ROOM = ("-DRUST_STD_THREADS=104", "-DRUST_STD_MEMORY=8388608")
SLOTS = "-DKernelRootCNodeSizeBits=15"
ICOUNT = "-icount shift=0,sleep=off"
LAST = "Suspending current thread"
FLOOR = "two notifications, there and back"
# What starting a thread and joining it may cost, in instructions.
SPAWN = 60_000
# And a read of the clock.
CLOCK = 60
# Entries into the kernel of a round: what a workload needs besides waking and sleeping, and what may come on top of the
# floor for each time that a thread hands over.
YIELDS = {"hand a lock over, twice": 4}
HAND_OVERS = 2
MORE_ENTRIES = 2
# Bytes of text by which an image may grow with std, and what it is compared with.
HELLO = ("plain", "hello_std", 115_000)


Costs = dict[tuple[str, str], tuple[float, float | None]]


def costs(build: Programs, counts_entries: bool, *options: str) -> Costs:
    """Returns {(workload, kind): (instructions, entries)} of a round; entries are None where they were not counted."""
    build.configure(["std"], *options, *ROOM)
    build.ninja()
    found = [
        (workload, kind, int(count) / int(rounds), int(rounds), int(batches))
        for workload, kind, count, rounds, batches in re.findall(
            r"^cost of (.+), (.+): (\d+) in (\d+) rounds, (\d+) batches$", _boot(build), re.MULTILINE
        )
    ]
    kit.check(found, "no figures are on the console")
    entries = _entries(build, found) if counts_entries else [None] * len(found)
    return {
        (workload, kind): (count, entered)
        for (workload, kind, count, _, _), entered in zip(found, entries, strict=True)
    }


def _boot(build, more=""):
    outcome = console.run(
        ["./simulate", f"--extra-qemu-args={ICOUNT} {more}"],
        console.expectations([LAST]),
        build.path,
        silence=SILENCE,
        limit=LIMIT,
    )
    kit.check(outcome.passed, "\n".join([outcome.reason, "the console:", *outcome.lines]))
    return "\n".join(outcome.lines)


def _entries(build, found):
    """The entries into the kernel in a round of each, the marks left out."""
    log = build.path / "exceptions.log"
    _boot(build, f"-d int -D {log}")
    nm = build.cached("CMAKE_NM")
    functions = sorted(
        (int(address, 16), name)
        for address, name in re.findall(r"^(\w+) [tT] (\w+)$", kit.run(nm, build.program("std")), re.MULTILINE)
    )
    after = bisect.bisect(functions, (next(address for address, name in functions if name == "mark"), "mark"))
    marked = range(functions[after - 1][0], functions[after][0])
    batches, count, inside, system_call = [], 0, False, False
    with log.open() as lines:
        for line in lines:
            if line.startswith("Taking exception"):
                system_call = "[SVC]" in line
            elif system_call and (place := re.match(r"\.\.\.with ELR (0x\w+)", line)):
                system_call = False
                if int(place[1], 16) not in marked:
                    count += 1
                    continue
                if inside:
                    batches.append(count)
                inside, count = not inside, 0
    log.unlink()
    each = []
    for workload, kind, _, rounds, number in found:
        mine, batches = batches[:number], batches[number:]
        kit.check(len(mine) == number, f"the boot that is written down lacks batches of {workload}, {kind}")
        each.append(min(mine) / rounds)
    kit.check(not batches, "the boot that is written down has more batches than were measured")
    return each


def bound(workload, found):
    """What a round of Rust's may come to at most, in instructions or in entries; None where nothing is aimed at."""
    if workload == "start a thread and join it":
        return SPAWN, "instructions"
    if workload == "read the clock":
        return CLOCK, "instructions"
    if workload == "lock and unlock":
        return 0, "entries"
    if workload.endswith((", twice", "there and back")) and workload != FLOOR:
        floor = found[FLOOR, "C"][1]
        return None if floor is None else (floor + HAND_OVERS * MORE_ENTRIES + YIELDS.get(workload, 0), "entries")
    return None


def hello(build: Programs, *options: str) -> list[Image]:
    """Returns the images that print two lines, in C and with one of them from Rust's println!."""
    programs = HELLO[:2]
    build.configure(programs, *options)
    build.ninja(*programs)
    return [Image(build, program) for program in programs]


def measure(arguments):
    tables = []
    for configuration in CONFIGURATIONS:
        step(f"std: {configuration}")
        build = Build(f"std-{configuration.replace(' ', '-')}")
        entries = configuration.startswith("aarch64")
        tables.append(
            _table(configuration, costs(build, entries, *CONFIGURATIONS[configuration], SLOTS, "-DRELEASE=ON"))
        )
    step("std: sizes")
    c, rust = hello(Build("std-hello"), *ARM, "-DRELEASE=ON")
    more = rust.text - c.text
    rows = [
        ("in C", f"{c.text:,}", "", f"{c.data:,}", f"{c.bss:,}", ""),
        ("with `println!`", f"{rust.text:,}", f"{more:+,}", f"{rust.data:,}", f"{rust.bss:,}", verdict(more, HELLO[2])),
    ]
    tables.append(
        markdown(
            "Two lines on the console, bytes: aarch64, Release", ["", "text", "over C", "data", "bss", "aim"], rows
        )
    )
    if arguments.detail:
        tables.append(detail("two lines with std", c, rust))
    return "\n\n".join(tables)


def _table(title, found):
    rows = []
    for (workload, kind), (count, entries) in found.items():
        base, _ = found.get((workload, "C"), (None, None))
        aim = bound(workload, found) if kind == "Rust" else None
        value = aim and (count if aim[1] == "instructions" else entries)
        rows.append(
            (
                workload,
                kind,
                f"{count:,.1f}",
                ratio(count, base) if kind == "Rust" else "",
                "" if entries is None else f"{entries:.2f}",
                "" if value is None else verdict(value, aim[0]),
            )
        )
    return markdown(
        f"Instructions and kernel entries of std: {title}, Release",
        ["", "in", "instructions", "ratio", "kernel entries", "aim"],
        rows,
    )
