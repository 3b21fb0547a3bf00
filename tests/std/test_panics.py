# SPDX-License-Identifier: BSD-2-Clause
"""How a program with Rust's std ends: exit codes, panics that nobody catches, and what their addresses are."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

import pytest
from support import KIT, Stopwatch, check, check_says, folder, must_fail, run, write
from support.builds import Build, Shared

# One for each architecture; Release, where functions are inlined and C has no debug output.
PLATFORMS = ("qemu-arm-virt", "qemu-arm-virt Release", "x86_64", "x86_64 Release")
APP = "tests/std/endings"
BACKTRACE = KIT / "tools" / "run" / "backtrace.py"
SIMULATE = KIT / "tools" / "run" / "simulate.py"
ENDINGS = {"rust-exit": 3, "c-exit": 4, "exit-in-thread": 5, "success": 0, "return": 6, "abort": 134}


def build_ending(build: Shared, ending: str, *options: str) -> Shared:
    """Builds the root server that ends so."""
    return build.app(APP, f"-DENDING={ending}", *options)


def simulate(build: Shared, status: int) -> str:
    """Returns what the console shows until ./simulate ends by itself, with `status`."""
    # Without a sound card QEMU complains at length.
    return run("./simulate", cwd=build.path, status=status, timeout=1800, env={"QEMU_AUDIO_DRV": "none"})


@pytest.mark.parametrize(
    "configuration, ending, status",
    [
        pytest.param(
            name,
            ending,
            status,
            id=f"exit code {status} of {ending} reaches ./simulate on {name}",
            # The way from the console to ./simulate is the same; how a program stops is not.
            marks=pytest.mark.long if name == "qemu-arm-virt" and ending not in ("rust-exit", "abort") else (),
        )
        # Debug and Release differ in nothing here.
        for name in ("qemu-arm-virt", "x86_64")
        for ending, status in ENDINGS.items()
    ],
)
def test_ends(configuration: str, ending: str, status: int, build: Shared) -> None:
    output = simulate(build_ending(build, ending), status)
    check_says(output, f"Ending: {ending}", f"The program ended with exit code {status}")


def named(build: Shared, console: str) -> list[str]:
    """Returns what ./backtrace makes of a console's text, without its margins."""
    text = write(folder() / "console.txt", console)
    output = run("sh", "-c", f"./backtrace < {text}", cwd=build.path)
    return [line.strip() for line in output.splitlines()]


def follow(lines: list[str], *patterns: str) -> None:
    """Fails unless the patterns match lines in this order, others between them left aside."""
    __tracebackhide__ = True
    rest = iter(lines)
    for pattern in patterns:
        check(
            any(re.fullmatch(pattern, line) for line in rest),
            f"`{pattern}` is missing, or not in its place:\n" + "\n".join(lines),
        )


def line_of(file: str, text: str) -> str:
    """Returns the place in the root server's sources that says `text`."""
    lines = (KIT / APP / file).read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if text in line)
    return "at " + re.escape(f"{APP}/{file}:{number}")


def on_platforms(name: str, long: Collection[str] = ("x86_64 Release",)) -> pytest.MarkDecorator:
    """Returns the rows of PLATFORMS; `name` is that of a row, and those are long that `long` has."""
    rows = [
        pytest.param(each, id=name.format(each), marks=pytest.mark.long if each in long else ()) for each in PLATFORMS
    ]
    return pytest.mark.parametrize("configuration", rows)


@on_platforms("a panic that escapes to C is told and its functions are named on {}")
def test_a_panic_that_escapes_to_C(configuration: str, build: Shared) -> None:
    build_ending(build, "escape", "-DRUST_BACKTRACE=ON")
    output = simulate(build, 134)
    place = line_of("src/lib.rs", "panic!(")[len("at ") :]
    lines = named(build, output)
    frame = r"\d+: +0x[0-9a-f]+ - "
    follow(
        lines,
        rf"thread '<unnamed>' \(1\) panicked at {place}:9:",
        "three functions deep",
        "stack backtrace:",
        frame + "endings::third",
        line_of("src/lib.rs", "panic!("),
        frame + "endings::second",
        line_of("src/lib.rs", "third(depth) + 1"),
        frame + "endings::first",
        line_of("src/lib.rs", "second(depth) + 1"),
        frame + "ending_deepest",
        line_of("src/lib.rs", "    first(depth)"),
        frame + "c_between",
        ".*panicked at /rustc/.*",
        "panic in a function that cannot unwind",
        "The program ended with exit code 134",
    )
    first = lines.index("stack backtrace:") + 1
    check(
        re.fullmatch(r"[1-9]\d*: .*", lines[first]),
        f"it begins with the frames that report the panic: `{lines[first]}`",
    )
    check(
        "libsel4muslcsys" not in output and "Failed to open" not in output, f"muslcsys has something to say:\n{output}"
    )


