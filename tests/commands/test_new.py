# SPDX-License-Identifier: BSD-2-Clause
"""`./quickstart new DIR` writes a project of the user's own, which goes from there to the console by itself."""

import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import manifest
import pytest
from commands.upstream import no_upstream
from support import KIT, Failure, check_says, folder, must_fail, run, skip, until, write

pytestmark = [pytest.mark.needs("rust", "hosted"), pytest.mark.quick]

ADDRESS = "https://git.invalid/people/sel4-rust-kit.git"


def new(name: str, *options: str) -> Path:
    """Makes a project, with an address of the kit that nobody asks for anything."""
    run(KIT / "quickstart", "new", name, "--kit", ADDRESS, *options)
    return folder() / name


def without_upstream() -> dict[str, str]:
    """An environment without sources of seL4. The host tool of this user serves."""
    env = no_upstream("new")
    cache = Path(env["XDG_CACHE_HOME"]) / "sel4-rust-kit"
    if not cache.exists():
        cache.mkdir(parents=True)
        users = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sel4-rust-kit"
        (cache / "tool").symlink_to(users / "tool")
    return env


@pytest.mark.quick(False)
def test_L1_a_new_project_comes_to_its_console_without_upstream() -> None:
    project = new("beginning")
    assert not list(folder().glob(".*.part")), "it left its intermediate folder"
    says = (
        "No sources of seL4, so `server` runs on the hosted platform",
        "Round 4, of C and Rust",
        "printed its expected output",
    )
    check_says(run(project / "quickstart", cwd=project, env=without_upstream()), *says)
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", ".", cwd=project)
    tracked = run("git", "ls-files", cwd=project).split()
    assert "apps/server/Cargo.lock" in tracked, tracked
    odd = [name for name in tracked if name.startswith(("build", "sel4-rust-kit"))]
    assert not odd, f"git would take {odd}"
    # Nothing of this machine is in what the user commits.
    for name in tracked:
        assert str(KIT) not in (project / name).read_text(), f"`{name}` names a folder of this machine"


def test_the_manifest_has_the_pins_of_the_kit_and_its_address() -> None:
    project = new("pins")
    assert manifest.read(project / "manifest.xml") == manifest.read()
    entries = {
        entry.get("path"): entry for entry in ElementTree.parse(project / "manifest.xml").getroot().iter("project")
    }
    kit = entries["projects/sel4-rust-kit"]
    assert kit.get("revision") == run("git", "rev-parse", "HEAD", cwd=KIT).strip()
    assert kit.get("name") == "sel4-rust-kit.git"
    assert f'<remote name="kit" fetch="{ADDRESS.rpartition("/")[0]}"/>' in (project / "manifest.xml").read_text()
    assert "projects/pins" in entries
    # CI finds the kit by the same two.
    workflow = (project / ".github" / "workflows" / "test.yml").read_text()
    line = next(line for line in workflow.splitlines() if line.strip().startswith("revision="))
    assert run("sh", "-c", f"{line}; echo $revision", cwd=project).strip() == kit.get("revision")
    assert f" {ADDRESS} " in workflow


@pytest.mark.parametrize(
    ("origin", "base"),
    [
        ("git@git.invalid:people/kit.git", "ssh://git@git.invalid/people"),
        ("ssh://git.invalid/people/kit", "ssh://git.invalid/people"),
        ("https://git.invalid/people/kit/", "https://git.invalid/people"),
    ],
)
def test_the_manifest_has_the_address_of(origin: str, base: str) -> None:
    project = folder() / f"from-{len(origin)}"
    run(KIT / "quickstart", "new", project, "--kit", origin)
    assert f'<remote name="kit" fetch="{base}"/>' in (project / "manifest.xml").read_text()
    shutil.rmtree(project)


def copy_of_the_kit(name: str) -> Path:
    """What `quickstart new` reads, without git's folder."""
    clone = folder() / name
    for part in ("tools", "template", "apps"):
        shutil.copytree(KIT / part, clone / part, ignore=shutil.ignore_patterns("target"))
    for part in ("quickstart", "manifest.xml", "Cargo.toml", "Cargo.lock", "VERSION"):
        shutil.copy(KIT / part, clone / part)
    return clone


def test_a_kit_without_an_address_asks_for_it() -> None:
    clone = copy_of_the_kit("copy")
    env = {"GIT_CEILING_DIRECTORIES": folder()}
    says = ("error: this copy of the kit does not know its address", "help: give it: ./quickstart new DIR --kit")
    must_fail(clone / "quickstart", "new", "asked", env=env, says=says)
    assert not (folder() / "asked").exists()
    # Git takes the address of a clone's clone for a folder.
    run("git", "init", "--quiet", clone)
    run("git", "-C", clone, "remote", "add", "origin", "../copy.git")
    output = must_fail(clone / "quickstart", "new", "asked", "--kit", "no address", env=env, says=("error: `file://",))
    assert not (folder() / "asked").exists(), output
    assert not list(folder().glob(".*.part")), "it left its intermediate folder"


