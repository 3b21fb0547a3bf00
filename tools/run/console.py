# SPDX-License-Identifier: BSD-2-Clause
"""Run a command that shows an seL4 console and match what it prints.

An expected output is a text file. Each of its lines must come, in this order;
other lines may come between:

    # a comment, like an empty line, expects nothing
    Rust Routine: 10 + 20 = 30          the whole console line, spaces at its end aside
    /panicked at .*lib.rs:[0-9]+/       a regular expression, found anywhere in the line

The command is stopped as soon as the last expected line is there. A line that
reports a crash (CRASHES) ends it at once, unless the file expects that line.
"""

import os
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

# What the ELF loader, the kernel, muslc and Rust print when something went wrong for good.
CRASHES = (
    r"Caught cap fault",
    r"vm fault on",
    r"user exception",
    r"KERNEL \w+ ABORT",
    r"seL4 (called fail|failed assertion)",
    r"root server abort\(\)ed",
    r"^abort\(\) called",
    r"^The program ended with exit code [^0]",
    r"Assertion failed",
    r"panicked at",
)
# How long the rest of a crash report may take to arrive.
REPORT_SECONDS = 0.5

# How often to look how busy the machine is while the console is silent.
SHARE_SECONDS = 1.0

ESCAPE_SEQUENCE = re.compile(rb"\x1b(\[[0-9;?=]*[A-Za-z]|[A-Za-z])")


class BadExpectation(Exception):
    pass


def expectation(text):
    """One line of an expected output as a compiled pattern for re.search."""
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        return re.compile(text[1:-1])
    return re.compile(rf"^{re.escape(text)}$")


def expectations(lines, where="the expected output"):
    """[(line, pattern)] of the lines of an expected output."""
    found = []
    for number, line in enumerate(lines, 1):
        line = line.rstrip()
        if not line or line.startswith("#"):
            continue
        try:
            found.append((line, expectation(line)))
        except re.error as error:
            raise BadExpectation(
                f"error: {where}, line {number}: `{line}` is not a regular expression: {error}\n"
                "help: what stands between the slashes follows Python's `re`"
            ) from None
    if not found:
        raise BadExpectation(f"error: {where} expects no line\nhelp: name at least one line that the console must show")
    return found


def read_expected(path):
    return expectations(Path(path).read_text().splitlines(), f"`{path}`")


@dataclass
class Outcome:
    """What a console showed. `reason` is empty if all expected lines appeared."""

    reason: str = "not run"
    lines: list = field(default_factory=list)
    seconds: float = 0.0

    @property
    def passed(self):
        return not self.reason


class _Matcher:
    def __init__(self, expected, forbidden):
        self.expected = expected
        self.forbidden = [re.compile(pattern) for pattern in forbidden]
        self.came = 0

    @property
    def complete(self):
        return self.came == len(self.expected)

    def see(self, line):
        """Take the line in; true if it reports an unexpected crash."""
        if not self.complete and self.expected[self.came][1].search(line):
            self.came += 1
            return False
        if any(pattern.search(line) for _, pattern in self.expected):
            return False
        return any(pattern.search(line) for pattern in self.forbidden)

    def missing(self):
        return f"`{self.expected[self.came][0]}` (line {self.came + 1} of {len(self.expected)} expected) did not come"


def run(command, expected, folder=".", *, show=None, forbidden=CRASHES, silence=60.0, limit=600.0, linger=0.0, ask=()):
    """Run `command` in `folder` until all of `expected` (see expectations()) came.

    show: called with each console line. silence: seconds without a new line
    after which the console counts as hung. limit: seconds for the whole run.
    On a busy machine both last longer, by the time that other processes take.
    linger: seconds to keep watching for a crash after the last expected line.
    ask: what to type at a console that hangs, piece by piece; it is given up when it is silent again.
    """
    # No terminal on standard input, so that QEMU leaves the user's terminal alone. A session of its own, so that
    # the script, its shell and QEMU can be stopped together. No sound: without a card QEMU complains at length.
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.PIPE if ask else subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "QEMU_AUDIO_DRV": "none"},
    )
    try:
        return _watch(
            process, _Matcher(expected, forbidden), show or (lambda line: None), silence, limit, linger, iter(ask)
        )
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.stdout.close()
        process.wait()


