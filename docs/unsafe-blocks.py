#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Lists every unsafe block and unsafe impl of the crates that go into images, each with the reason why it is sound.

    docs/unsafe-blocks.py [FOLDER…]      default: the folders of CRATES

Prints the place and the SAFETY comment of each, one a line. Exits with 1 if one has no comment.
"""

import re
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
CRATES = (
    "rust/libsel4",
    "rust/libsel4-camkes",
    "rust/libsel4-critical-section",
    "rust/libsel4-guard",
    "rust/libsel4-rt",
    "rust/libsel4-sys",
    "rust/libsel4-test",
)
UNSAFE = re.compile(r"\bunsafe\s*(\{|impl\b)")


def reason(lines, index):
    """Returns the SAFETY comment above a line, or above the statement that the line continues."""
    for at in range(index, -1, -1):
        if lines[at].strip().startswith("//") and "SAFETY:" in lines[at]:
            words = [lines[at].split("SAFETY:")[1]]
            for line in lines[at + 1 : index]:
                if not line.strip().startswith("//"):
                    break
                words.append(line.strip().lstrip("/"))
            return " ".join(" ".join(words).split())
        # A comment belongs to what follows it, up to the end of a statement.
        if at < index and re.search(r"[;}]$", lines[at]):
            return None
    return None


def blocks(folder):
    for path in sorted((KIT / folder).rglob("*.rs")):
        if "target" in path.relative_to(KIT / folder).parts:
            continue
        place = path.relative_to(KIT) if path.is_relative_to(KIT) else path
        lines = path.read_text().splitlines()
        for index, line in enumerate(lines):
            if UNSAFE.search(re.sub(r"//.*", "", line)):
                yield f"{place}:{index + 1}", reason(lines, index)


def main():
    found = [block for folder in sys.argv[1:] or CRATES for block in blocks(folder)]
    for place, why in found:
        print(f"{place}: {why or 'no reason is given'}")
    missing = [place for place, why in found if not why]
    if missing:
        sys.exit(f"error: no SAFETY comment above: {' '.join(missing)}\nhelp: name above it the invariant it relies on")


main()
