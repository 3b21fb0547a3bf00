# SPDX-License-Identifier: BSD-2-Clause
"""Files of the tree."""

import functools
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from support import KIT, skip


@functools.cache
def tracked() -> list[Path]:
    """Returns the files that git tracks or would, and that are there."""
    listing = subprocess.run(
        ["git", "-C", KIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE,
        text=True,
    )
    if listing.returncode != 0:
        skip("not a git repository")
    return sorted(path for name in set(listing.stdout.split("\0")) if name and (path := KIT / name).is_file())


def name(path: Path) -> Path:
    """Returns the path of a file from the kit's root."""
    return path.relative_to(KIT)


def lines_with(pattern: str | re.Pattern[str], paths: Iterable[Path]) -> list[str]:
    """Returns the lines in which the pattern is found, each with its place."""
    return [
        f"{name(path)}:{number}: {line}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]


def with_interpreter(pattern: str) -> list[Path]:
    """Returns the scripts whose interpreter matches."""
    return [path for path in tracked() if re.match(rf"#!.*\b({pattern})\b", path.read_text().split("\n", 1)[0])]
