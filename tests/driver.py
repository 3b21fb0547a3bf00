# SPDX-License-Identifier: BSD-2-Clause
"""Run the test groups: each is an executable file tests/GROUP/run.

tests/README.md tells what a group says about itself and what it prints.
"""

import argparse
import concurrent.futures
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
FOLDER = KIT / "build-test"
ARCHITECTURES = ("aarch64", "aarch64-linux", "aarch32", "riscv64", "x86_64", "ia32")
NEEDS = ("sources", "kernel", "hosted", "rust", "protobuf", "shellcheck", *ARCHITECTURES)
SHOWN_LINES = 200
UNREACHABLE = 3
# What is to be ended when the driver is.
RUNNING = set()


class Group:
    def __init__(self, script):
        self.script, self.name = script, script.parent.name
        header = dict(re.findall(r"^# (about|needs|minutes): (.*)$", script.read_text(), re.MULTILINE))
        self.about = header.get("about", "")
        self.needs = header.get("needs", "").split()
        self.minutes = float(header.get("minutes", 20))
        unknown = set(self.needs) - set(NEEDS)
        if unknown:
            sys.exit(f"error: `{script}` needs `{' '.join(sorted(unknown))}`, which the driver does not know\n"
                     f"help: its line `# needs:` may name: {' '.join(NEEDS)}")


class Report:
    """Counts the results and shows a line for each; on a terminal also what is running."""

    def __init__(self):
        self.counts = {"ok": 0, "not ok": 0, "skip": 0}
        self.failed = []
        self.running = {}
        self.lock = threading.Lock()

    def begin(self, group, name):
        with self.lock:
            self.running[group] = name
            self._show_running()

    def say(self, *lines):
        with self.lock:
            self._say(*lines)

    def result(self, verdict, group, name, seconds, output=()):
        with self.lock:
            self.running.pop(group, None)
            self.counts[verdict] += 1
            lines = [f"  {group}: {name} ... {'FAILED' if verdict == 'not ok' else verdict}  {seconds:.1f} s"]
            if verdict == "not ok":
                self.failed.append(f"{group}: {name}")
                if len(output) > SHOWN_LINES:
                    lines.append(f"    | ({len(output) - SHOWN_LINES} lines more in {FOLDER / group}.log)")
                lines += [f"    | {line}" for line in output[-SHOWN_LINES:]]
            self._say(*lines)

    def _say(self, *lines):
        if sys.stdout.isatty():
            print("\r\033[K", end="")
        print(*lines, sep="\n", flush=True)
        self._show_running()

    def _show_running(self):
        if sys.stdout.isatty() and self.running:
            text = "  running: " + "; ".join(f"{group}: {name}" for group, name in self.running.items())
            print(f"\r\033[K{text[:shutil.get_terminal_size().columns - 1]}", end="", flush=True)

    def finish(self):
        if self.failed:
            print("\nfailed:")
            for name in self.failed:
                print(f"  {name}")
        print(f"\n{self.counts['ok']} passed, {self.counts['not ok']} failed, {self.counts['skip']} skipped")
        return 1 if self.counts["not ok"] else 0


