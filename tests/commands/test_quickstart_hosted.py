# SPDX-License-Identifier: BSD-2-Clause
"""A machine that cannot reach upstream gets the hosted platform from one command."""

import os
from pathlib import Path

import pytest
from support import KIT, Failure, check_says, folder, run, skip, write

pytestmark = pytest.mark.needs("rust", "hosted")


def test_quickstart_takes_a_fresh_clone_to_the_console_without_sources():
    """Where the sources cannot be reached it says so, and takes the hosted platform by itself."""
    clone, cache = folder() / "clone", folder() / "cache" / "sel4-rust-kit"
    try:
        run("git", "clone", "--quiet", KIT, clone)
    except Failure:
        skip(f"{KIT} is not a git repository")
    cache.mkdir(parents=True)
    # The host tool of this user serves; building it anew would show nothing here.
    users = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sel4-rust-kit"
    (cache / "tool").symlink_to(users / "tool")
    nowhere = write(
        folder() / "nowhere.gitconfig", '[url "https://nowhere.invalid/"]\n\tinsteadOf = https://github.com/\n'
    )
    env = {"XDG_CACHE_HOME": cache.parent, "GIT_CONFIG_GLOBAL": nowhere, "GIT_CONFIG_SYSTEM": nowhere}
    first = run(clone / "quickstart", cwd=clone, env=env)
    check_says(
        first,
        "No sources of seL4, so `hello` runs on the hosted platform",
        "[6/6] run",
        "quickstart: `hello` ran on hosted (x86_64) and printed its expected output",
    )
    assert run("git", "-C", clone, "status", "--porcelain") == "", "git status shows changes"
    again = run(clone / "quickstart", "hosted", cwd=clone, env=env)
    check_says(again, "configured already")
    for work in ("fetching", "installing", "Compiling", "Building C", "Linking"):
        assert work not in again, f"it did work again: `{work}`:\n{again}"
    tour = run(clone / "quickstart", "hosted", "--app", "std-tour", cwd=clone, env=env)
    check_says(tour, "The tour is over", "quickstart: `std-tour` ran on hosted")
