# SPDX-License-Identifier: BSD-2-Clause
"""SeL4's own tests, with each of their system calls made by Rust."""

import functools
import re

import pytest
from configurations import ARCHITECTURES
from projects.through import Project, ThroughRust, build_in_c
from support.builds import Build

pytestmark = [pytest.mark.needs("sources", "rust", "protobuf"), pytest.mark.weight(400)]

SEL4TEST = Project(
    "sel4test", "apps/sel4test-driver", "sel4test-driver", ("sel4testsupport", "sel4test-tests", "sel4test-driver")
)
# Architecture, and arguments of init-build.sh. MCS has other system calls, and objects of its own. On ia32, sel4test sets
# more flags in a subfolder than on aarch64, among them -m32.
CONFIGURATIONS = {
    "qemu-arm-virt": ("aarch64", "-DPLATFORM=qemu-arm-virt", "-DAARCH64=TRUE"),
    "qemu-arm-virt MCS": ("aarch64", "-DPLATFORM=qemu-arm-virt", "-DAARCH64=TRUE", "-DMCS=ON"),
    "ia32": ("ia32", "-DPLATFORM=ia32"),
    "qemu-riscv-virt": ("riscv64", "-DPLATFORM=qemu-riscv-virt", "-DRISCV64=TRUE"),
    "x86_64": ("x86_64", "-DPLATFORM=x86_64"),
}


def rows(long: tuple[str, ...]) -> pytest.MarkDecorator:
    """Parametrizes a test by the configurations, of which some are long ones."""
    return pytest.mark.parametrize(
        "configuration",
        [
            pytest.param(
                name,
                marks=[pytest.mark.needs(architecture), *([pytest.mark.long] if name in long else [])],
            )
            for name, (architecture, *_) in CONFIGURATIONS.items()
        ],
    )


ROWS = rows(tuple(CONFIGURATIONS)[1:])
# Instruction that enters the kernel.
ENTRIES = {"aarch64": "svc", "ia32": "sysenter", "riscv64": "ecall", "x86_64": "syscall"}
PASSED = re.compile(r"Test suite passed\. (\d+) tests passed\. (\d+) tests disabled\.")


def options(configuration: str) -> list[str]:
    """Returns the arguments of init-build.sh for a configuration."""
    architecture, *arguments = CONFIGURATIONS[configuration]
    return [*arguments, f"-DCROSS_COMPILER_PREFIX={ARCHITECTURES[architecture][0]}"]


@functools.cache
def built(configuration: str) -> ThroughRust:
    """Returns the build through Rust, which is made once."""
    return ThroughRust(SEL4TEST, configuration, options(configuration))


@functools.cache
def passes(build: Build, configuration: str) -> tuple[int, int]:
    """Runs the tests; returns how many passed, and how many are disabled in this configuration."""
    # Some of the tests let time slices run out in a certain order: time is that of instructions, not of a busy machine.
    # These arguments replace the script's own: on RISC-V, the image brings its firmware.
    own = "-bios none " if CONFIGURATIONS[configuration][0] == "riscv64" else ""
    steady = ("./simulate", f"--extra-qemu-args={own}-icount shift=0,sleep=off")
    outcome = build.boot(["/Test suite passed\\. .*/", "All is well in the universe"], steady, silence=120)
    passed, disabled = map(int, next(filter(None, map(PASSED.search, outcome.lines))).groups())
    return passed, disabled


@ROWS
def test_G1_sel4test_passes_through_Rust_on(configuration: str) -> None:
    passed, disabled = passes(built(configuration).build, configuration)
    assert passed > 100, f"only {passed} tests passed, {disabled} were disabled"


@rows(tuple(CONFIGURATIONS))
def test_G1_as_many_tests_of_sel4test_pass_as_in_C_on(configuration: str) -> None:
    through_rust = passes(built(configuration).build, configuration)
    in_c = passes(build_in_c(SEL4TEST, configuration, options(configuration)), configuration)
    assert through_rust == in_c, f"in C, {in_c} tests pass and are disabled; through Rust, {through_rust}"


@ROWS
def test_G1_nothing_but_Rust_enters_the_kernel_on(configuration: str) -> None:
    """No object file of sel4test and its libraries has the instruction but one that a test is about."""
    architecture = CONFIGURATIONS[configuration][0]
    objdump = f"{ARCHITECTURES[architecture][0]}objdump"
    holders = built(configuration).entering(objdump, ENTRIES[architecture])
    assert holders == {"faults.c.obj"}, f"these have it: {' '.join(holders)}"