def _share():
    """Returns the part of the processor time that a process can have now: 1 unless more are running than there are cores."""
    try:
        running = int(Path("/proc/loadavg").read_text().split()[3].split("/")[0])
    except (OSError, IndexError, ValueError):
        return 1.0
    return min(1.0, len(os.sched_getaffinity(0)) / max(1, running))


def _processor_seconds(session):
    """Returns the processor time of the processes of a session that are still there."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class _Starvation:
    """The time in which other processes keep a command from running."""

    def __init__(self, session):
        self.session = session
        self.at, self.used = time.monotonic(), 0.0

    def seconds(self):
        """Returns that time since the last call, once SHARE_SECONDS have passed."""
        passed = time.monotonic() - self.at
        if passed < SHARE_SECONDS:
            return 0.0
        used = _processor_seconds(self.session)
        # One that computes has had what it used; one that waits could have had its share.
        had = max(used - self.used, passed * _share())
        self.at, self.used = self.at + passed, used
        return max(0.0, passed - had)


def _watch(process, matcher, show, silence, limit, linger, ask):
    outcome, crash, pending, ended, hung = Outcome(), "", b"", False, ""
    start = heard_at = time.monotonic()
    starvation = _Starvation(process.pid)
    ends_at = start + limit
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN | select.POLLHUP)

    def take(raw):
        nonlocal crash, ends_at
        line = ESCAPE_SEQUENCE.sub(b"", raw).decode(errors="replace").replace("\r", "").rstrip()
        outcome.lines.append(line)
        show(line)
        was_complete = matcher.complete
        if matcher.see(line) and not crash:
            crash = line
            ends_at = time.monotonic() + REPORT_SECONDS
        elif matcher.complete and not was_complete:
            ends_at = time.monotonic() + linger

    while True:
        left = min(ends_at, heard_at + silence) - time.monotonic()
        if left <= 0:
            if ends_at > heard_at + silence:
                hung = hung or f"no new line for {silence:g} s"
            piece = next(ask, None) if hung else None
            if piece is None:
                break
            try:
                os.write(process.stdin.fileno(), piece)
            except BrokenPipeError:
                break
            heard_at, silence = time.monotonic(), REPORT_SECONDS
            continue
        ready = poll.poll(min(left, SHARE_SECONDS) * 1000)
        lost = starvation.seconds()
        heard_at, ends_at = heard_at + lost, ends_at + lost
        if not ready:
            continue
        chunk = os.read(process.stdout.fileno(), 1 << 16)
        if not chunk:
            ended = True
            break
        *whole, pending = (pending + chunk).split(b"\n")
        for raw in whole:
            heard_at = time.monotonic()
            take(raw)
            if matcher.complete and not linger:
                break
    # The console's last words need no newline.
    if pending and not (matcher.complete and not linger):
        take(pending)

    outcome.seconds = time.monotonic() - start
    if crash:
        outcome.reason = f"crashed: `{crash}`" + ("" if matcher.complete else f"; {matcher.missing()}")
    elif matcher.complete:
        outcome.reason = ""
    elif ended:
        try:
            status = f"ended with status {process.wait(timeout=REPORT_SECONDS)}"
        except subprocess.TimeoutExpired:
            status = "closed its output"
        outcome.reason = f"{matcher.missing()}: `{process.args[0]}` {status}"
    elif hung:
        outcome.reason = f"{matcher.missing()}: {hung}"
    else:
        outcome.reason = f"{matcher.missing()}: cut off after {limit:g} s"
    return outcome