def setup(script, *arguments):
    """Run a set-up script, its progress shown: (exit status, the lines that it said)."""
    process = subprocess.Popen([KIT / "tools" / "provision" / script, *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    said = []
    for line in process.stderr:
        print(line, end="", file=sys.stderr, flush=True)
        said.append(line.rstrip())
    return process.wait(), said


def bring_sources(groups, report):
    """The groups that can run: those that need no sources if there are none."""
    dependent = [group for group in groups if "sources" in group.needs]
    if not dependent:
        return groups
    status, said = setup("sources.py", "--fetch")
    if status == 0:
        return groups
    reason = next((line[7:] for line in said if line.startswith("error: ")), "tools/provision/sources.py failed")
    for group in dependent:
        # Only a machine that cannot reach upstream is excused.
        verdict = "skip" if status == UNREACHABLE else "not ok"
        report.result(verdict, group.name, f"{group.name} (all of it) # {reason}", 0.0)
    return [group for group in groups if group not in dependent]


def prepare(groups):
    """Bring what the groups need; returns what was said where that failed, or nothing."""
    needs = {need for group in groups for need in group.needs}
    architectures = [name for name in ARCHITECTURES if name in needs]
    # Who needs the sources builds a kernel.
    needs |= {"kernel", "ccache"} if "sources" in needs else set()
    packages = [need for need in ("kernel", "hosted", "rust", "protobuf", "shellcheck", "ccache") if need in needs]
    packages += architectures
    steps = []
    if packages:
        steps.append(("packages", *packages))
    if "sources" in needs:
        steps.append(("python",))
    if "rust" in needs:
        steps.append(("rust", *architectures))
    for step in steps:
        status, said = setup(*step)
        if status != 0:
            return [*said, f"`tools/provision/{' '.join(step)}` ended with status {status}"]
    return []


def environment(group):
    path = subprocess.run(["sh", "-c", ". \"$0\"; printf %s \"$PATH\"", KIT / "tools" / "environment.sh"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    return {**os.environ, "PATH": path, "PYTHONPATH": str(KIT / "tests" / "lib"), "PYTHONDONTWRITEBYTECODE": "1",
            "TEST_FOLDER": str(FOLDER / group.name),
            # seL4's build uses ccache if it is there. All that differs between two folders of one configuration is their
            # place; the kernel and the C libraries are built some eighty times in a whole run.
            "CCACHE_BASEDIR": str(FOLDER), "CCACHE_NOHASHDIR": "1"}


@contextlib.contextmanager
def alone(group, report):
    """Two runs in one clone must not share a group's folder."""
    FOLDER.mkdir(exist_ok=True)
    with open(f"{FOLDER / group.name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.say(f"{group.name}: another ./test runs this group in this folder; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run_group(group, only, report):
    shutil.rmtree(FOLDER / group.name, ignore_errors=True)
    (FOLDER / group.name).mkdir(parents=True)
    report.say(f"{group.name}: {group.about}")
    process = subprocess.Popen([group.script, *only], cwd=KIT, env=environment(group), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    RUNNING.add(process)
    overdue = threading.Event()

    def cut_off():
        overdue.set()
        stop(process)

    timer = threading.Timer(group.minutes * 60, cut_off)
    timer.start()
    tests = failures = 0
    output, begun = [], time.monotonic()
    try:
        with open(f"{FOLDER / group.name}.log", "w") as log:
            for line in process.stdout:
                line = line.rstrip("\n")
                print(line, file=log, flush=True)
                match = re.match(r"(run|ok|not ok|skip) (.+)", line)
                if not match:
                    output.append(line)
                elif match[1] == "run":
                    report.begin(group.name, match[2])
                else:
                    now = time.monotonic()
                    report.result(match[1], group.name, match[2], now - begun, output)
                    tests, failures = tests + 1, failures + (match[1] == "not ok")
                    output, begun = [], now
        status = process.wait()
    finally:
        timer.cancel()
        stop(process)
        RUNNING.discard(process)
    problem = ""
    if overdue.is_set():
        problem = f"cut off after {group.minutes:g} minutes"
    elif status != 0 and not (status == 1 and failures):
        problem = f"ended with status {status}"
    elif not tests:
        problem = "no test ran"
    if problem:
        open_test = report.running.get(group.name)
        during = f"during `{open_test}`: " if open_test else ""
        report.result("not ok", group.name, f"{during}{problem}", time.monotonic() - begun, output)
    elif not failures:
        # Together the groups leave many gigabytes; what there is to look at is with those that failed.
        shutil.rmtree(FOLDER / group.name, ignore_errors=True)


def run_groups(groups, jobs, chosen, report):
    """Run groups side by side, those that may take longest first."""
    def work(group):
        with alone(group, report):
            run_group(group, chosen.get(group.name, []), report)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            for done in [pool.submit(work, group) for group in sorted(groups, key=lambda group: -group.minutes)]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                stop(process)
            raise


def stop(process):
    """End a group and what it started. First asks, so that a test can end its QEMU."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            pass


def main():
    groups = [Group(script) for script in sorted((KIT / "tests").glob("*/run"))]
    names = [group.name for group in groups]
    parser = argparse.ArgumentParser(
        prog="test", description="Run the tests; exit status 0 only if none failed.",
        epilog=f"groups: {' '.join(names)}")
    parser.add_argument("--only", action="append", default=[], metavar="GROUP[/TEXT]",
                        help="run this group, or of it the tests with TEXT in their names; may be given again")
    parser.add_argument("--jobs", type=int, default=min(4, len(os.sched_getaffinity(0))), metavar="N",
                        help="how many groups run side by side (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="list the groups and what they need")
    arguments = parser.parse_args()
    if arguments.list:
        for group in groups:
            print(f"{group.name:<12} {group.about}" + (f"  (needs {' '.join(group.needs)})" if group.needs else ""))
        return 0
    chosen = {}
    for only in arguments.only:
        name, _, text = only.partition("/")
        if name not in names:
            sys.exit(f"error: there is no test group `{name}`\nhelp: give one of: {' '.join(names)}")
        chosen.setdefault(name, []).extend([text] if text else [])
    groups = [group for group in groups if not chosen or group.name in chosen]

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report()
    runnable = bring_sources(groups, report)
    problem = prepare(runnable)
    if problem:
        report.result("not ok", "setup", "this machine could not be set up", 0.0, problem)
        return report.finish()
    run_groups(runnable, arguments.jobs, chosen, report)
    return report.finish()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Who reads this has seen enough; Python is not to write more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)
