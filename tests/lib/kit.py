# SPDX-License-Identifier: BSD-2-Clause
"""What tests written in Python share: cases, commands, build folders, boots.

    from kit import Build, case, check, main

    @case
    def D1_hello_prints_its_four_lines():
        build = Build("hello")
        build.configure("-DPLATFORM=zynqmp", "-DAPP=hello")
        build.ninja()
        build.boot("apps/hello/expected.txt")

    main()
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent.parent
# A fresh folder for each run of a group; a test writes nowhere else.
FOLDER = Path(os.environ.get("TEST_FOLDER") or KIT / "build-test" / Path(sys.argv[0]).resolve().parent.name)

sys.path[:0] = [str(KIT / "tools"), str(KIT / "tools" / "run")]
import console

_cases = []


class Failure(Exception):
    """A test's finding: told without a traceback of the library."""


class Skip(Exception):
    """Raised with the reason why a test cannot run here."""


def case(function, *arguments, name=None):
    """Register a test. As a decorator, or called with arguments for a row of a table."""
    words = [function.__name__.replace("_", " "), *map(str, arguments)]
    _cases.append((name or " ".join(words), function, arguments))
    return function


def main():
    """Run the cases in the order of registration; words on the command line choose by name."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell's background job ignores SIGINT, and so would all that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    FOLDER.mkdir(parents=True, exist_ok=True)
    failed = False
    for name, function, arguments in _cases:
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        _tell(f"run {name}")
        try:
            function(*arguments)
        except Skip as reason:
            _tell(f"skip {name} # {reason}")
        except Failure as failure:
            failed = True
            place = traceback.extract_tb(failure.__traceback__)
            here = [frame for frame in place if frame.filename != __file__] or place
            _tell(f"  line {here[-1].lineno}: {here[-1].line}\n{_indented(failure)}\nnot ok {name}")
        except Exception:
            failed = True
            _tell(f"{_indented(traceback.format_exc())}\nnot ok {name}")
        else:
            _tell(f"ok {name}")
    sys.exit(1 if failed else 0)


def _tell(text):
    print(text, flush=True)


def _indented(text):
    return "\n".join(f"  {line}" for line in str(text).splitlines())


def check(condition, finding):
    """Fail the test with what was found unless the condition holds."""
    if not condition:
        raise Failure(finding)


def text_of(command):
    return shlex.join(map(str, command))


def run(*command, cwd=FOLDER, env=None, status=0, timeout=3600):
    """Run a command; returns standard output and error as one text. `env` is added to the environment, None unsets.

    Fails the test if the exit status is not `status`; `status=None` takes any but 0.
    """
    environment = {name: value for name, value in {**os.environ, **(env or {})}.items() if value is not None}
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
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
        raise Failure(f"`{text_of(command)}` in `{cwd}` ended with status {process.returncode} instead of "
                      f"{expected}:\n{output}")
    return output


def check_says(output, *fragments):
    """Fail unless each fragment is in the output, its line breaks aside."""
    flat = re.sub(r"\s+", " ", output)
    for fragment in fragments:
        check(re.sub(r"\s+", " ", fragment) in flat, f"the output does not say `{fragment}`:\n{output}")


def must_fail(*command, says, **options):
    """Run a command that must fail and say the fragments `says`; returns its output."""
    output = run(*command, status=None, **options)
    check_says(output, *says)
    return output


def workspace():
    """The folder of the upstream sources."""
    return Path(run(KIT / "tools" / "provision" / "sources.py", "--path", cwd=KIT).strip())


def write(path, text):
    """Write a file of a test and the folders above it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class Build:
    """A build folder below FOLDER, configured by the kit's init-build.sh or by another's."""

    def __init__(self, name, init_build=KIT / "init-build.sh"):
        self.path = FOLDER / name
        self.init_build = init_build
        self.path.mkdir(parents=True, exist_ok=True)

    def configure(self, *arguments, **options):
        return run(self.init_build, *arguments, cwd=self.path, **options)

    def configure_fails(self, *arguments, says, **options):
        return must_fail(self.init_build, *arguments, says=says, cwd=self.path, **options)

    def ninja(self, *arguments, **options):
        return run("ninja", *arguments, cwd=self.path, **options)

    def ninja_fails(self, *arguments, says, **options):
        return must_fail("ninja", *arguments, says=says, cwd=self.path, **options)

    def boot(self, expected, command=("./simulate",), **options):
        """Boot; returns the console.Outcome. `expected` is a file (from the kit's root) or a list of its lines.

        Options are those of console.run(), such as linger=1 or forbidden=().
        """
        if isinstance(expected, (str, Path)):
            expected = console.read_expected(KIT / expected)
        else:
            expected = console.expectations(expected)
        outcome = console.run(command, expected, self.path, **options)
        check(outcome.passed, "\n".join([outcome.reason, "the console:", *outcome.lines]))
        return outcome


class Stopwatch:
    """`with Stopwatch() as watch: ...`, then watch.seconds."""

    def __enter__(self):
        self.seconds, self._start = 0.0, time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._start
