# SPDX-License-Identifier: BSD-2-Clause
"""What `quickstart new` and `quickstart add` share: errors, and the kit's address and commit."""

import re
import subprocess
import sys
from pathlib import Path

KIT = Path(__file__).resolve().parents[2]


class Failed(Exception):
    """Error with its next step."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(f"error: {what}\nhelp: {next_step}")


def git(*arguments: str) -> str:
    """Returns what git says about this clone, or nothing if it fails."""
    try:
        asked = subprocess.run(["git", "-C", KIT, *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def address(given: str | None, command: str) -> str:
    """Returns the address of the kit's repository: the one that is given, else the one that this clone came from."""
    url = given or git("remote", "get-url", "origin")
    if not url:
        raise Failed(
            "this copy of the kit does not know its address, which the project's manifest must name",
            f"give it: ./quickstart {command} DIR --kit https://…/sel4-rust-kit",
        )
    # The short form of ssh.
    short = re.fullmatch(r"(?:(\w+)@)?([\w.-]+):(?!//)([^/].*)", url)
    if short:
        user = f"{short[1]}@" if short[1] else ""
        url = f"ssh://{user}{short[2]}/{short[3]}"
    elif "://" not in url:
        # Git takes a relative one from where the clone is.
        url = f"file://{(KIT / url).resolve()}"
    url = url.rstrip("/")
    if re.search(r"[\s\"'<>&$`\\]", url) or not re.fullmatch(r"\w+://.*[^/]/[^/]+", url):
        raise Failed(
            f"`{url}` is not the address of a git repository", "give one such as --kit https://…/sel4-rust-kit"
        )
    if url.startswith("file://"):
        print(
            f"note: the manifest names the kit by a folder of this machine, `{url}`; --kit names another",
            file=sys.stderr,
        )
    return url


def revision() -> str:
    """Returns the commit of this clone, or the tag of the release if there is no git."""
    head = git("rev-parse", "HEAD") if git("rev-parse", "--show-toplevel") == str(KIT) else ""
    if head and git("status", "--porcelain"):
        print(f"note: the manifest names the kit's commit {head[:12]}, without this clone's changes", file=sys.stderr)
    return head or f"refs/tags/v{(KIT / 'VERSION').read_text().strip()}"
