# SPDX-License-Identifier: BSD-2-Clause
"""Build folders of the project in project/."""

import functools
import re
import shutil

import kit

PROJECT = kit.KIT / "tests" / "bench" / "project"
# Builds of muslc, which all folders share.
MUSLC_CACHE = kit.FOLDER / "muslc"


@functools.cache
def workspace():
    return kit.workspace()


class Build:
    """A fresh build folder."""

    def __init__(self, name):
        self.path = kit.FOLDER / name
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def configure(self, programs, *arguments, boots=None, cache=MUSLC_CACHE, env=None):
        """`programs` are folders of project/, or paths; `boots` is the root server, the first one by default."""
        name = str(boots or programs[0]).rpartition("/")[2]
        # The workspace and the cache of muslc come as seL4's own init-build.sh would name them.
        return kit.run("cmake", "-G", "Ninja", *arguments, f"-DPROGRAMS={';'.join(map(str, programs))}",
                       f"-DBOOTS={name}", f"-DSEL4_WORKSPACE={workspace()}", f"-DSEL4_CACHE_DIR={cache or ''}",
                       "-C", kit.KIT / "settings" / "settings.cmake", PROJECT, cwd=self.path, env=env)

    def ninja(self, *targets, env=None):
        return kit.run("ninja", *targets, cwd=self.path, env=env)

    def cached(self, variable):
        """A variable of CMake's cache."""
        found = re.search(rf"^{variable}:\w+=(.*)$", (self.path / "CMakeCache.txt").read_text(), re.MULTILINE)
        kit.check(found, f"CMake's cache of `{self.path}` has no `{variable}`")
        return found[1]
