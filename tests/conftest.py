# SPDX-License-Identifier: BSD-2-Clause
"""How pytest runs the tests: what they need, which worker runs which, what is left behind, and what is counted.

tests/README.md says what a test's author must know of this.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "tools"), str(TESTS.parent / "tools" / "run")]
sys.dont_write_bytecode = True

import support
from configurations import CONFIGURATIONS, MOST_SHARED_BUILDS
from support import BUILD_TEST, KIT, builds

NEEDS = ("sources", "camkes", "kernel", "hosted", "rust", "protobuf", "shellcheck", "lld", "ccache",
         "aarch64", "aarch64-linux", "aarch32", "riscv64", "x86_64", "ia32")  # fmt: skip
ARCHITECTURES = ("aarch64", "aarch64-linux", "aarch32", "riscv64", "x86_64", "ia32")
MARKERS = (
    "on(configuration): the test uses the shared build of this configuration of tests/configurations.py",
    f"needs(NEED...): what must be installed: {' '.join(NEEDS)}",
    "quick: boots no kernel and needs no upstream sources: `./test --quick` runs it; quick(False) leaves a row of such a "
    "module out",
    "long: only `./test --all` runs it",
    "group(name): one worker runs all tests of a group, in a row; the default is the module",
    "weight(seconds): estimated seconds of a group; the longest start first",
)
PROVISIONED = BUILD_TEST / "provisioned.json"
# Name of the plugin that follows a run.
PROGRESS = "progress-of-the-kit"
RESULTS = BUILD_TEST / "results.json"
UNREACHABLE = 3
# Property of a test's report: what the processes that it started took, in processor seconds.
PROCESSOR_SECONDS = "processor_seconds"
# Tests that the end of a run names as those that took the most processor time.
MOST_EXPENSIVE = 10
# Lines of a failure that are shown when the test ends; pytest shows all of them at the end of the run.
SHOWN_LINES = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sel4-rust-kit")
    group.addoption("--quick", action="store_true", help="only the tests that boot nothing")
    group.addoption("--all", action="store_true", dest="long", help="the tests marked `long`, too")
    group.addoption("--on", action="append", metavar="CONFIGURATION", help="only tests on it; may be given again")
    group.addoption("--provision", action="store_true", help="install what the selected tests need, and run none")


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    # A shell's background job ignores SIGINT, and so would all that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A test that is ended ends what it started; SystemExit would count as its failure, and the next test begin.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.update(_environment())
    if config.option.provision:
        PROVISIONED.unlink(missing_ok=True)


def _environment() -> dict[str, str]:
    """Returns what the set-up put on PATH for this user, and how ccache and cargo work for builds that few others follow.

    ccache shares what differs in its folder alone.
    """
    script = 'kit=$0; . "$kit/tools/environment.sh"; printf %s "$PATH"'
    path = subprocess.run(["sh", "-c", script, KIT], check=True, stdout=subprocess.PIPE, text=True)
    return {
        "PATH": path.stdout,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(sys.path[:3]),
        "CCACHE_BASEDIR": str(BUILD_TEST),
        "CCACHE_NOHASHDIR": "1",
        # What cargo would keep for a third build costs the first two more than a test gains.
        "CARGO_INCREMENTAL": "0",
    }


# What a test needs, and where it runs.


def configuration_of(item: pytest.Item) -> str | None:
    """Returns the name of the configuration whose shared build a test uses."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    mark = item.get_closest_marker("on")
    name = parameters.get("configuration") or (mark.args[0] if mark else None)
    if name and name not in CONFIGURATIONS:
        raise pytest.UsageError(f"`{item.nodeid}` is on `{name}`, which tests/configurations.py does not have")
    return name


def needs_of(item: pytest.Item) -> set[str]:
    """Returns all that must be installed for a test."""
    needs = {need for mark in item.iter_markers("needs") for need in mark.args}
    if unknown := needs - set(NEEDS):
        raise pytest.UsageError(f"`{item.nodeid}` needs `{' '.join(sorted(unknown))}`: name some of {' '.join(NEEDS)}")
    if name := configuration_of(item):
        needs.update(CONFIGURATIONS[name].needs)
    if "camkes" in needs:
        needs.add("sources")
    # A test with the sources at hand builds a kernel.
    return needs | {"kernel", "ccache"} if "sources" in needs else needs


def group_of(item: pytest.Item) -> str:
    """Returns the name of the tests that one worker runs in a row."""
    if name := configuration_of(item):
        return name
    mark = item.get_closest_marker("group")
    name = f".{mark.args[0]}" if mark else ""
    return f"{item.path.relative_to(TESTS).with_suffix('')}{name}"


