#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Copies texts and the version from the files that define them to the files that repeat them.

    docs/update.py            rewrite the files
    docs/update.py --check    exit with 1 and name the stale files

A page of docs/ marks a copied text with two comments. The script replaces the lines between them:

    <!-- from cmake/library.cmake: add_rust_library -->
    <!-- end -->

The text is the part of that file between `ANCHOR: add_rust_library` and `ANCHOR_END: add_rust_library`. The version of
the workspace in Cargo.toml is the one in the file VERSION.
"""

import re
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"(<!-- from (\S+): (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
VERSION = re.compile(r'(^\[workspace\.package\]\n(?:\w.*\n)*?version = )"[^"]*"', re.MULTILINE)


def anchored(path: str, name: str) -> str:
    text = (KIT / path).read_text()
    found = re.search(rf"ANCHOR: {name}\n(.*?)ANCHOR_END: {name}\n", text, re.DOTALL)
    if not found:
        sys.exit(f"error: `{path}` has no text `{name}`\nhelp: mark it there with ANCHOR: and ANCHOR_END:")
    return found[1]


def updated(path: Path) -> str:
    """Returns the content that a file should have."""
    text = path.read_text()
    if path.name != "Cargo.toml":
        return PLACE.sub(lambda place: f"{place[1]}\n{anchored(place[2], place[3])}\n{place[4]}", text)
    version = (KIT / "VERSION").read_text().strip()
    text, places = VERSION.subn(rf'\g<1>"{version}"', text)
    if places != 1:
        sys.exit('error: `Cargo.toml` has no version below [workspace.package]\nhelp: add `version = ""` there')
    return text


def main() -> None:
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(f"error: docs/update.py does not know `{' '.join(sys.argv[1:])}`\nhelp: it takes --check or nothing")
    stale = []
    for path in [KIT / "Cargo.toml", *sorted((KIT / "docs").glob("*.md"))]:
        new = updated(path)
        if new != path.read_text():
            stale.append(str(path.relative_to(KIT)))
            if not check:
                path.write_text(new)
    if check and stale:
        sys.exit(f"error: stale files: {' '.join(stale)}\nhelp: docs/update.py")


main()
