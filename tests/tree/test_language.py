# SPDX-License-Identifier: BSD-2-Clause
"""Prose of the tree: doc lines name their subject first, and words that are not plain English do not come back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree.files import name, tracked

pytestmark = pytest.mark.quick

DOC_LINE = re.compile(r"^\s*//[/!] ")
# A reader sees a doc line alone, in a search result or an editor's hover: one that opens so says nothing there.
OPENING = re.compile(r"^\s*//[/!] (What|Where|Whether|Who|Whoever|Whose|That|Of|The same|Its?|As|How|So|Such)\b")
# Their words are chosen anew together with their code.
NOT_YET = ("rust/libsel4/", "libsel4std/")
MOST_PERCENT = 1

# Word-for-word German, each with what says the same in English.
BANNED = {
    "who enters": "the thread that enters the kernel",
    "go(es|ing)? along": "is sent with the message",
    "is no regular file": "is not a regular file",
    "gives? (it |them )?back": "returns, releases",
    "wherever it lies": "in any folder",
    "tells? of": "describes, reports",
    "goes wrong": "fails",
    "nothing behind it": "not implemented",
}


def prose() -> Iterator[tuple[Path, int, str]]:
    """Yields the lines in which words are looked for: pages, and comments of Rust and C."""
    for path in tracked():
        relative = str(name(path))
        if path.suffix in (".rs", ".c", ".md") and not relative.startswith(NOT_YET) and "/recorded/" not in relative:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                yield path, number, line


def test_doc_lines_name_their_subject_first() -> None:
    lines = [
        (path, number, line)
        for path in tracked()
        if path.suffix == ".rs"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if DOC_LINE.match(line)
    ]
    odd = [f"{name(path)}:{number}: {line.strip()}" for path, number, line in lines if OPENING.match(line)]
    assert len(lines) > 1000, f"only {len(lines)} doc lines were found"
    most = len(lines) * MOST_PERCENT // 100
    assert len(odd) <= most, "\n".join(
        [f"{len(odd)} of {len(lines)} doc lines open with a pronoun; at most {most} may:", *odd]
    )


@pytest.mark.parametrize("pattern", BANNED)
def test_no_line_says(pattern: str) -> None:
    found = [
        f"{name(path)}:{number}: {line.strip()}"
        for path, number, line in prose()
        if re.search(rf"\b({pattern})\b", line, re.IGNORECASE)
    ]
    assert not found, "\n".join([f"say `{BANNED[pattern]}` or the like instead:", *found])