def weight_of(item: pytest.Item) -> int:
    """Returns the estimated seconds of a test's group."""
    if name := configuration_of(item):
        return CONFIGURATIONS[name].weight
    mark = item.get_closest_marker("weight")
    return int(mark.args[0]) if mark else 60


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        name = configuration_of(item)
        mark = item.get_closest_marker("quick")
        quick = mark and mark.args in ((), (True,))
        if name and CONFIGURATIONS[name].long:
            item.add_marker(pytest.mark.long)
        long = item.get_closest_marker("long")
        left_out = config.option.quick and (not quick or long) or long and not config.option.long
        left_out = left_out or config.option.on and name not in config.option.on
        (others if left_out else chosen).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
    weights: dict[str, int] = {}
    for item in chosen:
        group = group_of(item)
        weights[group] = max(weights.get(group, 0), weight_of(item))
        item.add_marker(pytest.mark.xdist_group(group.replace("@", "-")))
        # Sources that no network brings are the one reason; any other failure of the set-up ends the run.
        if reason := _missing(needs_of(item)):
            item.add_marker(pytest.mark.skip(reason=reason))
    # Within a group the order of the files stays.
    chosen.sort(key=lambda item: (-weights[group_of(item)], group_of(item)))
    items[:] = chosen


def _missing(needs: set[str]) -> str:
    """Returns why these needs cannot be met, or nothing."""
    found = json.loads(PROVISIONED.read_text())["missing"] if PROVISIONED.exists() else {}
    return next((reason for need, reason in found.items() if need in needs), "")


def pytest_collection_finish(session: pytest.Session) -> None:
    if _is_worker(session.config) and session.items and "@" not in session.items[0].nodeid:
        raise pytest.UsageError(
            "this pytest-xdist does not group the tests: see tests/requirements.txt, and `--dist loadgroup`"
        )
    if session.config.option.provision:
        needs = set().union(*(needs_of(item) for item in session.items)) if session.items else set()
        missing = provision(needs)
        groups = len({group_of(item) for item in session.items})
        PROVISIONED.write_text(json.dumps({"groups": groups, "tests": len(session.items), "missing": missing}))


