# SPDX-License-Identifier: BSD-2-Clause
"""Reads manifests of Google's `repo` tool, as far as the kit uses their format."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
# Folder of the kit in a workspace.
KIT_PATH = "projects/sel4-rust-kit"


@dataclass(frozen=True)
class Project:
    """A git repository: its folder in the workspace, its address, and the revision to check out."""

    name: str
    path: str
    url: str
    revision: str


def read(path: Path = KIT / "manifest.xml") -> list[Project]:
    """Returns the upstream projects of the manifest at `path`.

    The kit is none of them, and neither is a project whose remote has a relative address: the one with the manifest.
    """
    root = ElementTree.parse(path).getroot()
    remotes = {remote.get("name"): remote.get("fetch", "") for remote in root.iter("remote")}
    projects: list[Project] = []
    for entry in root.iter("project"):
        name, folder = entry.get("name", ""), entry.get("path", "")
        base = remotes[entry.get("remote")]
        if "://" in base and folder != KIT_PATH:
            projects.append(Project(name, folder, f"{base}/{name}", entry.get("revision", "")))
    return projects
