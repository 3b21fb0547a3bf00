# SPDX-License-Identifier: BSD-2-Clause
"""`./test` itself, in trees with planted tests: what it counts, chooses, runs side by side, and ends."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pytest
from commands.upstream import no_upstream
from support import KIT, TIME_OUT, check_says, folder, run, until, write
from support.rust import newest_with_all_targets

pytestmark = pytest.mark.quick

MODULES = {
    "good": "def test_first(): pass\ndef test_second(): pass\n",
    "skipping": "import pytest\ndef test_third(): pytest.skip('no reason')\n",
    "failing": "def test_fourth(): raise AssertionError('the finding')\ndef test_fifth(): pass\n",
    "crashing": """import os
import signal
def test_sixth(): pass
def test_seventh(): os.kill(os.getpid(), signal.SIGSEGV)
""",
    "lying": "import os\ndef test_eighth(): os._exit(3)\n",
    "empty": "",
    "upstream": "import pytest\n@pytest.mark.needs('sources')\ndef test_ninth(): pass\n",
    "quick": "import pytest\n@pytest.mark.quick\ndef test_tenth(): pass\n",
    "partly": """import pytest
pytestmark = pytest.mark.quick
def test_twelfth(): pass
@pytest.mark.quick(False)
def test_thirteenth(): pass
""",
    "long": "import pytest\n@pytest.mark.long\ndef test_eleventh(): pass\n",
    # Each waits for the other: they pass side by side, and only so.
    **{
        name: f"""import pathlib
import time
HERE = pathlib.Path(__file__).parent
def test_meets():
    (HERE / "{name}").touch()
    deadline = time.monotonic() + {TIME_OUT}
    while not (HERE / "{other}").exists():
        assert time.monotonic() < deadline, "the other module does not run"
        time.sleep(0.02)
"""
        for name, other in (("here", "there"), ("there", "here"))
    },
    "hanging": """import os
import pathlib
import subprocess
def test_hangs():
    child = subprocess.Popen(["sleep", "1000"])
    (pathlib.Path(__file__).parent / "pids").write_text(f"{os.getpid()} {child.pid}")
    child.wait()
""",
}


def plant(name: str, modules: Iterable[str]) -> Path:
    """Makes a tree with these modules in place of the tests; returns the script that `./test` starts."""
    tree = folder() / name
    shutil.rmtree(tree, ignore_errors=True)
    clean = shutil.ignore_patterns("__pycache__")
    shutil.copytree(KIT / "tools", tree / "tools", ignore=clean)
    shutil.copytree(KIT / "tests" / "support", tree / "tests" / "support", ignore=clean)
    for part in ("manifest.xml", "pyproject.toml", "tests/conftest.py", "tests/configurations.py", "tests/main.py"):
        shutil.copy(KIT / part, tree / part)
    for module in modules:
        write(tree / "tests" / "planted" / f"test_{module}.py", MODULES[module])
    return tree / "tests" / "main.py"


def drive(
    name: str, modules: Iterable[str], *arguments: str, status: int, env: Mapping[str, str | None] | None = None
) -> str:
    """Runs the planted tests; returns what is shown."""
    clean = {variable: None for variable in os.environ if variable.startswith("PYTEST_")}
    return run(sys.executable, plant(name, modules), *arguments, status=status, env={**clean, **(env or {})})


def last_line(output: str) -> str:
    return output.splitlines()[-1]


def test_counts_and_fails_when_a_test_fails() -> None:
    output = drive("all", ("good", "skipping", "failing"), status=1)
    assert last_line(output) == "3 passed, 1 failed, 1 skipped", output
    check_says(output, "disk: at most ", " GiB more in use than at the start")
    check_says(output, "the finding", "test_fourth")


@pytest.mark.parametrize(("module", "test"), [("crashing", "test_seventh"), ("lying", "test_eighth")])
def test_fails_when_a_test_ends_its_process(module: str, test: str) -> None:
    output = drive(module, (module, "good"), status=1)
    check_says(output, "crashed while running", test)
    assert " 0 failed" not in last_line(output), output


def test_passes_when_none_failed() -> None:
    assert last_line(drive("fine", ("good", "skipping"), status=0)) == "2 passed, 0 failed, 1 skipped"


def test_fails_when_no_test_ran() -> None:
    assert last_line(drive("empty", ("empty",), status=1)) == "0 passed, 1 failed, 0 skipped"


def test_runs_modules_side_by_side_and_keeps_their_results_apart() -> None:
    output = drive("together", ("here", "there", "failing"), "--jobs", "3", status=1)
    assert last_line(output) == "3 passed, 1 failed, 0 skipped", output
    check_says(output, "the finding")


def test_that_is_ended_ends_what_it_started() -> None:
    script = plant("ended", ("hanging", "good"))
    pids = script.parent / "planted" / "pids"
    process = subprocess.Popen(
        [sys.executable, script, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until("the hanging test runs", lambda: pids.exists() and len(pids.read_text().split()) == 2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIME_OUT) == 143
    for pid in pids.read_text().split():
        until(f"process {pid} ends", partial(is_gone, int(pid)))


def is_gone(pid: int) -> bool:
    """Returns whether a process has ended; its parent may not have asked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_lists_and_chooses_tests() -> None:
    check_says(
        drive("list", ("good", "failing"), "--collect-only", "--quiet", status=0),
        "test_failing.py::test_fourth",
        "test_good.py::test_first",
    )
    assert (
        last_line(drive("folder", ("good", "failing"), "tests/planted/test_good.py", status=0))
        == "2 passed, 0 failed, 0 skipped"
    )
    assert last_line(drive("text", ("good", "failing"), "-k", "fifth", status=0)) == "1 passed, 0 failed, 0 skipped"
    check_says(drive("none", ("good",), "tests/nothing", status=1), "tests/nothing")


def test_tiers_choose_tests() -> None:
    modules = ("good", "quick", "partly", "long")
    assert last_line(drive("quick", modules, "--quick", status=0)) == "2 passed, 0 failed, 0 skipped"
    assert last_line(drive("default", modules, status=0)) == "5 passed, 0 failed, 0 skipped"
    output = drive("every", modules, "--all", env={"RUSTUP_TOOLCHAIN": None}, status=0)
    assert last_line(output) == "6 passed, 0 failed, 0 skipped"
    if newest := newest_with_all_targets():
        check_says(output, f"tests run with the Rust toolchain {newest}")


def test_skips_tests_that_need_upstream_when_it_cannot_be_reached() -> None:
    output = drive("unreachable", ("upstream",), "-rs", status=0, env=no_upstream("unreachable"))
    assert last_line(output) == "0 passed, 0 failed, 1 skipped", output
    check_says(output, "cannot be reached")
