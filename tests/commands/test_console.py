# SPDX-License-Identifier: BSD-2-Clause
"""`tools/run/boot.py` matches a console and stops what it started."""

import os
import resource
import signal
import subprocess

import console
import pytest
from support import KIT, TIME_OUT, check_says, folder, run, until, write

pytestmark = pytest.mark.quick

BOOT = KIT / "tools" / "run" / "boot.py"


def watch(script, *lines, **options):
    return console.run(["sh", "-c", script], console.expectations(lines), folder(), **options)


def passes(script, *lines, **options):
    outcome = watch(script, *lines, **options)
    assert outcome.passed, outcome.reason
    return outcome


def fails(script, *lines, says, **options):
    outcome = watch(script, *lines, **options)
    assert not outcome.passed, "the console passed"
    check_says(outcome.reason, says)
    return outcome


def processor_seconds():
    """Processor time of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_expected_lines_come_in_order_with_others_between():
    outcome = passes("echo noise; echo one; echo noise; echo two", "# comment", "", "one", "two")
    assert outcome.lines == ["noise", "one", "noise", "two"], outcome.lines


def test_lines_in_another_order_fail():
    fails(
        "echo two; echo one", "one", "two", says="`two` (line 2 of 2 expected) did not come: `sh` ended with status 0"
    )


def test_a_line_is_matched_whole():
    fails("echo one more", "one", says="`one`")
    fails("echo say one", "one", says="`one`")


def test_spaces_at_the_end_carriage_returns_and_escape_sequences_do_not_count():
    passes(r"printf '\033c\033[2J\033[31mone\033[0m  \r\ntwo\r\n'", "one", "two")


def test_a_line_in_slashes_is_a_regular_expression():
    passes("echo it took 42 cycles", "/took [0-9]+ cycles/")
    fails("echo it took long", "/took [0-9]+ cycles/", says="did not come")


def test_last_words_without_newline_count():
    passes("printf 'one\\ntwo'", "one", "two")


def test_bytes_that_are_no_text_do_no_harm():
    passes(r"printf '\377\376\n\000\none\n'", "one")


def test_the_command_is_stopped_with_all_that_it_started():
    outcome = passes("sleep 1000 & echo $!; echo one; wait", "one")
    until("its child ends", lambda: not is_alive(int(outcome.lines[0])))


def test_silence_ends_a_hung_console():
    fails("echo one; sleep 1000", "one", "two", says="no new line for 0.3 s", silence=0.3)


def test_a_hung_console_is_asked_and_then_given_up(monkeypatch):
    # Long enough for the shell of a busy machine to answer.
    monkeypatch.setattr(console, "REPORT_SECONDS", 3)
    script = "echo one; read first; echo got $first; read second; echo got $second; sleep 1000"
    outcome = fails(script, "one", "two", says="no new line for 3 s", silence=3, ask=(b"this\n", b"that\n"))
    assert outcome.lines == ["one", "got this", "got that"], outcome
    fails("echo one; exec <&-; sleep 1000", "two", says="no new line for 0.3 s", silence=0.3, ask=(b"this\n",))


def test_on_a_busy_machine_silence_lasts_longer(monkeypatch):
    """A console that others keep from running is not taken for a hung one."""
    monkeypatch.setattr(console, "_share", lambda: 0.0)
    monkeypatch.setattr(console, "SHARE_SECONDS", 0.02)
    passes("echo one; sleep 1; echo two", "one", "two", silence=0.2, limit=0.3)
    fails("echo one; while :; do :; done", "one", "two", says="no new line for 0.2 s", silence=0.2)
    monkeypatch.setattr(console, "_share", lambda: 1.0)
    fails("echo one; sleep 1000", "one", "two", says="no new line for 0.2 s", silence=0.2)


def test_a_babbling_console_is_cut_off():
    fails("while :; do echo one; done", "two", says="cut off after 0.5 s", limit=0.5)


def test_a_crash_ends_at_once_with_the_rest_of_its_report(monkeypatch):
    monkeypatch.setattr(console, "REPORT_SECONDS", 3)
    outcome = fails(
        "echo one; echo Caught cap fault in send phase; sleep 0.1; echo report; sleep 1000",
        "one",
        "two",
        says="crashed: `Caught cap fault in send phase`; `two` (line 2 of 2 expected) did not come",
    )
    assert outcome.lines[-1] == "report", outcome.lines


def test_a_crash_that_is_expected_is_none():
    passes("echo one; echo Caught cap fault in send phase; echo two", "one", "/Caught cap fault/", "two")


def test_a_crash_after_the_last_line_is_seen_when_asked():
    script = "echo one; read more; echo vm fault on data; sleep 1000"
    passes(script, "one")
    fails(script.replace("read more", "sleep 0.2"), "one", says="crashed", linger=60)
    passes("echo one; sleep 1000", "one", linger=0.5)


def test_many_consoles_cost_little(monkeypatch):
    """Nothing waits for a while to see what has come: 200 consoles that still run are stopped without a pause."""

    def no_pause(seconds):
        raise AssertionError(f"the console sleeps for {seconds} s")

    monkeypatch.setattr(console.time, "sleep", no_pause)
    before = processor_seconds()
    for _ in range(200):
        passes("echo one; sleep 1000", "one")
    used = processor_seconds() - before
    assert used < 20, f"200 consoles took {used:.1f} s of processor time"


def test_the_command_tells_its_verdict():
    expected = write(folder() / "expected.txt", "# a comment\none\n")
    check_says(run(BOOT, folder(), expected, "--", "echo", "one"), "one boot: all 1 expected lines appeared")
    check_says(
        run(BOOT, folder(), expected, "--", "echo", "two", status=1), "error: `one` (line 1 of 1 expected)", "help: "
    )
    check_says(run(BOOT, folder(), expected, status=1), "error: cannot boot", "help: ")
    write(folder() / "bad.txt", "/[/\n")
    check_says(
        run(BOOT, folder(), folder() / "bad.txt", "--", "true", status=1),
        "line 1: `/[/` is not a regular expression",
        "help: ",
    )
    write(folder() / "empty.txt", "# nothing\n")
    check_says(run(BOOT, folder(), folder() / "empty.txt", "--", "true", status=1), "expects no line", "help: ")


def test_a_terminated_command_stops_what_it_started():
    expected = write(folder() / "expected.txt", "never\n")
    process = subprocess.Popen(
        [BOOT, folder(), expected, "--", "sh", "-c", "echo $$; sleep 1000"], stdout=subprocess.PIPE, text=True
    )
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIME_OUT) != 0, "it reports success"
    until("its child ends", lambda: not is_alive(child))
