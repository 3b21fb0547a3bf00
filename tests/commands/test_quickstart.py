# SPDX-License-Identifier: BSD-2-Clause
"""Quickstart in a fresh clone builds and boots, once, and is honest about the outcome."""

import pytest
from support import KIT, Failure, check_says, folder, run, skip

pytestmark = pytest.mark.needs("sources", "rust", "aarch64")


@pytest.fixture(scope="module")
def clone():
    """A fresh clone; the tests of this module go on with it, one after the other."""
    path = folder() / "clone"
    try:
        run("git", "clone", "--quiet", KIT, path)
    except Failure:
        skip(f"{KIT} is not a git repository")
    return path


@pytest.fixture
def ran(clone):
    """The clone after a first run, which a test that is chosen alone does by itself."""
    if not list(clone.glob("build*")):
        quickstart(clone)
    return clone


def quickstart(clone, *arguments, **options):
    return run(clone / "quickstart", *arguments, cwd=clone, **options)


def test_L1_one_command_takes_a_fresh_clone_to_the_console(clone):
    check_says(
        quickstart(clone),
        "[1/6]",
        "[6/6]",
        "Rust Routine: 10 + 20 = 30",
        "quickstart: `hello` ran on zynqmp (aarch64) and printed its expected output",
    )


def test_the_source_tree_stays_clean(ran):
    assert run("git", "-C", ran, "status", "--porcelain") == "", "git status shows changes"


def test_a_second_run_does_nothing_twice(ran):
    output = quickstart(ran)
    check_says(output, "configured already", "printed its expected output")
    for work in ("fetching", "installing", "adding Rust targets", "Compiling", "Building C", "Linking"):
        assert work not in output, f"it did work again: `{work}`:\n{output}"


def test_a_crash_instead_of_the_expected_output_fails_at_once(ran):
    source = ran / "apps" / "hello" / "src" / "main.c"
    source.write_text(source.read_text().replace("{", "{ *(volatile int *)16 = 0;", 1))
    output = quickstart(ran, status=1)
    check_says(
        output, "error: crashed: `", "`Rust Routine: 10 + 20 = 30` (line 2 of 4 expected) did not come", "help: "
    )
    assert "printed its expected output" not in output, output