def set_up(script: str, *arguments: str) -> tuple[int, list[str]]:
    """Runs a script of tools/provision, its progress shown; returns its exit status and the lines that it said."""
    process = subprocess.Popen(
        [KIT / "tools" / "provision" / script, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert process.stderr
    said = []
    for line in process.stderr:
        print(line, end="", file=sys.stderr, flush=True)
        said.append(line.rstrip())
    return process.wait(), said


def provision(needs: set[str]) -> dict[str, str]:
    """Installs what the tests need. Returns what cannot be had because upstream cannot be reached, each with the reason."""
    BUILD_TEST.mkdir(exist_ok=True)
    missing = {}
    if "sources" in needs:
        status, said = set_up("sources.py", "--fetch")
        reason = next(
            (line.removeprefix("error: ") for line in said if line.startswith("error: ")),
            "tools/provision/sources.py failed",
        )
        # Only a machine that cannot reach upstream is excused.
        if status == UNREACHABLE:
            missing["sources"] = reason
            needs -= {"sources", "kernel"}
        elif status != 0:
            pytest.exit(reason, returncode=1)
    if "camkes" in needs:
        # Debian's ghc builds capDL-tool. A machine without either runs the other tests.
        for brings in (
            (("sources.py", "--fetch", "--manifest", str(KIT / "camkes.xml")), ("capdl",)) if "sources" in needs else ()
        ):
            status, said = set_up(*brings)
            if status != 0:
                reasons = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
                missing["camkes"] = next(iter(reasons), f"tools/provision/{brings[0]} failed")
                break
        needs -= {"camkes"}
    architectures = [name for name in ARCHITECTURES if name in needs]
    packages = [need for need in NEEDS if need in needs and need != "sources"]
    steps = [("packages", *packages)] if packages else []
    steps += [("python",)] if "sources" in needs else []
    steps += [("rust", *architectures)] if "rust" in needs else []
    for step in steps:
        status, said = set_up(*step)
        if status != 0:
            pytest.exit(f"`tools/provision/{' '.join(step)}` ended with status {status}", returncode=1)
    return missing


# Folders.


class Folders:
    """Folders of the tests of a worker: made for the first test of a group, removed after the last if none failed."""

    def __init__(self) -> None:
        self.group = ""
        self.begun: set[Path] = set()
        self.failed = False

    def begin(self, item: pytest.Item) -> None:
        if group_of(item) != self.group:
            self.group, self.begun, self.failed = group_of(item), set(), False
        module = item.path.relative_to(TESTS).with_suffix("")
        name = group_of(item).removeprefix(str(module)).lstrip(".")
        path = (
            BUILD_TEST
            / "work"
            / module.parent.name
            / module.name.removeprefix("test_")
            / name.replace(" ", "-").replace("/", "-")
        )
        if path not in self.begun:
            self.begun.add(path)
            shutil.rmtree(path, ignore_errors=True)
        support.set_folder(path)

    def end(self, nextitem: pytest.Item | None) -> None:
        support.set_folder(None)
        if nextitem and group_of(nextitem) == self.group:
            return
        builds.stop_shared(self.group, keep=self.failed)
        # Together they are many gigabytes; what there is to look at is with those that failed.
        for path in self.begun if not self.failed else ():
            shutil.rmtree(path, ignore_errors=True)


_folders = Folders()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    _folders.begin(item)
    item.stash[_started] = processor_seconds()
    try:
        return (yield)
    finally:
        _folders.end(nextitem)


_started = pytest.StashKey[float]()


def processor_seconds() -> float:
    """Returns the time that all processes took that this one started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    # Says more than the duration does on a busy machine.
    if call.when == "call":
        item.user_properties.append((PROCESSOR_SECONDS, round(processor_seconds() - item.stash[_started], 2)))
    report = yield
    _folders.failed = _folders.failed or report.failed
    return report


@pytest.fixture
def folder() -> Path:
    """Folder of the test, shared by the tests of its module that run in a row; see support.folder()."""
    return support.folder()


@pytest.fixture
def build(request: pytest.FixtureRequest) -> builds.Shared:
    """Shared build folder of the test's configuration."""
    name = configuration_of(request.node)
    assert name, 'name the configuration: a parameter `configuration`, or @pytest.mark.on("x86_64")'
    return builds.shared(name)


# Results, in the process that the user started.


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if not _is_worker(session.config) and not session.config.option.collectonly:
        BUILD_TEST.mkdir(exist_ok=True)
        progress = Progress(session.config.pluginmanager.get_plugin("terminalreporter"))
        session.config.pluginmanager.register(progress, PROGRESS)
        builds.LOG.unlink(missing_ok=True)
        RESULTS.unlink(missing_ok=True)


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str]:
    """Names the outcome of a test. The line of pytest_runtest_logreport takes the place of pytest's letters."""
    if report.when != "call" and report.passed:
        return "", "", ""
    category = "error" if report.failed and report.when != "call" else report.outcome
    return category, "", category.upper()


def _disk() -> float:
    """Returns how much of the file system of the tests is in use, in GiB."""
    return shutil.disk_usage(BUILD_TEST).used / (1 << 30)


class Progress:
    """Prints a line for each test that has ended, and what a failed one found: a whole run takes long."""

    def __init__(self, terminal: Any) -> None:
        self.terminal = terminal
        self.ended = 0
        self.total = json.loads(PROVISIONED.read_text()).get("tests", 0) if PROVISIONED.exists() else 0
        self.disk_at_start = self.disk_most = _disk()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        self.ended += report.when == "call" or report.skipped
        self.disk_most = max(self.disk_most, _disk())
        line = (
            f"[{self.ended}/{self.total}] {report.outcome} {_name_of(report)}  "
            f"{report.duration:.1f} s, processor {_processor_seconds_of(report):.1f} s"
        )
        self.terminal.write_line(line, red=report.failed)
        if report.failed:
            for found in report.longreprtext.splitlines()[-SHOWN_LINES:]:
                self.terminal.write_line(f"    | {found}")


def _name_of(report: pytest.TestReport) -> str:
    """Returns the name of a test without that of its group, which xdist appends."""
    return report.nodeid.rsplit("@", 1)[0]


def _processor_seconds_of(report: Any) -> float:
    """Returns the processor seconds of a test in the report of its call, else 0."""
    return float(dict(report.user_properties).get(PROCESSOR_SECONDS, 0)) if report.when == "call" else 0.0


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.option.collectonly:
        return
    stats = {name: len(terminalreporter.stats.get(name, ())) for name in ("passed", "failed", "error", "skipped")}
    failed = stats["failed"] + stats["error"]
    ended = (report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, ()))
    spent = sorted(((_processor_seconds_of(report), _name_of(report)) for report in ended), reverse=True)
    terminalreporter.section("most processor seconds")
    for seconds, name in spent[:MOST_EXPENSIVE]:
        terminalreporter.write_line(f"{seconds:7.1f}  {name}")
    terminalreporter.write_line(f"processor time: {sum(seconds for seconds, _ in spent) / 60:.1f} minutes")
    progress: Any = config.pluginmanager.get_plugin(PROGRESS)
    most, left = (amount - progress.disk_at_start for amount in (progress.disk_most, _disk()))
    terminalreporter.write_line(f"disk: at most {most:.1f} GiB more in use than at the start, {left:.1f} at the end")
    lines = builds.LOG.read_text().splitlines() if builds.LOG.exists() else []
    shared = [name for kind, name in (line.split("\t") for line in lines) if kind == "shared"]
    terminalreporter.write_line(
        f"shared builds: {len(shared)}; build folders of tests about the build itself: {len(lines) - len(shared)}"
    )
    twice = sorted({name for name in shared if shared.count(name) > 1})
    if twice or (len(shared) > MOST_SHARED_BUILDS and not config.option.long):
        failed += 1
        terminalreporter.write_line(
            f"FAILED: at most {MOST_SHARED_BUILDS} shared builds are allowed, each once; twice: {twice}", red=True
        )
    RESULTS.write_text(json.dumps({"passed": stats["passed"], "failed": failed, "skipped": stats["skipped"]}))
