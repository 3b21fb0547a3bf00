# SPDX-License-Identifier: BSD-2-Clause
"""Python of the tree: it compiles, and passes ruff and the type checker."""

import sys
from pathlib import Path

import pytest
from support import KIT, folder, run
from tree.files import name, tracked, with_interpreter

pytestmark = pytest.mark.quick


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def test_Python_files_compile() -> None:
    for path in python_files():
        compile(path.read_text(), path, "exec")


def test_Python_scripts_are_named_so() -> None:
    others = [str(name(path)) for path in with_interpreter("python3") if path.suffix != ".py"]
    assert not others, f"Python without the ending `.py`: {others}"


def test_ruff_finds_nothing() -> None:
    run(sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet", *python_files(), cwd=KIT)


def test_ruff_has_nothing_to_format_in_the_tests() -> None:
    run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", "--quiet", "tests", cwd=KIT)


def test_the_types_of_tests_and_tools_fit() -> None:
    run(sys.executable, "-m", "mypy", "--cache-dir", folder() / "mypy", "tests", "tools", cwd=KIT)
