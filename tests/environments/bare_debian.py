#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run the README's two commands in a bare installation of a Debian release.

    tests/environments/bare_debian.py RELEASE [--folder DIR] [-- ARGUMENT...]

Makes the release with debootstrap (`bookworm`, `trixie`, …) from the archive that apt uses on this machine, clones the
kit into it and runs `./quickstart ARGUMENT...` twice: the second run must install nothing. Only Rust comes from this
machine, which rustup would bring: its folders are mounted read-only. Needs root. The folder is removed at the end,
unless --folder names one: then it is kept.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

KIT = Path(__file__).resolve().parents[2]
# Settings of this machine that decide how package clients reach their registries.
NETWORK = ("CERT", "CA_BUNDLE", "CAINFO", "PROXY", "PIP_", "SSL_")
HOME = "/root"
CLONE = "root/sel4-rust-kit"
BARE = ("--variant=minbase", "--include=git,ca-certificates")


def stop(what: str, next_step: str) -> NoReturn:
    """End with an error message in the kit's form."""
    sys.exit(f"error: {what}\nhelp: {next_step}")


def output(*command: str | Path) -> str:
    """Return the standard output of a command that must succeed."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def archive() -> str:
    """Return the address of the Debian archive that apt uses."""
    found = output("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    for line in found.splitlines():
        label, _, address = line.partition(" ")
        if label == "Debian":
            return address
    return stop("apt knows no Debian archive", "run this on Debian, or add one to apt's sources")


def file_mirrors() -> list[Path]:
    """Return the local folders that git's configuration serves in place of public addresses."""
    listing = subprocess.run(
        ["git", "config", "--global", "--get-regexp", r"^url\.file://"], stdout=subprocess.PIPE, text=True
    )
    return sorted(
        {Path(line.split(".insteadof ")[0].removeprefix("url.file://")) for line in listing.stdout.splitlines()}
    )


# Arguments: the root, the folders to show in it read-only, `--`, and a command.
IN_ROOT = """
set -e
root=$1
shift
mount -t proc proc "$root/proc"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro "$root$1"
    shift
done
shift
exec chroot "$root" "$@"
"""


def isolated(*command: str | Path) -> list[str | Path]:
    """Return `command` in mount and process namespaces of its own, which end together with all that it starts.

    Its mounts are visible nowhere else, so that removing the root later removes nothing of this machine.
    """
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", *command]


def in_root(root: Path, folders: list[Path], *command: str | Path) -> list[str | Path]:
    """Return `command` in `root`, where `folders` of this machine are at their own paths, read-only.

    The root has device nodes of its own, which debootstrap makes.
    """
    return isolated("sh", "-c", IN_ROOT, "sh", root, *folders, "--", *command)


def prepare(root: Path, cargo: Path) -> None:
    """Copy into `root` the settings of this machine's network, cargo and git, and clone the kit."""
    for name in ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        if (Path("/") / name).exists():
            shutil.copy(Path("/") / name, root / name)
    for file in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(file, root / "etc/apt/apt.conf.d")
    (root / "root/.cargo").mkdir()
    shutil.copytree(cargo / "bin", root / "root/.cargo/bin", symlinks=True)
    for name in ("config.toml", "config"):
        if (cargo / name).exists():
            shutil.copy(cargo / name, root / "root/.cargo")
    gitconfig = Path.home() / ".gitconfig"
    if gitconfig.exists():
        shutil.copy(gitconfig, root / "root")
    subprocess.run(["git", "clone", "--quiet", KIT, root / CLONE], check=True)


def quickstart(root: Path, rustup: Path, mirrors: list[Path], arguments: list[str]) -> str:
    """Run quickstart in `root`, which must succeed; show and return its output."""
    kept = {name: value for name, value in os.environ.items() if any(part in name.upper() for part in NETWORK)}
    environment = {
        **kept,
        "HOME": HOME,
        "PATH": f"{HOME}/.cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "RUSTUP_HOME": str(rustup),
    }
    words = [f"{name}={value}" for name, value in environment.items() if "PIP_FIND_LINKS" not in name]
    shell = ("sh", "-c", 'cd "$0" && exec ./quickstart "$@"', f"/{CLONE}")
    command = in_root(root, [rustup, *mirrors], "env", "-i", *words, *shell, *arguments)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    shown = []
    for line in process.stdout:
        print(line, end="", flush=True)
        shown.append(line)
    if process.wait() != 0:
        stop(f"`./quickstart` ended with status {process.returncode} in `{root}`", "its own message is above")
    return "".join(shown)


def main() -> int:
    """Parse the command line, make the release and run quickstart in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", help="a release of Debian, such as bookworm")
    parser.add_argument("--folder", type=Path, help="make the installation there and keep it")
    parser.add_argument("rest", nargs="*", metavar="ARGUMENT", help="behind `--`: arguments of quickstart")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        stop("debootstrap and chroot need root", "run this as root")
    if not shutil.which("debootstrap"):
        stop("`debootstrap` is not on PATH", "apt-get install debootstrap")
    rustup = Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup"))
    cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    if not (rustup / "toolchains").is_dir():
        stop(f"`{rustup}` has no toolchains of rustup", "install Rust with rustup, or set RUSTUP_HOME")
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="bare-debian-"))
    root = folder / "root"
    if root.exists():
        stop(f"`{root}` exists already", "remove it, or name another folder")
    try:
        print(f"installing Debian {arguments.release} into {root}", file=sys.stderr, flush=True)
        subprocess.run(
            isolated("debootstrap", *BARE, arguments.release, root, archive()),
            stdout=sys.stderr,
            check=True,
        )
        prepare(root, cargo)
        mirrors = file_mirrors()
        quickstart(root, rustup, mirrors, arguments.rest)
        if "installing through apt" in quickstart(root, rustup, mirrors, arguments.rest):
            stop(
                "the second run installs packages",
                "a probe in tools/provision/packages does not see what the first installed",
            )
        return 0
    except subprocess.CalledProcessError as error:
        stop(f"`{error.cmd[0]}` ended with status {error.returncode}", "its own message is above")
    finally:
        if not arguments.folder:
            subprocess.run(["rm", "-rf", "--one-file-system", folder])


if __name__ == "__main__":
    sys.exit(main())
