# SPDX-License-Identifier: BSD-2-Clause
"""Reads manifests of Google's `repo` tool, as far as the kit uses their format."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Project:
    """A git repository: its folder in the workspace, its address, and the revision to check out."""

    name: str
    path: str
    url: str
    revision: str


@dataclass(frozen=True)
class Manifest:
    """The upstream projects, and the folder of the kit in a workspace of `repo` (other manifests name none)."""

    projects: list[Project]
    kit_path: str | None


def read(path: Path = KIT / "manifest.xml") -> Manifest:
    """Read the manifest at `path`. A remote with a relative address is the one that the kit came from."""
    root = ElementTree.parse(path).getroot()
    remotes = {remote.get("name"): remote.get("fetch", "") for remote in root.iter("remote")}
    projects: list[Project] = []
    kit_path = None
    for entry in root.iter("project"):
        name, folder = entry.get("name", ""), entry.get("path", "")
        base = remotes[entry.get("remote")]
        if "://" in base:
            projects.append(Project(name, folder, f"{base}/{name}", entry.get("revision", "")))
        else:
            kit_path = folder
    return Manifest(projects, kit_path)
