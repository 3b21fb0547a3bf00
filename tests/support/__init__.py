# SPDX-License-Identifier: BSD-2-Clause
"""Library of the tests: commands and what they must say, build folders, boots.

from support import KIT, check, folder, must_fail, run, write
from support.builds import Build, Shared

@pytest.mark.parametrize("configuration", ["zynqmp", "x86_64"])
def test_D1_hello_prints_its_four_lines(build: Shared) -> None:
    build.app("hello").boot("apps/hello/expected.txt")
"""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

KIT = Path(__file__).resolve().parents[2]
# All that a run of the tests writes.
BUILD_TEST = KIT / "build-test"
# Seconds after which a test gives up. No verdict depends on it: a busy machine may take long.
TIME_OUT = 300
_folder: Path | None = None


class Failure(AssertionError):
    """Finding of a test. pytest shows its text and not this library's frames."""


def set_folder(path: Path | None) -> None:
    """Set the folder of the running test; conftest.py does."""
    global _folder
    _folder = path


def folder() -> Path:
    """Returns the folder of the running test, shared by the tests of its module that one worker runs in a row.

    It is empty when the first of them starts, and removed after the last one unless one failed.
    """
    assert _folder, "no test is running: call folder() in a test or a fixture"
    _folder.mkdir(parents=True, exist_ok=True)
    return _folder


def fail(finding: str) -> NoReturn:
    """Fails the test with this finding."""
    __tracebackhide__ = True
    raise Failure(finding)


def check(condition: object, finding: str) -> None:
    """Fails the test with the finding unless the condition holds."""
    __tracebackhide__ = True
    if not condition:
        raise Failure(finding)


def skip(reason: str) -> NoReturn:
    """Skips the running test."""
    __tracebackhide__ = True
    # Scripts that use this library run without pytest.
    import pytest

    pytest.skip(reason)


def text_of(command: Sequence[object]) -> str:
    """Returns a command as a shell would take it."""
    return shlex.join(map(str, command))


def run(
    *command: object,
    cwd: Path | None = None,
    env: Mapping[str, object] | None = None,
    status: int | None = 0,
    timeout: float = 3600,
) -> str:
    """Runs a command; returns its standard output and error as one text.

    `cwd` is the test's folder by default. `env` is added to the environment; None unsets a variable. Fails the test if the
    exit status is not `status`; `status=None` takes any but 0.
    """
    __tracebackhide__ = True
    environment = {**os.environ, **(env or {})}
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd or folder(),
        env={name: str(value) for name, value in environment.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise Failure(f"`{text_of(command)}` took longer than {timeout} s:\n{output}") from None
    finally:
        process.kill()
    if (process.returncode == 0) if status is None else (process.returncode != status):
        expected = "a failure" if status is None else f"status {status}"
        raise Failure(
            f"`{text_of(command)}` in `{cwd or folder()}` ended with status {process.returncode} instead of {expected}:\n{output}"
        )
    return output


def check_says(output: str, *fragments: str) -> None:
    """Fails unless each fragment is in the output, line breaks aside."""
    __tracebackhide__ = True
    flat = re.sub(r"\s+", " ", output)
    for fragment in fragments:
        check(re.sub(r"\s+", " ", fragment) in flat, f"the output does not say `{fragment}`:\n{output}")


def must_fail(*command: object, says: Sequence[str], **options: Any) -> str:
    """Runs a command that must fail and say the fragments `says`; returns its output."""
    __tracebackhide__ = True
    output = run(*command, status=None, **options)
    check_says(output, *says)
    return output


def workspace() -> Path:
    """Returns the folder of the upstream sources."""
    return Path(run(KIT / "tools" / "provision" / "sources.py", "--path", cwd=KIT).strip())


def write(path: Path | str, text: str) -> Path:
    """Writes a file of a test, and makes the folders above it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class Stopwatch:
    """`with Stopwatch() as watch: ...`, then watch.seconds."""

    def __enter__(self) -> "Stopwatch":
        self.seconds, self._start = 0.0, time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._start


def until(what: str, condition: Callable[[], object]) -> None:
    """Waits until the condition holds; fails with the name of what did not happen."""
    __tracebackhide__ = True
    deadline = time.monotonic() + TIME_OUT
    while not condition():
        check(time.monotonic() < deadline, f"this did not happen within {TIME_OUT} s: {what}")
        time.sleep(0.02)