REFUSED = {
    "full": ("error: the folder", "is not empty", "./quickstart add"),
    "file": ("exists and is not a folder",),
    "1st": ("`1st` cannot be the name of a project", "a letter first"),
    "with space": ("`with space` cannot be the name",),
    "sel4-rust-kit": ("a workspace has another project `sel4-rust-kit`",),
    "nowhere/project": ("there is no folder", "mkdir -p"),
    "a$b/project": ("a `$` in its path",),
    f"{KIT}/apps/mine": ("is inside the kit's sources", "outside the clone"),
}


@pytest.mark.parametrize("name", REFUSED, ids=[Path(name).name for name in REFUSED])
def test_new_refuses(name: str) -> None:
    write(folder() / "full" / "file", "")
    write(folder() / "file", "")
    (folder() / "a$b").mkdir(exist_ok=True)
    before = set(folder().iterdir())
    must_fail(KIT / "quickstart", "new", name, "--kit", ADDRESS, says=("error: ", "help: ", *REFUSED[name]))
    assert set(folder().iterdir()) == before and list((folder() / "full").iterdir()) == [folder() / "full" / "file"]


def test_an_interrupted_new_leaves_nothing() -> None:
    fakes = folder() / "fakes"
    write(fakes / "cargo", f"#!/bin/sh\necho > {folder()}/began\nexec sleep 600\n").chmod(0o755)
    env = {**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}"}
    command = [str(KIT / "quickstart"), "new", "interrupted", "--kit", ADDRESS]
    process = subprocess.Popen(command, cwd=folder(), env=env, start_new_session=True, stderr=subprocess.DEVNULL)
    until("cargo was called", (folder() / "began").exists)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() == 130
    assert not (folder() / "interrupted").exists() and not list(folder().glob(".*.part")), "it left a folder"


@pytest.mark.parametrize("options", [(), ("--std",)], ids=["no_std", "std"])
@pytest.mark.long
def test_all_tests_of_a_new_project_pass_on_the_hosted_platform(options: tuple[str, ...]) -> None:
    project = new("hosted" + "".join(options), *options)
    output = run(project / "test", "hosted", cwd=project, env=without_upstream())
    check_says(output, "2 passed; 0 failed", "`server` ran on hosted", "2 passed, 0 failed, 0 skipped")
    target = folder() / "target"
    for crate in ("server", "kernel-tests"):
        lint = ("clippy", "--locked", "--all-targets", "--target-dir", target, "--", "--deny", "warnings")
        run("cargo", *lint, cwd=project / "apps" / crate)


@pytest.mark.parametrize("options", [(), ("--std",)], ids=["no_std", "std"])
@pytest.mark.needs("sources", "aarch64")
@pytest.mark.long
def test_all_tests_of_a_new_project_pass_on_the_kernel(options: tuple[str, ...]) -> None:
    project = new("kernel" + "".join(options), *options)
    output = run(project / "test", cwd=project)
    check_says(output, "2 passed; 0 failed", "`server` ran on qemu-arm-virt", "2 passed, 0 failed, 0 skipped")
    # What a clone of the project without the kit says.
    (project / "sel4-rust-kit").unlink()
    must_fail(
        project / "init-build.sh",
        cwd=project / "build-tests",
        says=("error: the kit is not at", f"help: git clone {ADDRESS}"),
    )


@pytest.mark.needs("sources")
@pytest.mark.long
def test_the_manifest_of_a_new_project_makes_a_workspace_of_repo() -> None:
    tool = "https://github.com/GerritCodeReview/git-repo"
    remote, root = folder() / "remote", folder() / "root"
    remote.mkdir()
    root.mkdir()
    try:
        run("git", "clone", "--quiet", "--bare", KIT, remote / "sel4-rust-kit")
        run("git", "clone", "--quiet", "--depth=1", "--branch=stable", tool, folder() / "git-repo")
    except Failure as failure:
        skip(f"a repository cannot be cloned: {failure}")
    project = remote / "mine"
    run(KIT / "quickstart", "new", project, "--kit", f"file://{remote}/sel4-rust-kit")
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        ("commit", "--quiet", "--message=first"),
    ):
        run("git", "-c", "user.name=A", "-c", "user.email=a@b.invalid", *command, cwd=project)
    repo = ("python3", folder() / "git-repo" / "repo")
    run(*repo, "init", "-u", f"file://{project}", "-m", "manifest.xml", "--repo-url", tool, cwd=root)
    run(*repo, "sync", cwd=root)
    checkout = root / "projects" / "mine"
    assert (checkout / "sel4-rust-kit").resolve() == root / "projects" / "sel4-rust-kit"
    assert (root / "init-build.sh").resolve() == checkout / "init-build.sh"
    sources = checkout / "sel4-rust-kit" / "tools" / "provision" / "sources.py"
    assert run(sources, "--path", "--manifest", checkout / "manifest.xml").strip() == str(root)
    (root / "build").mkdir()
    run(root / "init-build.sh", "-DPLATFORM=hosted", cwd=root / "build")
