# SPDX-License-Identifier: BSD-2-Clause
"""Projects of others that a group of tests needs beside those of the kit's manifest: the group has a manifest of them."""

import xml.etree.ElementTree as ElementTree

import kit


def fetch(manifest, folder):
    """Fetch what `manifest` names into `folder`, each project at its path; skips the test where one cannot be had."""
    root = ElementTree.parse(manifest).getroot()
    remotes = {remote.get("name"): remote.get("fetch") for remote in root.iter("remote")}
    for project in root.iter("project"):
        url, path = f"{remotes[project.get('remote')]}/{project.get('name')}", folder / project.get("path")
        kit.run("git", "init", "--quiet", path)
        try:
            kit.run("git", "-C", path, "fetch", "--quiet", "--depth", "1", url, project.get("revision"))
        except kit.Failure:
            raise kit.Skip(f"{project.get('name')} cannot be fetched from {url}") from None
        kit.run("git", "-C", path, "checkout", "--quiet", "FETCH_HEAD")
