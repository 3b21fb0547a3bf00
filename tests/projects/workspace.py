# SPDX-License-Identifier: BSD-2-Clause
"""A workspace as `repo sync` makes it, with the project of adopt/ in it."""

import shutil

import support
from support import KIT, folder, run
from support.builds import Build

HERE = KIT / "tests" / "projects" / "adopt"


def copy_project(root, path):
    """Copies an upstream project into the workspace `root`, with its place in git: seL4's build asks for its commit."""
    source, copy = support.workspace() / path, root / path
    shutil.copytree(source, copy, symlinks=True)
    if (source / ".git").is_file():
        # The one of the original may be relative to it.
        (copy / ".git").write_text(f"gitdir: {run('git', '-C', source, 'rev-parse', '--absolute-git-dir')}")


def link_cache(root):
    """Gives the workspace `root` the builds of muslc that other workspaces have made."""
    cache = support.workspace() / ".sel4_cache"
    cache.mkdir(exist_ok=True)
    (root / ".sel4_cache").symlink_to(cache)


class Workspace:
    """`name` is its folder in that of the test. It begins without the kit and without Rust.

    `overlay` is a folder whose files are added to those of the project.
    """

    def __init__(self, name, overlay=None):
        self.name, self.root = name, folder() / name
        self.project = self.root / "projects" / "greetings"
        upstream = support.workspace()
        shutil.copytree(HERE / "project", self.project)
        if overlay:
            shutil.copytree(overlay, self.project, dirs_exist_ok=True)
        for path in ("kernel", "tools", *(f"projects/{project.name}" for project in (upstream / "projects").iterdir())):
            # The build of muslc copies its sources by `cp -a`, which copies a link as one.
            if path == "projects/musllibc":
                copy_project(self.root, path)
            elif path != "projects/sel4-rust-kit":
                (self.root / path).symlink_to(upstream / path)
        # As a manifest would link them.
        (self.root / "init-build.sh").symlink_to("tools/seL4/cmake-tool/init-build.sh")
        (self.root / "easy-settings.cmake").symlink_to("projects/greetings/easy-settings.cmake")
        link_cache(self.root)

    def add_kit(self):
        (self.root / "projects" / "sel4-rust-kit").symlink_to(KIT)

    def add_rust(self):
        """The crate, the lines of CMake and the calls that docs/adopting.md describes."""
        # As edited now: with the times of the originals, ninja would take them for older than what it built.
        shutil.copytree(
            HERE / "with-rust",
            self.project,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("target"),
            copy_function=shutil.copyfile,
        )

    def build(self, name="build"):
        """An empty build folder, configured by seL4's own init-build.sh."""
        shutil.rmtree(self.root / name, ignore_errors=True)
        return Build(f"{self.name}/{name}", self.root / "init-build.sh")


def default_layout(name, project):
    """Makes a workspace in the default layout of seL4_tools, with the kit and a copy of the folder `project` in it.

    Returns a build folder, and the copy.
    """
    root, upstream = folder() / name, support.workspace()
    copy = root / "projects" / project.name
    shutil.copytree(project, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target"))
    for path in ("kernel", "tools", *(f"projects/{one.name}" for one in (upstream / "projects").iterdir())):
        if path == "projects/musllibc":
            copy_project(root, path)
        elif path != "projects/sel4-rust-kit":
            (root / path).symlink_to(upstream / path)
    (root / "CMakeLists.txt").symlink_to("tools/seL4/cmake-tool/default-CMakeLists.txt")
    (root / "init-build.sh").symlink_to("tools/seL4/cmake-tool/init-build.sh")
    (root / "projects" / "sel4-rust-kit").symlink_to(KIT)
    shutil.copy(HERE / "project" / "easy-settings.cmake", root)
    settings = (HERE / "project" / "settings.cmake").read_text()
    support.write(root / "settings.cmake", settings.replace("/../../", ""))
    link_cache(root)
    return Build(f"{name}/build", root / "init-build.sh"), copy
