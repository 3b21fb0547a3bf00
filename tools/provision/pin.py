#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Pin the Python packages that the kit installs, with the hashes of their files.

  tools/provision/pin.py            update the pins of all requirement files
  tools/provision/pin.py FOLDER     update those of one: tools/provision or tests

Reads FOLDER/requirements.in, lets `uv` choose versions for all supported releases of Python at once, and writes
FOLDER/requirements.txt. Needs `uv` on PATH (`pip install uv`) and a package index. A package that stays in
requirements.in without a version is updated to the newest.

A requirement file names the files of a package for Linux on x86_64 and aarch64: wheels, and the source distribution only
of a package without. What builds that belongs in requirements.in, too: `tools/provision/python` installs the wheels
first, then the rest without downloads for its build.
"""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

KIT = Path(__file__).resolve().parents[2]
# Folders of requirement files, with the oldest Python of each.
FOLDERS = {"tools/provision": "3.9", "tests": "3.10"}
HEAD = """\
# SPDX-License-Identifier: BSD-2-Clause
#
# Written by tools/provision/pin.py from requirements.in.
"""
SOURCES = "# Source distributions.\n"
WHEEL = re.compile(r"-(any|(many|musl)linux[^-]*_(x86_64|aarch64))\.whl$")
# Debian 12 has glibc 2.36. A package whose wheels need a newer one is built from its source.
NEWER_GLIBC = re.compile(r"-manylinux_2_(3[7-9]|[4-9][0-9])_[^.]*\.whl$")


class Pin(NamedTuple):
    """One version of a package, and where it is installed."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    def text(self) -> str:
        """Return the lines of a requirement file."""
        marker = f" ; {self.marker}" if self.marker else ""
        first = f"{self.name}=={self.version}{marker}"
        return " \\\n".join([first, *(f"    --hash=sha256:{digest}" for digest in self.hashes)]) + "\n"


def render(wheels: list[Pin], sources: list[Pin]) -> str:
    """Return the text of a requirement file."""
    parts = [HEAD, *(pin.text() for pin in sorted(wheels))]
    if sources:
        parts += [SOURCES, *(pin.text() for pin in sorted(sources))]
    return "".join(parts)


def parse(text: str) -> tuple[list[Pin], list[Pin]]:
    """Return the wheels and the source distributions of a requirement file."""
    parts: tuple[list[Pin], list[Pin]] = ([], [])
    for number, part in enumerate(text.split(SOURCES)):
        lines = [line for line in part.replace("\\\n", "").splitlines() if line and not line.startswith("#")]
        for line in lines:
            first, *hashes = line.split("--hash=sha256:")
            requirement, _, marker = first.partition(";")
            name, version = requirement.strip().split("==")
            parts[number].append(Pin(name, version, marker.strip(), tuple(digest.strip() for digest in hashes)))
    return parts


def choose(packages: list[dict[str, Any]], oldest: str) -> tuple[list[Pin], list[Pin]]:
    """Return the pins of packages as PEP 751 has them."""
    wheels: list[Pin] = []
    sources: list[Pin] = []
    for package in packages:
        marker = package.get("marker", "")
        if "sys_platform == 'win32'" in marker:
            continue
        # True for every supported Python.
        marker = "" if marker == f"python_full_version >= '{oldest}'" else marker
        urls = ((file["url"], file) for file in package.get("wheels", ()))
        files = [file for url, file in urls if WHEEL.search(url) and not NEWER_GLIBC.search(url)]
        target = wheels if files else sources
        digests = sorted(file["hashes"]["sha256"] for file in files or [package["sdist"]])
        target.append(Pin(package["name"], package["version"], marker, tuple(digests)))
    return wheels, sources


def update(folder: str) -> None:
    """Write FOLDER/requirements.txt anew."""
    # Python 3.11 has it; parse() also runs on older ones.
    tomllib = importlib.import_module("tomllib")
    given, written = (KIT / folder / f"requirements.{suffix}" for suffix in ("in", "txt"))
    uv = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", FOLDERS[folder]]
    locked = subprocess.run(
        [*uv, "--format", "pylock.toml", given], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    written.write_text(render(*choose(tomllib.loads(locked)["packages"], FOLDERS[folder])))


def main() -> int:
    """Parse the command line and update the files."""
    folders = sys.argv[1:] or list(FOLDERS)
    unknown = [folder for folder in folders if folder not in FOLDERS]
    if unknown:
        sys.exit(f"error: pin.py knows no folder `{unknown[0]}`\nhelp: give one of: {' '.join(FOLDERS)}")
    if not shutil.which("uv"):
        sys.exit("error: `uv` is not on PATH\nhelp: pip install uv")
    for folder in folders:
        try:
            update(folder)
        except subprocess.CalledProcessError:
            sys.exit(f"error: uv cannot resolve `{folder}/requirements.in`\nhelp: its own message is above")
    return 0


if __name__ == "__main__":
    sys.exit(main())
