#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Find the first random sequence that two implementations answer differently, and narrow it to its smallest part."""

import argparse
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(KIT / folder) for folder in ("tests", "tools", "tools/run")]

from conformance import narrow as search
from conformance import recording
from support import script


def main() -> None:
    names = [*recording.CONFIGURATIONS, *recording.HOSTED_CONFIGURATIONS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("one", choices=names)
    parser.add_argument("other", choices=names)
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence (default: 0)")
    parser.add_argument("--count", type=int, default=2000, help="how many (default: 2000)")
    arguments = parser.parse_args()
    script.begin("find-difference", "kernel", "hosted", "rust", "aarch64", "x86_64")
    one, other = search.Implementation(arguments.one), search.Implementation(arguments.other)
    rows = [(arguments.first, arguments.count, search.ALL, 0)]
    found = search.first_difference(one.digests(rows), other.digests(rows))
    if found is None:
        print(f"{arguments.count} sequences are answered alike")
        return
    number = arguments.first + found
    steps = search.narrowed(one, other, number)
    print(search.explained(one, other, number, steps))


if __name__ == "__main__":
    main()
