# SPDX-License-Identifier: BSD-2-Clause
"""Build folders of the benchmark's programs."""

import functools
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from support import KIT, check, folder, run, workspace
from support.builds import Shared, note

PROJECT = KIT / "tests" / "bench" / "project"


class Programs(Protocol):
    """A build folder in which programs of project/ are built."""

    # Folder of the build, where ./simulate is.
    path: Path

    def configure(self, programs: Sequence[str], *arguments: str) -> str:
        """Configures these programs; the first one is the root server."""

    def ninja(self, *targets: str) -> str:
        """Runs ninja."""

    def program(self, name: str) -> Path:
        """Returns the file of a program."""

    def cached(self, variable: str) -> str:
        """Returns a variable of CMake's cache."""


def muslc_cache() -> Path:
    """Returns the folder of the builds of muslc, which all build folders share."""
    return folder() / "muslc"


_workspace = functools.cache(workspace)


def _cached(path: Path, variable: str) -> str:
    found = re.search(rf"^{variable}:\w+=(.*)$", (path / "CMakeCache.txt").read_text(), re.MULTILINE)
    check(found, f"CMake's cache of `{path}` has no `{variable}`")
    assert found
    return found[1]


class Build:
    """A fresh build folder of project/, with the kernel's options among the arguments of configure()."""

    def __init__(self, name: str) -> None:
        self.path = folder() / name
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def configure(
        self,
        programs: Sequence[str | Path],
        *arguments: str,
        boots: str | None = None,
        cache: Path | None = None,
        env: dict[str, Any] | None = None,
    ) -> str:
        """`programs` are folders of project/, or paths; `boots` is the root server, the first one by default."""
        if not (self.path / "CMakeCache.txt").exists():
            note("own", self.path.name)
        name = str(boots or programs[0]).rpartition("/")[2]
        # The workspace and the cache of muslc come as seL4's own init-build.sh would name them.
        return run(
            *("cmake", "-G", "Ninja", *arguments, f"-DPROGRAMS={';'.join(map(str, programs))}", f"-DBOOTS={name}"),
            *(f"-DSEL4_WORKSPACE={_workspace()}", f"-DSEL4_CACHE_DIR={cache or muslc_cache()}"),
            *("-C", KIT / "settings" / "settings.cmake", PROJECT),
            cwd=self.path,
            env=env,
        )

    def ninja(self, *targets: str, env: dict[str, Any] | None = None) -> str:
        """Runs ninja."""
        return run("ninja", *targets, cwd=self.path, env=env)

    def program(self, name: str) -> Path:
        """Returns the file of a program."""
        return self.path / name / name

    def cached(self, variable: str) -> str:
        """Returns a variable of CMake's cache."""
        return _cached(self.path, variable)


class OnShared:
    """The programs in a shared build folder, whose kernel is there already."""

    def __init__(self, shared: Shared) -> None:
        self.shared, self.path = shared, shared.path

    def configure(self, programs: Sequence[str], *arguments: str) -> str:
        """Configures these programs; the first one is the root server."""
        options = (f"-DPROGRAMS={';'.join(programs)}", f"-DBOOTS={programs[0]}", *arguments)
        return self.shared.select("tests/bench/programs", *options)

    def ninja(self, *targets: str) -> str:
        """Runs ninja."""
        return self.shared.ninja(*targets)

    def program(self, name: str) -> Path:
        """Returns the file of a program."""
        return self.path / "tests" / "bench" / "programs" / name / name

    def cached(self, variable: str) -> str:
        """Returns a variable of CMake's cache."""
        return _cached(self.path, variable)
