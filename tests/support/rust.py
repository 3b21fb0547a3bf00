# SPDX-License-Identifier: BSD-2-Clause
"""Cargo as tests run it, and the toolchains that rustup has."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configurations import ARCHITECTURES

from support import BUILD_TEST, KIT, run, skip

# Target folder of the kit's own workspaces, for the tests of all subjects.
TARGET = BUILD_TEST / "target"
# Tests of these workspaces read no debug info, and without it they compile and link in half the time. Every test that uses
# the folder has the same settings, so that dependencies are compiled once.
ENVIRONMENT: Mapping[str, object] = {"CARGO_TARGET_DIR": TARGET, "CARGO_PROFILE_DEV_DEBUG": "0", "SEL4_SYS_DIR": None}


def cargo(*arguments: object, cwd: Path = KIT, env: Mapping[str, object] | None = None, **options: Any) -> str:
    """Runs cargo with the shared target folder, and without the variable that names a build's libsel4."""
    __tracebackhide__ = True
    return run("cargo", *arguments, cwd=cwd, env={**ENVIRONMENT, **(env or {})}, **options)


def rust_version() -> tuple[int, ...]:
    """Returns the oldest version of rustc that the kit supports, of Cargo.toml's `rust-version`."""
    found = re.search(r'^rust-version = "([0-9.]+)"', (KIT / "Cargo.toml").read_text(), re.MULTILINE)
    assert found, "Cargo.toml has no `rust-version`"
    return tuple(map(int, found[1].split(".")))


@functools.cache
def toolchains() -> dict[str, tuple[int, ...]]:
    """Returns the stable toolchains that rustup has, by name, with their versions."""
    if not shutil.which("rustup"):
        return {}
    found = {}
    for line in subprocess.run(["rustup", "toolchain", "list"], stdout=subprocess.PIPE, text=True).stdout.splitlines():
        name = line.split()[0]
        environment = {**os.environ, "RUSTUP_TOOLCHAIN": name}
        said = subprocess.run(["rustc", "--version"], env=environment, stdout=subprocess.PIPE, text=True).stdout
        if version := re.match(r"rustc (\d+)\.(\d+)\.(\d+) ", said):
            found[name] = tuple(map(int, version.groups()))
    return found


def other_toolchain(which: str) -> dict[str, str]:
    """Returns the environment that chooses the `oldest` rustc that the kit supports, or the `newest` that rustup has.

    Skips the test where rustup has no such toolchain, or where it is the one of all other tests.
    """
    found = toolchains()
    oldest = rust_version()
    if which == "oldest":
        found = {name: version for name, version in found.items() if version[: len(oldest)] == oldest}
    if not found:
        skip(f"rustup has no such toolchain: rustup toolchain install {'.'.join(map(str, oldest))}")
    name = max(found, key=lambda name: found[name])
    said = run("rustc", "--version", cwd=KIT)
    if f"rustc {'.'.join(map(str, found[name]))} " in said:
        skip(f"all tests use it: {said.strip()}")
    return {"RUSTUP_TOOLCHAIN": name}


def newest_with_all_targets() -> str | None:
    """Returns the newest stable toolchain that rustup has with the Rust targets of all architectures, if there is one."""
    wanted = {target for _, target in ARCHITECTURES.values()}
    for name in sorted(toolchains(), key=lambda name: toolchains()[name], reverse=True):
        environment = {**os.environ, "RUSTUP_TOOLCHAIN": name}
        asked = ["rustc", "--print", "sysroot"]
        sysroot = subprocess.run(asked, env=environment, stdout=subprocess.PIPE, text=True).stdout.strip()
        if all(Path(sysroot, "lib", "rustlib", target).is_dir() for target in wanted):
            return name
    return None
