# SPDX-License-Identifier: BSD-2-Clause
"""Finds the first random sequence that two implementations answer differently, and its smallest part that does."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from conformance import recording
from conformance.recording import CONFIGURATIONS
from support import Failure, folder, write
from support.builds import STEADY, Build, shared

# First sequence, how many, steps as bits, whether to show them.
Row = tuple[int, int, int, int]

STEPS = 30
ALL = (1 << STEPS) - 1


class Implementation:
    """What runs sequences: a configuration of the real kernel, or of the hosted platform."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.plan = folder() / f"narrow-{name}" / "plan.h"
        self._write(((0, 1, ALL, 0),))
        option, app = f"-DPLAN={self.plan}", "tests/conformance/sequences"
        self.build: Build
        if name in CONFIGURATIONS:
            self.command: Sequence[str] = STEADY
            self.build = shared(CONFIGURATIONS[name])
            shared(CONFIGURATIONS[name]).select(app, option)
        else:
            self.command = ("./simulate",)
            self.build = Build(f"narrow-{name}/build")
            self.build.configure(f"-DAPP=../{app}", option, *recording.HOSTED_CONFIGURATIONS[name])

    def _write(self, rows: Iterable[Row]) -> None:
        lines = (f"{{ {first}, {count}, {steps:#x}, {show} }},\n" for first, count, steps, show in rows)
        write(self.plan, "".join(lines))

    def run(self, rows: Iterable[Row]) -> list[str]:
        """Returns the transcript of these rows."""
        self._write(rows)
        self.build.ninja()
        return recording.transcript("sequences", self.build.path, self.command)

    def digests(self, rows: Iterable[Row]) -> list[str]:
        """Returns a digest for each sequence."""
        return digests(self.run(rows))

    def trace(self, number: int, steps: int) -> list[str]:
        """Returns what a sequence says, step by step."""
        return [line for line in self.run([(number, 1, steps, 1)]) if not line.startswith("end of")]


def digests(lines: Iterable[str]) -> list[str]:
    """Returns the digests in a transcript."""
    return [digest for line in lines if not line.startswith("end of") for digest in line.split()]


def first_difference(ours: Sequence[str], theirs: Sequence[str]) -> int | None:
    """Returns the number of the first sequence whose digests differ, or None."""
    return next((number for number, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]), None)


def without(steps: int) -> Iterator[int]:
    """Yields the steps with runs of them left out: halves first, single ones last."""
    bits = [bit for bit in range(STEPS) if steps >> bit & 1]
    size = len(bits) // 2
    while size:
        for start in range(0, len(bits), size):
            yield steps & ~sum(1 << bit for bit in bits[start : start + size])
        size //= 2


def narrowed(one: Implementation, other: Implementation, number: int, show: Callable[[str], object] = print) -> int:
    """Returns the least steps of a sequence that both still answer differently. All candidates of a round are one run."""
    steps = ALL
    while True:
        candidates = list(without(steps))
        rows = [(number, 1, candidate, 0) for candidate in candidates]
        differing = [
            candidate
            for candidate, mine, its in zip(candidates, one.digests(rows), other.digests(rows), strict=True)
            if mine != its
        ]
        if not differing:
            return steps
        steps = min(differing, key=int.bit_count)
        show(f"sequence {number}: {steps.bit_count()} steps still differ")


def explained(one: Implementation, other: Implementation, number: int, steps: int) -> str:
    """Returns the traces up to the first line that differs."""
    mine, its = one.trace(number, steps), other.trace(number, steps)
    for at, pair in enumerate(zip([*mine, "(its end)"], [*its, "(its end)"], strict=False)):
        if pair[0] != pair[1]:
            return "\n".join([*mine[:at], f"{one.name}: {pair[0]}", f"{other.name}: {pair[1]}"])
    raise Failure(f"sequence {number} differs in its digest and not in its trace")
