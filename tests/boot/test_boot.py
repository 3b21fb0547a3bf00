# SPDX-License-Identifier: BSD-2-Clause
"""Every app boots on every platform and prints what it should; what happens at the runtime's limits."""

import re

import console
import pytest
from configurations import CONFIGURATIONS
from support import KIT, check
from support.builds import Shared

APPS = {"hello": "D1", "teamwork": "K1", "panic": "D6 I2", "objects": "A1 D8 X3", "drivers-first-step": "X3"}
# All are simulated, so Release keeps the kernel's console unless it is told not to.
PLATFORMS = (
    "zynqmp",
    "zynqmp Release",
    "qemu-arm-virt",
    "qemu-arm-virt Release",
    "qemu-arm-virt MCS",
    "qemu-arm-virt SMP",
    "qemu-arm-virt aarch32",
    "qemu-arm-virt aarch32 Release",
    "qemu-riscv-virt",
    "qemu-riscv-virt Release",
    "x86_64",
    "x86_64 Release",
    "ia32",
    "ia32 Release",
)
# Only what makes system calls by itself differs there.
MCS_PLATFORMS = ("qemu-arm-virt aarch32 MCS", "qemu-riscv-virt MCS", "x86_64 MCS", "ia32 MCS")
# The C side of a root server in Rust is the same everywhere.
ROOT_SERVER_PLATFORMS = ("qemu-arm-virt", "qemu-riscv-virt", "x86_64 Release")
# Where programs other than the root server start, and one of them panics.
CHILDREN_PLATFORMS = ("qemu-arm-virt", "qemu-arm-virt MCS", "qemu-riscv-virt", "x86_64", "x86_64 Release")
# Other platforms that seL4's own CI boots in QEMU.
COMMUNITY = ("sabre", "zynq7000", "spike")
SILENT = tuple(name for name in CONFIGURATIONS if name.endswith(" silent"))
# A root server that returns from main() must not crash afterwards; the one that panics ends in abort().
LINGER = {"panic": 0.0}


def often(name: str, app: str) -> tuple[pytest.MarkDecorator, ...]:
    """Returns the marks of a row: long, where it differs little from the same app in the Debug build of that platform."""
    little = name.endswith(("Release", "SMP", "MCS")) and app in ("teamwork", "drivers-first-step", "panic")
    if (name, app) == ("qemu-arm-virt MCS", "drivers-first-step"):
        return ()
    # Other tests make all system calls there.
    little = little or app == "objects" and name in ("zynqmp Release", "qemu-arm-virt SMP")
    # test_rust_versions.py boots it there.
    little = little or (name, app) == ("x86_64 Release", "objects")
    # Of the two platforms for aarch64, devices differ.
    little = little or name == "zynqmp" and app in ("teamwork", "panic", "objects")
    return (pytest.mark.long,) if little else ()


@pytest.mark.parametrize(
    "configuration, app",
    [
        pytest.param(name, app, id=f"{ids} {app} on {name}", marks=often(name, app))
        for name in PLATFORMS
        for app, ids in APPS.items()
    ]
    + [
        pytest.param(name, app, id=f"{APPS[app]} {app} on {name}", marks=often(name, app))
        for name in MCS_PLATFORMS
        for app in ("objects", "drivers-first-step")
    ]
    + [
        pytest.param(
            name,
            app.split()[-1],
            id=f"{app} on {name}",
            marks=() if name == "qemu-arm-virt" else pytest.mark.long,
        )
        for app, platforms in (("children", CHILDREN_PLATFORMS), ("P2 root-server", ROOT_SERVER_PLATFORMS))
        for name in platforms
    ]
    + [
        pytest.param(name, app, id=f"{APPS[app]} {app} on {name}")
        for name in COMMUNITY
        for app in ("hello", "teamwork", "objects")
    ]
    + [pytest.param("qemu-arm-virt clang", "hello", id="hello on qemu-arm-virt clang")],
)
def test_app_boots(configuration: str, app: str, build: Shared) -> None:
    outcome = build.app(app).boot(f"apps/{app}/expected.txt", linger=LINGER.get(app, 0.5))
    if "SMP" in configuration:
        check(
            "Core 1 is up with logic id 1" in outcome.lines, "the second core is not up:\n" + "\n".join(outcome.lines)
        )


