# SPDX-License-Identifier: BSD-2-Clause
"""Builds for the hosted platform, and cargo in its workspace."""

import re
from typing import Any

from support import KIT, check, check_says, run
from support.builds import Build

HOSTED = KIT / "hosted"
# For aarch64, in QEMU's user mode where the host is another.
AARCH64 = ("-DCROSS_COMPILER_PREFIX=aarch64-linux-gnu-",)
MCS = ("-DMCS=ON",)
# Name of a variant: the options that choose it.
VARIANTS = {"": (), "MCS": MCS, "aarch64": AARCH64}
# Rust's target for programs of a host, and what cargo needs to link and run those of the other one.
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "aarch64": "aarch64-unknown-linux-gnu"}
CROSS = {
    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER": "aarch64-linux-gnu-gcc",
    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER": "qemu-aarch64 -L /usr/aarch64-linux-gnu",
}


def built(app: str, *options: str) -> Build:
    """Builds an application for the hosted platform: a folder of apps/, or a path from the kit's root below tests/.

    Tests of one module share a build folder for each variant, in which the platform's crates are compiled once. Another
    application becomes the root server there; only that is built then.
    """
    __tracebackhide__ = True
    variant = "-".join(option.rpartition("=")[2].strip("-") for option in options)
    build = Build(f"hosted{variant and '-' + variant}")
    build.configure("-DPLATFORM=hosted", f"-DAPP={'../' if app.startswith('tests/') else ''}{app}", *options)
    build.ninja()
    return build


def boots(app: str, *options: str) -> Build:
    """Builds an application, and checks that it prints its expected.txt."""
    __tracebackhide__ = True
    build = built(app, *options)
    build.boot(f"{'' if app.startswith('tests/') else 'apps/'}{app}/expected.txt")
    return build


def check_verdicts(build: Build, command: str, but: set[str], *, mcs: bool, halted: int) -> None:
    """Runs the tests of tests/kernel, which pass on kernels: all must pass but those that need what is not modelled.

    The last ones show what failing is like, up to a thread that never ends. With MCS its budget ends, and the system is
    halted with exit status `halted`.
    """
    __tracebackhide__ = True
    output = run(command, cwd=build.path, env={"SEL4_HOSTED_WATCHDOG": "2"}, status=halted if mcs else 83)
    found = {
        verdict: [
            name for name in re.findall(rf"libsel4-test: {verdict} (\S+)", output) if not name.startswith("verdicts::")
        ]
        for verdict in ("ok", "not ok")
    }
    check(set(found["not ok"]) == but, f"of the tests these failed: {found['not ok']}\n{output}")
    check(len(found["ok"]) > (63 if mcs else 55), f"only {len(found['ok'])} tests passed:\n{output}")


# What the root server of tests/hosted/wrong does, its exit code, and what is said.
WRONG: dict[str, tuple[Any, ...]] = {
    "nothing": (0, "nothing went wrong"),
    "wild pointer": (81, "thread `rootserver` stops at", "no data at 0x18"),
    "wild pointer in a call": (81, "thread `rootserver` stops at", "no data at 0x28"),
    "wild jump": (81, "thread `rootserver` stops at 0x38"),
    "capability": (81, "no capability to receive from at 0xffffffffffffffff"),
    "overflow": (81, "thread `rootserver` stops at"),
    "sizes": (0, "zero: 4, 1", "huge: 4, 10"),
    "heap": (0, "memory: "),
    "abort": (82, "abort()"),
    "deadlock": (80, "rootserver", "waits to receive from endpoint"),
    "spin": (83, "rootserver", "running"),
}


def check_endings(build: Build, command: str, program: str) -> None:
    """Runs the root server of tests/hosted/wrong once for each fault, which is written into the file `program`."""
    __tracebackhide__ = True
    image = build.path / program
    content = image.read_bytes()
    try:
        for name, (code, *says) in WRONG.items():
            image.write_bytes(
                content.replace(b"case: nothing".ljust(32, b"\0"), f"case: {name}".encode().ljust(32, b"\0"))
            )
            check_says(run(command, cwd=build.path, env={"SEL4_HOSTED_WATCHDOG": "1"}, status=code), *says)
    finally:
        image.write_bytes(content)
