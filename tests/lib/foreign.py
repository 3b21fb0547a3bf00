# SPDX-License-Identifier: BSD-2-Clause
"""Projects of others that a group of tests needs beside those of the kit's manifest: the group has a manifest of them."""

import kit
import manifest


def fetch(path, folder):
    """Fetch what the manifest at `path` names into `folder`, each project at its path; skips the test where one cannot be had."""
    for project in manifest.read(path).projects:
        work = folder / project.path
        kit.run("git", "init", "--quiet", work)
        try:
            kit.run("git", "-C", work, "fetch", "--quiet", "--depth", "1", project.url, project.revision)
        except kit.Failure:
            raise kit.Skip(f"{project.name} cannot be fetched from {project.url}") from None
        kit.run("git", "-C", work, "checkout", "--quiet", "FETCH_HEAD")