@on_platforms("the place of a fault is named on {}", long=("qemu-arm-virt Release", "x86_64 Release"))
def test_the_place_of_a_fault_is_named(configuration: str, build: Shared) -> None:
    build_ending(build, "fault")
    expected = ["/vm fault on data at address 0x8/", "/^0x[0-9a-f]+: 0x/"]
    console = build.boot(expected, linger=0.5, forbidden=()).lines
    lines = named(build, "\n".join(console))
    # C has no line numbers in a Release build.
    place = () if "Release" in configuration else (line_of("main.c", "*nowhere = 1"),)
    follow(lines, ".*at address 0x[0-9a-f]+", "c_fault", *place)
    if place:
        follow(
            lines,
            "With stack:",
            "ending_fault",
            line_of("src/lib.rs", "c_fault(8"),
            "main",
            line_of("main.c", "ending_fault()"),
        )


@pytest.mark.on("qemu-arm-virt")
def test_a_backtrace_that_the_program_takes_is_named(build: Shared) -> None:
    build_ending(build, "capture")
    lines = named(build, "\n".join(build.boot(["That was it"]).lines))
    place = line_of("src/lib.rs", "force_capture")
    follow(lines, r"\d+: +0x[0-9a-f]+ - ending_capture", place, r"\d+: .* - main", "That was it")


def size_of(build: Shared) -> int:
    """Returns the bytes of the root server that are loaded from its file."""
    text, data = run("size", build.path / APP / "rootserver").splitlines()[1].split()[:2]
    return int(text) + int(data)


# Release, where size counts; both architectures share all of what does it.
@pytest.mark.on("qemu-arm-virt Release")
def test_panic_abort_makes_the_image_smaller_and_ends_with_the_place(build: Shared) -> None:
    build_ending(build, "caught", "-DRUST_BACKTRACE=OFF")
    check_says(simulate(build, 1), "three functions deep", "Rust returned -1")
    before = size_of(build)
    # RUST_BACKTRACE stays as it was: only the way of panics differs.
    build_ending(build, "caught", "-DRUST_BACKTRACE=OFF", "-DRUST_STD_PANIC=abort")
    lines = simulate(build, 134).splitlines()
    place = line_of("src/lib.rs", "panic!(")[len("at ") :]
    follow(
        [line.strip() for line in lines],
        rf"thread '<unnamed>' \(1\) panicked at {place}:9:",
        "three functions deep",
        "The program ended with exit code 134",
    )
    check(not any("Rust returned" in line for line in lines), "the panic was caught")
    # 14 KB when this was written: landing pads, and the tables of Rust's functions.
    check(size_of(build) < before - 8000, f"the image has {size_of(build)} bytes, and {before} with panics that unwind")


@pytest.mark.needs("sources", "rust", "x86_64")
def test_a_wrong_RUST_STD_PANIC_is_refused() -> None:
    Build("refused").configure_fails(
        *("-DPLATFORM=x86_64", f"-DAPP=../{APP}", "-DRUST_STD_PANIC=ignore"),
        says=["RUST_STD_PANIC is `ignore`", "-DRUST_STD_PANIC= one of: unwind, abort"],
    )


@pytest.mark.quick
def test_backtrace_says_what_is_missing() -> None:
    must_fail(BACKTRACE, "nowhere", says=["error: there is no program `nowhere`", "help: build it"])
    must_fail(
        *(BACKTRACE, "/bin/sh", "--addr2line", "no-such-tool"),
        says=["error: cannot start `no-such-tool`", "help: "],
    )


def script(name: str, *lines: str) -> Path:
    """Writes a shell script in the place of ./simulate's."""
    path = write(folder() / name, "\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def gone(pid: int) -> bool:
    """Returns whether a process that is being killed is no more, or nobody's but its parent's."""
    for _ in range(1000):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.quick
def test_simulate_stops_at_once_all_that_it_started() -> None:
    talker = script(
        *("talker", "sleep 2000 & echo child $!", "printf 'The program ended with exit code -1\\r\\n'", "wait")
    )
    with Stopwatch() as watch:
        output = run(SIMULATE, talker, status=255, timeout=1900)
    check(watch.seconds < 1000, f"it took {watch.seconds} s")
    check(gone(int(output.split()[1])), f"the child is still there:\n{output}")


@pytest.mark.quick
def test_simulate_without_an_exit_code_ends_as_its_script_does() -> None:
    other = script("other", "echo 'The program ended with exit code 3, they say'; printf $1; exit 7")
    check_says(run(SIMULATE, other, "last", status=7), "they say", "last")


@pytest.mark.quick
def test_a_terminated_simulate_leaves_nothing_behind() -> None:
    sleeper = script("sleeper", "sleep 2000 & echo $!", "wait")
    with subprocess.Popen([SIMULATE, sleeper], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGTERM)
        check(process.wait(timeout=600) == 143, f"status {process.returncode}")
    check(gone(child), "the child is still there")
