# SPDX-License-Identifier: BSD-2-Clause
"""Projects of others that a test needs beside those of the kit's manifest: the test has a manifest of them."""

from pathlib import Path

import manifest

from support import Failure, run, skip


def fetch(path: Path, folder: Path) -> None:
    """Fetches the projects of the manifest at `path` into `folder`; skips the test where one cannot be had."""
    for project in manifest.read(path):
        work = folder / project.path
        run("git", "init", "--quiet", work)
        try:
            run("git", "-C", work, "fetch", "--quiet", "--depth", "1", project.url, project.revision)
        except Failure:
            skip(f"{project.name} cannot be fetched from {project.url}")
        run("git", "-C", work, "checkout", "--quiet", "FETCH_HEAD")
