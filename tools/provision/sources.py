#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bring the upstream sources that manifest.xml names, and say where they lie.

  tools/provision/sources.py --path    print the workspace folder; no network
  tools/provision/sources.py --fetch   fetch the sources first if they are not there

A workspace is a folder with kernel/, tools/ and projects/ at the paths that the
manifest gives. It is the one that holds the kit, if `repo sync` made one, else
a folder in the user's cache, named by the pins and shared by all clones. With
--manifest, the pins are those of another project's manifest, or of the kit's
own for CAmkES, camkes.xml.

Exit status: 0 the path is on standard output, 1 failed, 3 upstream cannot be reached.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(KIT / "tools"))
import cache
import manifest

REACH_SECONDS = 30


class Failed(Exception):
    status = 1

    def __init__(self, what, next_step):
        super().__init__(f"error: {what}\nhelp: {next_step}")


class Unreachable(Failed):
    status = 3


def repo_workspace(project):
    """The workspace of the `repo` tool around the project in this folder, if there is one."""
    root = project.parent.parent
    return root if project.parent.name == "projects" and (root / "kernel").is_dir() else None


def cached_workspace(projects):
    pins = "".join(f"{p.path} {p.url} {p.revision}\n" for p in projects)
    return cache.folder() / "sources" / hashlib.sha256(pins.encode()).hexdigest()[:16]


def git_folder(workspace, project):
    return workspace / ".git-folders" / project.path


def is_whole(workspace, project):
    """Whether the cached project is checked out at its pin. Reads one small file, so it may run at every build."""
    head = git_folder(workspace, project) / "HEAD"
    return (
        (workspace / project.path / ".git").is_file()
        and head.is_file()
        and head.read_text().strip() == project.revision
    )


def git(*arguments, **options):
    # A git hook that runs us hands its own repository down in these; a prompt for a password would wait forever.
    local = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
    environment = {name: value for name, value in os.environ.items() if name not in local}
    environment["GIT_TERMINAL_PROMPT"] = "0"
    try:
        return subprocess.run(
            ["git", *map(str, arguments)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **options,
        )
    except FileNotFoundError:
        raise Failed("`git` is not installed", "install git, or run `./quickstart`, which does it") from None


def check_reachable(project):
    """Tell a machine without network from every other failure, in bounded time."""
    reason = f"no answer within {REACH_SECONDS} s"
    with contextlib.suppress(subprocess.TimeoutExpired):
        reply = git("ls-remote", project.url, "HEAD", stderr=subprocess.PIPE, text=True, timeout=REACH_SECONDS)
        if reply.returncode == 0:
            return
        reason = reply.stderr.strip().splitlines()[-1] if reply.stderr.strip() else f"git exit {reply.returncode}"
    raise Unreachable(
        f"the upstream sources cannot be fetched: `{project.url}` cannot be reached ({reason})",
        "check the network and proxy settings and run again; once fetched, no network is needed",
    )


def fetch_project(workspace, project):
    work, folder = workspace / project.path, git_folder(workspace, project)
    work.mkdir(parents=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    steps = (
        ("init", "--quiet", "--template=", "--separate-git-dir", folder, work),
        (
            "-C",
            work,
            "-c",
            "http.lowSpeedLimit=1000",
            "-c",
            "http.lowSpeedTime=60",
            "fetch",
            "--quiet",
            "--depth=1",
            project.url,
            project.revision,
        ),
        ("-C", work, "checkout", "--quiet", "--detach", project.revision),
    )
    for step in steps:
        if git(*step).returncode != 0:
            check_reachable(project)
            raise Failed(
                f"cannot fetch commit `{project.revision}` of `{project.url}`",
                "git's own message above says why; check manifest.xml and the free disk space",
            )
    # Relative, so that the rename to the final folder keeps it true. A file and not a folder, because musllibc's build
    # copies its source and removes `.git` with `rm -f`.
    (work / ".git").write_text(f"gitdir: {os.path.relpath(folder, work)}\n")


@contextlib.contextmanager
def locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another run is fetching the sources; waiting for it ({path})", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fetch(workspace, projects):
    """All or nothing: into a folder beside, renamed when whole."""
    with locked(workspace.with_suffix(".lock")):
        if all(is_whole(workspace, project) for project in projects):
            return
        part = workspace.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(workspace, ignore_errors=True)
        try:
            check_reachable(projects[0])
            for number, project in enumerate(projects, 1):
                print(
                    f"fetching [{number}/{len(projects)}] {project.path}  {project.url} {project.revision[:12]}",
                    file=sys.stderr,
                    flush=True,
                )
                fetch_project(part, project)
            part.rename(workspace)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def find(pins, may_fetch):
    projects = manifest.read(pins)
    around = repo_workspace(pins.resolve().parent)
    if around:
        missing = [project.path for project in projects if not (around / project.path).is_dir()]
        if missing:
            raise Failed(
                f"the workspace `{around}` lacks {', '.join(f'`{path}`' for path in missing)}",
                f"run `repo sync` in `{around}`",
            )
        return around
    workspace = cached_workspace(projects)
    if may_fetch:
        fetch(workspace, projects)
    missing = [project.path for project in projects if not is_whole(workspace, project)]
    if missing:
        raise Failed(
            f"the upstream sources that manifest.xml names are not at `{workspace}`",
            "run `./quickstart`, or `tools/provision/sources.py --fetch`; in a `repo` workspace, `repo sync`",
        )
    return workspace


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--path", action="store_true", help="print where the sources are, without network")
    action.add_argument("--fetch", action="store_true", help="fetch them if they are not there, then print the path")
    parser.add_argument(
        "--manifest",
        type=Path,
        default=KIT / "manifest.xml",
        metavar="FILE",
        help="manifest of the project that the sources are for (default: the kit's)",
    )
    arguments = parser.parse_args()
    # A terminated run cleans up like an interrupted one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        print(find(arguments.manifest, may_fetch=arguments.fetch))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
