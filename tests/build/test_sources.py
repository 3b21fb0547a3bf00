# SPDX-License-Identifier: BSD-2-Clause
"""`tools/provision/sources.py` fetches all or nothing, once, and says what is wrong."""

import os
import shutil
import signal
import subprocess

import pytest
from support import KIT, TIME_OUT, check_says, folder, must_fail, run, until, write

pytestmark = pytest.mark.quick

PATHS = ("kernel", "projects/library", "tools/tool")


class Upstream:
    """Small upstream repositories, and a kit whose manifest names them, in a folder of their own."""

    def __init__(self, name):
        self.folder = folder() / name
        self.kit = self.folder / "workspace" / "projects" / "sel4-rust-kit"
        self.sources = self.kit / "tools" / "provision" / "sources.py"
        self.cache = self.folder / "cache"
        # A git that notes each fetch, and in the one numbered $STALL waits until the test says `go`.
        self.log, self.go = self.folder / "fetches", self.folder / "go"
        real_git = shutil.which("git")
        write(
            self.folder / "bin" / "git",
            f"""#!/bin/sh
for word; do
    if [ "$word" = fetch ]; then
        echo fetch >>'{self.log}'
        [ "$(wc -l <'{self.log}')" != "$STALL" ] || until [ -e '{self.go}' ]; do sleep 0.1; done
    fi
done
exec '{real_git}' "$@"
""",
        ).chmod(0o755)
        self.environment = {"XDG_CACHE_HOME": str(self.cache), "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        shutil.copytree(KIT / "tools", self.kit / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        self.write_manifest({path: self.make_project(path) for path in PATHS})

    def make_project(self, path):
        repository = self.folder / "upstream" / path.replace("/", "-")
        write(repository / "file", path)
        git = ("git", "-C", repository, "-c", "user.name=Test", "-c", "user.email=test@example.org")
        run("git", "init", "--quiet", repository)
        run(*git, "add", "file")
        run(*git, "commit", "--quiet", "--message", "First")
        return run(*git, "rev-parse", "HEAD").strip()

    def write_manifest(self, revisions):
        self.revisions = revisions
        projects = "".join(
            f'<project name="{path.replace("/", "-")}" remote="r" revision="{revision}" path="{path}"/>'
            for path, revision in revisions.items()
        )
        write(
            self.kit / "manifest.xml",
            f"""<manifest>
            <remote name="r" fetch="file://{self.folder}/upstream"/><remote name="kit" fetch="."/>
            <project name="sel4-rust-kit" remote="kit" revision="main" path="projects/sel4-rust-kit"/>{projects}
            </manifest>""",
        )

    def remove(self):
        shutil.rmtree(self.folder / "upstream")

    def start(self, name, stall=0):
        """Start a fetch; what it says on standard error goes to a file, the second value."""
        said = self.folder / f"{name}.log"
        with said.open("w") as stream:
            return subprocess.Popen(
                [self.sources, "--fetch"],
                env={**os.environ, **self.environment, "STALL": str(stall)},
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                start_new_session=True,
            ), said

    def fetches(self):
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def fetch(self):
        return self.last_line(run(self.sources, "--fetch", env=self.environment))

    def path(self):
        return self.last_line(run(self.sources, "--path", env=self.environment))

    @staticmethod
    def last_line(output):
        return output.splitlines()[-1]

    def must_fail(self, action, *says):
        return must_fail(self.sources, action, says=says, env=self.environment)

    def check_whole(self):
        workspace = self.path()
        for path, revision in self.revisions.items():
            assert run("git", "-C", f"{workspace}/{path}", "rev-parse", "HEAD").strip() == revision, (
                f"{path} is not at its pin"
            )
            assert run("git", "-C", f"{workspace}/{path}", "status", "--porcelain") == "", f"{path} is not clean"
            assert os.path.isfile(f"{workspace}/{path}/.git"), f"{path}/.git is not a file"


def test_the_first_run_fetches_and_the_second_needs_no_network():
    upstream = Upstream("twice")
    upstream.must_fail("--path", "error: ", "help: run `./quickstart`")
    workspace = upstream.fetch()
    upstream.check_whole()
    upstream.remove()
    assert upstream.fetch() == workspace and upstream.path() == workspace, "the second run gives another folder"
    assert upstream.fetches() == len(PATHS), "the second run fetched again"


@pytest.mark.parametrize("sign", (signal.SIGINT, signal.SIGTERM, signal.SIGKILL), ids=lambda sign: sign.name)
def test_a_fetch_that_is_ended_leaves_nothing_usable_and_the_next_one_works(sign):
    upstream = Upstream(f"broken-{sign.name}")
    process, _ = upstream.start("broken", stall=2)
    until("the second fetch begins", lambda: upstream.fetches() == 2)
    os.kill(process.pid, sign)
    process.wait(TIME_OUT)
    # A git that outlives the killed run must not outlive the test.
    upstream.go.touch()
    process.communicate()
    assert process.returncode != 0, "the broken run reports success"
    upstream.must_fail("--path", "error: ")
    if sign != signal.SIGKILL:
        left = [path.name for path in (upstream.cache / "sel4-rust-kit" / "sources").iterdir() if path.is_dir()]
        assert not left, f"the broken run leaves {left}"
    upstream.fetch()
    upstream.check_whole()


def test_two_runs_at_once_fetch_once():
    upstream = Upstream("concurrent")
    first, _ = upstream.start("first", stall=2)
    until("the first run fetches", lambda: upstream.fetches() == 2)
    second, said = upstream.start("second")
    until("the second run waits", lambda: "another run is fetching the sources" in said.read_text())
    upstream.go.touch()
    (path, _), (other, _) = first.communicate(), second.communicate()
    assert first.returncode == 0 and second.returncode == 0, "one of them failed"
    assert path == other, "they give different folders"
    assert upstream.fetches() == len(PATHS), f"{upstream.fetches()} fetches for {len(PATHS)} projects"
    upstream.check_whole()


def test_a_damaged_folder_is_noticed_and_fetched_again():
    upstream = Upstream("damaged")
    workspace = upstream.fetch()
    shutil.rmtree(f"{workspace}/kernel")
    upstream.must_fail("--path", "error: ", workspace)
    upstream.fetch()
    upstream.check_whole()


def test_a_new_pin_gets_a_folder_of_its_own():
    upstream = Upstream("new-pin")
    old = upstream.fetch()
    write(upstream.folder / "upstream" / "kernel" / "file", "second")
    git = (
        "git",
        "-C",
        upstream.folder / "upstream" / "kernel",
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.org",
    )
    run(*git, "commit", "--quiet", "--all", "--message", "Second")
    upstream.write_manifest({**upstream.revisions, "kernel": run(*git, "rev-parse", "HEAD").strip()})
    upstream.must_fail("--path", "error: ")
    assert upstream.fetch() != old, "the old folder is reused"
    upstream.check_whole()


def test_unreachable_upstream_is_a_clear_error_of_its_own():
    upstream = Upstream("unreachable")
    upstream.remove()
    output = run(upstream.sources, "--fetch", env=upstream.environment, status=3)
    check_says(output, "error: the upstream sources cannot be fetched: `file://", "cannot be reached", "help: ")
    upstream.must_fail("--path", "error: ")


def test_a_revision_that_upstream_lacks_is_another_error():
    upstream = Upstream("lacking")
    upstream.write_manifest({**upstream.revisions, "tools/tool": "0" * 40})
    check_says(
        run(upstream.sources, "--fetch", env=upstream.environment, status=1),
        f"error: cannot fetch commit `{'0' * 40}`",
        "help: ",
    )
    upstream.must_fail("--path", "error: ")


def test_a_workspace_of_the_repo_tool_is_used_as_it_is():
    upstream = Upstream("around")
    around = upstream.folder / "workspace"
    for path in PATHS:
        (around / path).mkdir(parents=True)
    assert upstream.path() == upstream.fetch() == str(around), "another folder is given"
    assert upstream.fetches() == 0, "something was fetched"
    (around / "tools/tool").rmdir()
    for action in ("--path", "--fetch"):
        upstream.must_fail(
            action, f"the workspace `{around}` lacks `tools/tool`", f"help: run `repo sync` in `{around}`"
        )
