#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Copies texts from other files into the pages of docs/, so that each is written once.

    docs/update.py              rewrite the pages
    docs/update.py --check    exit 1 and name the pages that are stale

A page marks such a place with two comments. The script replaces the text between them:

    <!-- from cmake/library.cmake: add_rust_library -->
    <!-- end -->

The text is the part of that file between `ANCHOR: add_rust_library` and `ANCHOR_END: add_rust_library`.
"""

import re
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"(<!-- from (\S+): (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def anchored(path, name):
    text = (KIT / path).read_text()
    found = re.search(rf"ANCHOR: {name}\n(.*?)ANCHOR_END: {name}\n", text, re.DOTALL)
    if not found:
        sys.exit(f"error: `{path}` has no text `{name}`\nhelp: mark it there with ANCHOR: and ANCHOR_END:")
    return found[1]


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(f"error: docs/update.py does not know `{' '.join(sys.argv[1:])}`\nhelp: it takes --check or nothing")
    stale = []
    for page in sorted((KIT / "docs").glob("*.md")):
        old = page.read_text()
        new = PLACE.sub(lambda place: f"{place[1]}\n{anchored(place[2], place[3])}\n{place[4]}", old)
        if new != old:
            stale.append(page.name)
            if not check:
                page.write_text(new)
    if check and stale:
        sys.exit(f"error: stale pages in docs/: {' '.join(stale)}\nhelp: docs/update.py")


main()
