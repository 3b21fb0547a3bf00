# SPDX-License-Identifier: BSD-2-Clause
"""Formats of C and CMake, and the book."""

import os
import sys
from pathlib import Path

import pytest
from support import KIT, folder, run
from support.rust import ENVIRONMENT
from tree.files import tracked

pytestmark = pytest.mark.quick

# Programs of the packages in tests/requirements.txt.
PROGRAMS = Path(sys.executable).parent


def test_clang_format_has_nothing_to_change() -> None:
    files = [path for path in tracked() if path.suffix in (".c", ".cpp", ".h")]
    program = "from clang_format import clang_format; clang_format()"
    run(sys.executable, "-c", program, "--dry-run", "--Werror", *files, cwd=KIT)


def test_gersemi_has_nothing_to_change() -> None:
    files = [path for path in tracked() if path.suffix == ".cmake" or path.name == "CMakeLists.txt"]
    run(sys.executable, "-m", "gersemi", "--check", "--quiet", *files, cwd=KIT)


@pytest.mark.needs("rust")
def test_the_book_builds_without_warnings_and_dead_links() -> None:
    path = os.pathsep.join([str(PROGRAMS), os.environ["PATH"]])
    output = run(KIT / "docs" / "build", folder(), env={**ENVIRONMENT, "PATH": path})
    assert f"{folder()}/book/index.html" in output, output
