# SPDX-License-Identifier: BSD-2-Clause
"""Prose of the tree: doc lines name their subject first, and phrases that are not plain English do not come back."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from support import folder
from tree.files import tracked, with_interpreter

pytestmark = pytest.mark.quick

DOC_LINE = re.compile(r"^\s*//[/!]")
# A reader sees a doc line alone, in a search result or an editor's hover: one that opens so says nothing there.
OPENING = re.compile(r"^\s*//[/!] (What|Where|Whether|Who|Whoever|Whose|That|Of|The same|Its?|As|How|So|Such)\b")
MOST_PERCENT = 1

# Word-for-word translations from German, each with what to write instead.
BANNED = {
    "who (enters|asks|runs|looks|begins|is asked)": "the caller, the thread, the reader",
    "whoever": "the caller, the thread, the reader",
    "go(es|ing)? along": "is sent with the message",
    "brings? along": "provides, contains",
    "is no (regular|number|digit)": "is not a …",
    "(gives?|gave|given|giving) (it |them )?back": "returns, frees, releases",
    "wherever (it|they) lies?": "in any folder",
    "tells? of|told of": "describes, reports, names",
    "goes wrong": "fails",
    "nothing behind (it|them)": "not implemented",
    "vouch(es)? for": "by the contract of this function",
    "in whatever way": "(leave it out)",
    "belongs? into": "belongs in",
    "(for|and) who (builds|calls|links|needs|reads|uses|writes)": "for readers of …, and the callers",
    "(what|if it|unless it) is to be": "must be",
}
SUFFIXES = (".rs", ".md", ".py", ".c", ".h", ".cmake", ".sh")


def prose() -> list[Path]:
    """Returns the files in which phrases are looked for. Recordings hold what programs print."""
    texts = {path for path in tracked() if path.suffix in SUFFIXES}.union(with_interpreter("sh|bash|python3"))
    return sorted(path for path in texts if path != Path(__file__) and "recorded" not in path.parts)


def doc_lines(paths: Iterable[Path]) -> tuple[int, list[str]]:
    """Returns the number of doc lines, and those that open without a subject."""
    count, odd = 0, []
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            count += bool(DOC_LINE.match(line))
            if OPENING.match(line):
                odd.append(f"{path}:{number}: {line.strip()}")
    return count, odd


def lines_that_say(pattern: str, paths: Iterable[Path]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        # Names of tests stay, so that runs can be compared.
        if re.search(rf"\b({pattern})\b", line, re.IGNORECASE) and "id=" not in line
    ]


def sample(file: str, text: str) -> list[Path]:
    path = folder() / file
    path.write_text(text)
    return [path]


def test_doc_lines_name_their_subject_first() -> None:
    count, odd = doc_lines(path for path in tracked() if path.suffix == ".rs")
    assert count > 1000, f"only {count} doc lines were found"
    most = count * MOST_PERCENT // 100
    assert len(odd) <= most, "\n".join(
        [
            f"{len(odd)} of {count} doc lines open with a pronoun; at most {most} may",
            "help: open with a verb for a function (`Returns whether …`), a noun for a type or field (`Number of …`)",
            *odd,
        ]
    )


@pytest.mark.parametrize("pattern", BANNED)
def test_no_line_says(pattern: str) -> None:
    found = lines_that_say(pattern, prose())
    assert not found, "\n".join([f"say `{BANNED[pattern]}` or the like instead:", *found])


def test_a_doc_line_without_a_subject_is_found() -> None:
    count, odd = doc_lines(
        sample("lib.rs", "/// Returns the sum.\n/// What is added.\n    //! Whether it fits.\n// It.\n")
    )
    assert (count, [line.split(": ", 1)[1] for line in odd]) == (3, ["/// What is added.", "//! Whether it fits."])


@pytest.mark.parametrize(
    "line",
    [
        "A thread gives back memory.",
        "Whoever links both finds one.",
        "The registers tell of a fault.",
        "`x` is no regular file",
        "SAFETY: the caller vouches for it",
    ],
)
def test_a_banned_phrase_is_found(line: str) -> None:
    page = sample("page.md", f"Plain English.\n{line}\n")
    found = [line for pattern in BANNED for line in lines_that_say(pattern, page)]
    assert found == [f"{page[0]}:2: {line}"]