@pytest.mark.parametrize(
    "configuration, app",
    [
        pytest.param(name, app, id=f"{app} on {name.removesuffix(' silent')}, kernel silent")
        for name in SILENT
        for app in ("hello", "panic")
    ],
)
def test_app_prints_through_the_serial_port(configuration: str, app: str, build: Shared) -> None:
    build.app(app)
    lines = [line for line, _ in console.read_expected(KIT / f"apps/{app}/expected.txt")]
    check(
        lines[0] == "Booting all finished, dropped to user space", f"the first line is not the kernel's: `{lines[0]}`"
    )
    # A PC's firmware leaves its last line open.
    outcome = build.boot([f"/{re.escape(lines[1])}$/", *lines[2:]], linger=LINGER.get(app, 0.5))
    check(lines[0] not in outcome.lines, "the kernel prints")


# It cannot be booted: QEMU's -kernel gives up on a 32-bit ELF file for this machine.
@pytest.mark.on("zynqmp aarch32")
def test_hello_for_zynqmp_aarch32_builds(build: Shared) -> None:
    build.app("hello")


@pytest.mark.long
@pytest.mark.on("qemu-arm-virt")
def test_programs_of_one_image_share_an_archive(build: Shared) -> None:
    """Their heaps, which lie outside the archive, have the sizes that CMake gives them."""
    build.app("tests/boot/siblings").boot("tests/boot/siblings/expected.txt")
    commands = build.ninja("-t", "commands").splitlines()
    runs = [command for command in commands if " rustc --lib " in command]
    check(len(runs) == 1, f"cargo runs for four programs: {runs}")


def overload(build: Shared, ending: str, heap: str, level: str) -> list[str]:
    """Builds and boots the root server of tests/boot/overload; returns its own lines."""
    build.app("tests/boot/overload", f"-DENDING={ending}", f"-DRUST_HEAP={heap}", f"-DRUST_LOG_LEVEL={level}")
    lines = build.boot(["seL4 root server abort()ed"], forbidden=()).lines
    start = max(number for number, line in enumerate(lines) if line.startswith("printf is backed by")) + 1
    return lines[start : lines.index("seL4 root server abort()ed")]


LOGGED = {
    "error": "[ERROR overload] error",
    "warn": "[WARN  overload] warning",
    "info": "[INFO  overload] information",
    "debug": "[DEBUG overload] detail",
}
# try_reserve says nothing by itself, and the heap works on after it.
REFUSED = ["Asking politely for a gigabyte:", "refused", "Three boxes after that: 6"]


def check_lines(lines: list[str], logged: tuple[str, ...], *ending: str) -> None:
    """Fails unless the console's lines are these, whole: nothing is said twice, nothing comes between."""
    expected = [*map(re.escape, [*(LOGGED[level] for level in logged), *REFUSED]), *ending]
    check(
        len(lines) == len(expected) and all(map(re.fullmatch, expected, lines)),
        "expected:\n" + "\n".join(expected) + "\ncame:\n" + "\n".join(lines),
    )


LEFT = r"\d{1,4} of 262144 bytes left; raise RUST_HEAP_BYTES"


@pytest.mark.on("qemu-arm-virt")
@pytest.mark.parametrize(
    "heap, level, logged, explanation",
    [
        pytest.param(heap, level, logged, explanation, id=f"heap {heap} tells when it is exhausted; log level {level}")
        for heap, level, logged, explanation in (
            ("linked-list", "info", ("error", "warn", "info"), LEFT),
            ("rlsf", "debug", tuple(LOGGED), LEFT),
            ("muslc", "off", (), "C's malloc has none; raise LibSel4MuslcSysMorecoreBytes"),
        )
    ],
)
def test_exhaustion(heap: str, level: str, logged: tuple[str, ...], explanation: str, build: Shared) -> None:
    check_lines(
        overload(build, "exhaust", heap, level),
        logged,
        r"Rust panicked at /rustc/\w+/library/alloc/src/alloc\.rs:\d+:\d+:",
        "memory allocation of 4096 bytes failed",
        "Rust heap exhausted: asked for 4096 bytes, " + explanation,
    )


@pytest.mark.on("qemu-arm-virt")
def test_a_panic_while_a_panic_is_told_is_told_once_and_log_level_warn(build: Shared) -> None:
    check_lines(
        overload(build, "panic", "linked-list", "warn"),
        ("error", "warn"),
        r"Rust panicked at tests/boot/overload/src/lib\.rs:\d+:\d+:",
        "the first panic,",
        "Rust panicked again while it reported a panic",
    )
