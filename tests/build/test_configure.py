# SPDX-License-Identifier: BSD-2-Clause
"""Init-build.sh and the demo project's settings answer bad input with the value and the next step."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import KIT, check_says, folder, must_fail, run, workspace, write
from support.builds import Build

pytestmark = pytest.mark.needs("sources", "kernel", "aarch64")

INIT_BUILD = KIT / "init-build.sh"


def top_folders():
    """The folders of the tree that hold tracked files."""
    listing = subprocess.run(
        ["git", "-C", KIT, "ls-files", "*/*"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return sorted({path.split("/")[0] for path in listing.splitlines()})


SOURCE_FOLDERS = (
    pytest.param(
        ".", ("is a source folder", "help: mkdir build && cd build && ../init-build.sh -DPLATFORM=zynqmp"), id="."
    ),
    pytest.param("apps/hello", ("is a source folder", "help: mkdir build"), id="apps/hello"),
    *(
        pytest.param(
            folder,
            ("is a source folder", "help: mkdir build")
            if (KIT / folder / "CMakeLists.txt").exists()
            else ("is inside the kit's sources", "help: make the build folder beside them"),
            id=folder,
        )
        for folder in ("rust/tool", *top_folders())
    ),
)


@pytest.mark.parametrize(("folder", "says"), SOURCE_FOLDERS)
def test_a_build_is_refused_when_started_in(folder, says):
    before = run("git", "status", "--porcelain", cwd=KIT)
    must_fail(INIT_BUILD, "-DPLATFORM=zynqmp", cwd=KIT / folder, says=("error: `", *says))
    assert run("git", "status", "--porcelain", cwd=KIT) == before, "it left something behind"


@pytest.mark.parametrize(
    ("arguments", "says"),
    (
        pytest.param(
            ("-DPLATFORM=pdp11",),
            ("is PLATFORM 'pdp11' correct? Valid platforms are", "zynqmp"),
            id="an unknown platform",
        ),
        pytest.param(
            ("-DPLATFORM=zynqmp", "-DAPP=nothing"),
            ("there is no app `nothing`", "with -DAPP= one of:", "hello"),
            id="an unknown app",
        ),
    ),
)
def test_an_option_is_refused(arguments, says):
    build = Build("build")
    build.configure_fails(*arguments, says=says)
    assert not (build.path / "build.ninja").exists(), "there is a build.ninja"


def test_a_build_folder_with_a_space_in_its_path_is_refused():
    build = Build("with space")
    build.configure_fails(
        "-DPLATFORM=zynqmp", says=(f"a space in its path, as in `{build.path}`", "to a path without one")
    )
    assert not list(build.path.iterdir()), "the build folder is not empty"


def test_a_python3_that_only_init_build_finds_is_told():
    users_cache = Path(run(KIT / "tools" / "cache-folder").strip())
    cache = folder() / "cache" / "sel4-rust-kit"
    pins = KIT / "tools" / "provision" / "requirements.txt"
    python = cache / f"python-{hashlib.sha256(pins.read_bytes()).hexdigest()[:16]}" / "path" / "python3"
    python.parent.mkdir(parents=True)
    # The one with the modules of seL4's build; pytest has an environment of its own.
    write(python, f'#!/bin/sh\nexec {shutil.which("python3")} "$@"\n')
    python.chmod(0o755)
    # What else the user's cache has stays in reach, or it would be fetched and built anew.
    for name in ("sources", "tool"):
        (cache / name).symlink_to(users_cache / name)
    build, note = (
        Build("python"),
        f"note: before ninja, put the Python modules of seL4's build on PATH: . {KIT}/tools/environment.sh",
    )
    environment = {"XDG_CACHE_HOME": str(cache.parent)}
    check_says(build.configure("-DPLATFORM=zynqmp", env=environment), note)
    environment["PATH"] = f"{python.parent}:{os.environ['PATH']}"
    assert note not in build.configure("-DPLATFORM=zynqmp", env=environment), "it is told where ninja finds the same"


def test_a_workspace_that_lacks_a_project_is_told_with_the_command_that_brings_it():
    whole, lacking = workspace(), folder() / "lacking"
    for part in ("kernel", "tools", "projects"):
        (lacking / part).mkdir(parents=True, exist_ok=True)
    shutil.copytree(
        whole / "kernel", lacking / "kernel", symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git")
    )
    (lacking / "tools" / "seL4").symlink_to(whole / "tools" / "seL4")
    (lacking / "init-build.sh").symlink_to(INIT_BUILD)
    build = Build("in-lacking", lacking / "init-build.sh")
    build.configure_fails(
        "-DPLATFORM=zynqmp", says=(f"the workspace `{lacking}` has no `projects/musllibc`", "repo sync", "./quickstart")
    )
