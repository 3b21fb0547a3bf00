# SPDX-License-Identifier: BSD-2-Clause
"""What a script below tests/ needs to use the library as a test does."""

import os
import subprocess
import sys

import support


def begin(name: str, *needs: str) -> None:
    """Sets the folder build-test/NAME, and what the set-up put on PATH; `needs` are arguments of tools/provision/packages."""
    provision = support.KIT / "tools" / "provision"
    steps: list[list[object]] = []
    if needs:
        architectures = [need for need in needs if need not in ("kernel", "hosted", "rust", "ccache")]
        steps = [[provision / "sources.py", "--fetch"], [provision / "packages", *needs], [provision / "python"]]
        steps += [[provision / "rust", *architectures]]
    for step in steps:
        if subprocess.run([str(word) for word in step], stdout=subprocess.DEVNULL).returncode != 0:
            sys.exit(f"error: `{support.text_of(step)}` failed\nhelp: its own message is above")
    script = 'kit=$0; . "$kit/tools/environment.sh"; printf %s "$PATH"'
    path = subprocess.run(["sh", "-c", script, support.KIT], check=True, stdout=subprocess.PIPE, text=True)
    os.environ["PATH"] = path.stdout
    support.set_folder(support.BUILD_TEST / name)
