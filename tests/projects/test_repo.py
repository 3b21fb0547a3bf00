# SPDX-License-Identifier: BSD-2-Clause
"""The classic way, with Google's repo tool: init, sync, init-build.sh, ninja, simulate."""

import xml.etree.ElementTree as ElementTree

import pytest
from projects.workspace import link_cache
from support import KIT, Failure, folder, run, skip
from support.builds import Build

TOOL = "https://github.com/GerritCodeReview/git-repo"
pytestmark = [pytest.mark.needs("sources", "rust", "aarch64"), pytest.mark.weight(60)]


@pytest.fixture(scope="module")
def root():
    """A workspace that `repo init` and `repo sync` make. The kit's server has the last commit of this clone."""
    # Under the name that the manifest has for it.
    remote = folder() / "remote" / "sel4-rust-kit"
    try:
        run("git", "clone", "--quiet", KIT, remote)
    except Failure:
        skip(f"{KIT} is not a git repository")
    run("git", "-C", remote, "checkout", "--quiet", "-B", "main")
    try:
        run("git", "clone", "--quiet", "--depth=1", "--branch=stable", TOOL, folder() / "git-repo")
    except Failure:
        skip(f"{TOOL} cannot be reached")
    workspace = folder() / "workspace"
    workspace.mkdir()
    repo = ("python3", folder() / "git-repo" / "repo")
    run(*repo, "init", "-u", remote, "-m", "manifest.xml", "--repo-url", TOOL, cwd=workspace)
    run(*repo, "sync", cwd=workspace)
    link_cache(workspace)
    return workspace


def test_repo_init_and_sync_make_a_workspace(root):
    for part in ("kernel", "tools/seL4", "projects/sel4-rust-kit", "init-build.sh"):
        assert (root / part).exists(), f"the workspace lacks `{part}`"


def test_every_project_is_at_its_pin(root):
    for project in ElementTree.parse(KIT / "manifest.xml").getroot().iter("project"):
        if project.get("name") != "sel4-rust-kit":
            head = run("git", "-C", root / project.get("path"), "rev-parse", "HEAD").strip()
            assert head == project.get("revision"), f"{project.get('path')} is at `{head}`"


def test_init_build_and_easy_settings_are_linked_into_the_root(root):
    for link in ("init-build.sh", "easy-settings.cmake"):
        target = root / "projects" / "sel4-rust-kit" / link
        assert (root / link).resolve() == target.resolve(), f"`{link}` does not lead to the kit's"


def test_setup_sources_finds_the_workspace_around_the_kit(root):
    found = run(root / "projects" / "sel4-rust-kit" / "tools" / "provision" / "sources.py", "--path").strip()
    assert found == str(root.resolve()), f"it gives `{found}`"


def test_D1_from_a_clean_sync_hello_prints_its_four_lines(root):
    build = Build("workspace/build", root / "init-build.sh")
    build.configure("-DPLATFORM=zynqmp", "-DAARCH64=TRUE", "-DCROSS_COMPILER_PREFIX=aarch64-linux-gnu-")
    build.ninja()
    build.boot(
        [
            "Booting all finished, dropped to user space",
            "Rust Routine: 10 + 20 = 30",
            "Rust Routine: 1 + 20 = 20",
            "Suspending current thread",
        ]
    )
