# SPDX-License-Identifier: BSD-2-Clause
"""Finds the first random sequence that two implementations answer differently, and its smallest part that does."""

import recording
from kit import Failure, write
from recording import CONFIGURATIONS, SIMULATE

STEPS = 30
ALL = (1 << STEPS) - 1


class Implementation:
    """What runs sequences: a configuration of the real kernel, or of the hosted platform."""

    def __init__(self, name):
        self.name = name
        hosted = name.startswith("hosted")
        self.command = ("./simulate",) if hosted else SIMULATE
        self.folder = recording.Build(f"narrow-{name}")
        self.plan = self.folder.path / "plan.h"
        self._write(((0, 1, ALL, 0),))
        configuration = recording.HOSTED_CONFIGURATIONS[name] if hosted else CONFIGURATIONS[name]
        self.folder.configure("-DAPP=../tests/conformance/sequences", f"-DPLAN={self.plan}", *configuration)

    def _write(self, rows):
        write(self.plan, "".join(f"{{ {first}, {count}, {steps:#x}, {show} }},\n" for first, count, steps, show in rows))

    def run(self, rows):
        """The transcript of rows (first sequence, how many, steps as bits, whether to show them)."""
        self._write(rows)
        self.folder.ninja()
        return recording.transcript("sequences", self.folder.path, self.command)

    def digests(self, rows):
        """One for each sequence."""
        return digests(self.run(rows))

    def trace(self, number, steps):
        return [line for line in self.run([(number, 1, steps, 1)]) if not line.startswith("end of")]


def digests(lines):
    return [digest for line in lines if not line.startswith("end of") for digest in line.split()]


def first_difference(ours, theirs):
    """The number of the first sequence whose digests differ, or None."""
    return next((number for number, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]), None)


def without(steps):
    """The steps with runs of them left out: halves first, single ones last."""
    bits = [bit for bit in range(STEPS) if steps >> bit & 1]
    size = len(bits) // 2
    while size:
        for start in range(0, len(bits), size):
            yield steps & ~sum(1 << bit for bit in bits[start:start + size])
        size //= 2


def narrowed(one, other, number, show=print):
    """The least steps of a sequence that both still answer differently. All candidates of a round are one run."""
    steps = ALL
    while True:
        candidates = list(without(steps))
        rows = [(number, 1, candidate, 0) for candidate in candidates]
        differing = [candidate for candidate, mine, its in zip(candidates, one.digests(rows), other.digests(rows), strict=True)
                     if mine != its]
        if not differing:
            return steps
        steps = min(differing, key=int.bit_count)
        show(f"sequence {number}: {steps.bit_count()} steps still differ", flush=True)


def explained(one, other, number, steps):
    """The traces up to the first line that differs."""
    mine, its = one.trace(number, steps), other.trace(number, steps)
    for at, pair in enumerate(zip([*mine, "(its end)"], [*its, "(its end)"])):
        if pair[0] != pair[1]:
            return "\n".join([*mine[:at], f"{one.name}: {pair[0]}", f"{other.name}: {pair[1]}"])
    raise Failure(f"sequence {number} differs in its digest and not in its trace")
