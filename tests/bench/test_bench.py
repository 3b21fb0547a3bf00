# SPDX-License-Identifier: BSD-2-Clause
"""System calls from Rust cost what they cost in C, in time and in room; std's locks and threads keep their bounds."""

import functools
import re
from collections.abc import Callable, Collection

import pytest
from bench import counts, sizes, std, system_calls
from bench.project import OnShared
from support import KIT, check
from support.builds import Shared, shared

# Instructions by which Rust's code may differ from C's: each compiler orders a loop in its own way.
LOOP = 2
# There a function of four words saves three registers that the system call takes, and the kernel takes less than elsewhere.
BUT_ON_X86_64 = ("call with 4 arguments",)
# Name in the benchmark: configuration.
PLATFORMS = {
    "aarch64": "qemu-arm-virt Release",
    "x86_64": "x86_64 Release",
    "aarch32": "qemu-arm-virt aarch32 Release",
    "aarch64 MCS": "qemu-arm-virt MCS Release",
}


def on(*platforms: str, name: str, usual: Collection[str] = PLATFORMS) -> pytest.MarkDecorator:
    """Returns rows of these platforms; `name` is that of a row, and rows that are not `usual` are long."""
    rows = [
        pytest.param(PLATFORMS[each], id=name.format(each), marks=() if each in usual else pytest.mark.long)
        for each in platforms
    ]
    return pytest.mark.parametrize("configuration", rows)


# Measured once for all tests on a configuration.
@functools.cache
def costs(configuration: str, inlined: bool) -> dict[str, dict[str, float]]:
    return system_calls.costs(OnShared(shared(configuration)), inlined)


@functools.cache
def costs_of_std(configuration: str) -> std.Costs:
    return std.costs(OnShared(shared(configuration)), True)


def costs_at_most(
    kind: str, bound: Callable[[float], float], configuration: str, inlined: bool = True, but: tuple[str, ...] = ()
) -> None:
    found = {what: each for what, each in costs(configuration, inlined).items() if what not in but}
    print("\n".join(f"{what}: {each[kind]:.1f}, in C {each['C']:.1f}" for what, each in found.items()))
    missed = [
        f"{what}: {each[kind]:.1f}, and at most {bound(each['C']):.1f} is allowed"
        for what, each in found.items()
        if each[kind] > bound(each["C"])
    ]
    check(len(found) >= 8, f"only {list(found)} were measured")
    check(not missed, "\n".join(missed))


# Two compilers' ways with C's calling convention, the kernel that is used most, and the one whose thread pointer LLVM
# would have a function read.
@on("aarch64", "x86_64", "aarch32", name="{}: inlined, libsel4-sys costs what C costs")
def test_inlined_libsel4_sys(configuration: str) -> None:
    costs_at_most("libsel4-sys", lambda c: c + LOOP, configuration)


@on("aarch64", "x86_64", "aarch32", name="{}: inlined, libsel4 costs at most 1 % or 4 instructions more")
def test_inlined_libsel4(configuration: str) -> None:
    costs_at_most("libsel4", lambda c: max(1.01 * c, c + 4), configuration)


@on("aarch64", "x86_64", "aarch32", name="{}: called, libsel4-sys costs at most 10 % more", usual=["aarch64"])
def test_called_libsel4_sys(configuration: str) -> None:
    but = BUT_ON_X86_64 if configuration == PLATFORMS["x86_64"] else ()
    costs_at_most("libsel4-sys", lambda c: 1.1 * c, configuration, False, but)


@on("aarch64", "x86_64", "aarch32", name="{}: called, libsel4 costs at most 10 % more", usual=["aarch64"])
def test_called_libsel4(configuration: str) -> None:
    but = BUT_ON_X86_64 if configuration == PLATFORMS["x86_64"] else ()
    costs_at_most("libsel4", lambda c: 1.1 * c, configuration, False, but)


@pytest.mark.on("qemu-arm-virt Release")
def test_a_library_that_retypes_and_sends_adds_at_most_a_kibibyte(build: Shared) -> None:
    *programs, aim = sizes.SENDS
    on_shared = OnShared(build)
    on_shared.configure(programs)
    c, rust = sizes.sends(on_shared)
    print(f"{c.text} bytes in C, {rust.text} with libsel4")
    check(rust.text - c.text <= aim, f"{rust.text - c.text} bytes more than in C, and at most {aim} are allowed")


# Both ways that threads get time.
@on("aarch64", "aarch64 MCS", name="{}: std's locks, conditions, channels and threads keep their bounds")
def test_std_keeps_its_bounds(configuration: str) -> None:
    found = costs_of_std(configuration)
    missed, judged = [], 0
    for (workload, kind), (count, entries) in found.items():
        print(f"{workload}, {kind}: {count:.1f} instructions, {entries} entries into the kernel")
        if kind == "Rust" and (aim := std.bound(workload, found)):
            judged += 1
            value = count if aim[1] == "instructions" else entries
            if value > aim[0]:
                missed.append(f"{workload}: {value:.2f} {aim[1]}, and at most {aim[0]:.2f} are allowed")
    check(judged >= 5, f"only {judged} workloads have a bound")
    check(not missed, "\n".join(missed))


@on("aarch64", "aarch64 MCS", name="{}: a wake does not depend on who sleeps on other words")
def test_waking_does_not_depend_on_others(configuration: str) -> None:
    every = costs_of_std(configuration).items()
    found = {kind: count for (workload, kind), (count, _) in every if workload == "wake nobody"}
    print(found)
    alone, crowded = found["0 sleepers"], found["100 sleepers"]
    # The lists are by a hash of the address: of a hundred others one or two may be in the same.
    check(crowded <= 1.2 * alone, f"{crowded:.1f} instructions with a hundred asleep on other words, {alone:.1f} alone")


# A kernel of its own: user level reads the counter of instructions.
@pytest.mark.long
@pytest.mark.needs("sources", "kernel", "rust", "aarch64")
def test_the_default_heap_costs_no_more_than_Cs_malloc() -> None:
    heap = re.search(
        r"^_sel4_rust_add_option\(RUST_HEAP ([\w-]+)", (KIT / "cmake" / "options.cmake").read_text(), re.MULTILINE
    )
    check(heap and heap[1] == counts.HEAPS[0], "RUST_HEAP has another default than the benchmark says")
    _, found = counts.figures(counts.HEAPS[0])
    for live in counts.LIVE:
        c, rust = found["C", live], found["Rust", live]
        print(f"{live} live blocks: {rust}, in C {c}")
        check(rust.alloc + rust.free <= c.alloc + c.free, f"with {live} live blocks: {rust}, and C's malloc: {c}")


@pytest.mark.on("qemu-arm-virt Release")
def test_std_adds_at_most_115_kilobytes(build: Shared) -> None:
    c, rust = std.hello(OnShared(build))
    print(f"{c.text} bytes in C, {rust.text} with std")
    most = std.HELLO[2]
    check(rust.text - c.text <= most, f"{rust.text - c.text} bytes more than in C, and at most {most} are allowed")
