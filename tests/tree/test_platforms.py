# SPDX-License-Identifier: BSD-2-Clause
"""The table that docs/platforms.py writes keeps the rows of platforms that are not built here."""

import os
from pathlib import Path

import pytest
from support import KIT, folder, run, write

pytestmark = pytest.mark.quick


def program(path: Path, script: str) -> None:
    write(path, f"#!/bin/sh\n{script}\n").chmod(0o755)


def test_rows_of_platforms_that_are_not_built_here_stay() -> None:
    clone = folder() / "clone"
    for file in ("platforms.py", "platforms.md"):
        write(clone / "docs" / file, (KIT / "docs" / file).read_text())
    page = clone / "docs" / "platforms.md"
    before = page.read_text()
    row = next(line for line in before.splitlines() if line.startswith("| tx1 |"))
    # The kernel has a platform of the page's table and a new one, and a build that only says what it is for.
    for name in ("tx1", "zebra"):
        config = f"declare_platform({name} Kernel{name})\ndeclare_seL4_arch(aarch64)\n"
        write(clone / "kernel" / "src" / "plat" / name / "config.cmake", config)
    program(clone / "tools" / "provision" / "sources.py", f"echo '{clone}'")
    write(clone / "tools" / "environment.sh", "")
    program(clone / "init-build.sh", "echo required link libraries for target aarch64-unknown-none")
    program(clone / "bin" / "ninja", ":")
    env = {"PATH": f"{clone}/bin:{os.environ['PATH']}"}
    run("python3", clone / "docs" / "platforms.py", "zebra", "--write", env=env)
    begin, end = before.index("| platform |"), before.index("<!-- docs/platforms.py: end -->")
    head = before[begin:end].splitlines()[:2]
    rows = "\n".join([*head, row, "| zebra | aarch64 | aarch64-unknown-none | built |", ""])
    assert page.read_text() == before[:begin] + rows + before[end:]
