# SPDX-License-Identifier: BSD-2-Clause
"""Rust's own tests of std, and crates' own tests, pass in a C root server; a stress run gives everything back."""

import functools
from pathlib import Path

import pytest
from suites import programs, registry, suite
from support import KIT, Failure, check, run, skip
from support.builds import Shared

# What stands on libsel4std most; suites.py runs the others too. Time on one machine alone, for it takes the longest.
SUITES = {
    "qemu-arm-virt Release": ("sync", "thread", "thread_local"),
    "x86_64 Release": ("sync", "thread", "thread_local", "time"),
}


@functools.cache
def objects(configuration: str, architecture: str) -> dict[str, Path]:
    try:
        run(KIT / "tools" / "provision" / "rust", "rust-src", cwd=KIT)
    except Failure as failure:
        reason = next(line for line in str(failure).splitlines() if "error: " in line)
        skip(f"rust-src cannot be had: {reason}")
    return programs.build(suite.programs_folder(), architecture, sorted(SUITES[configuration]))


@pytest.mark.parametrize(
    "configuration, name",
    [
        pytest.param(
            configuration,
            name,
            id=f"{name} on {configuration}",
            marks=() if configuration == "x86_64 Release" else pytest.mark.long,
        )
        for configuration, names in SUITES.items()
        for name in names
    ],
)
def test_passes(configuration: str, name: str, build: Shared) -> None:
    programs = {name: objects(configuration, build.configuration.architecture)[name]}
    check_pass(configuration, programs, build)


def check_pass(configuration: str, objects: dict[str, Path], build: Shared) -> None:
    findings = []
    for program, verdict in suite.judge(suite.select_root_server(build), configuration, objects):
        print(f"{program}: {verdict.passed} passed, {verdict.ignored} ignored, {verdict.excluded} excluded")
        findings += [f"{program}: {finding}" for finding in verdict.findings]
    check(not findings, "\n".join(findings))


# Many at once, as crates that use the same ones are built once.
PARTS = {"some": registry.FEW, "all": registry.PASSED}


@pytest.mark.parametrize(
    "configuration, part",
    [
        pytest.param(
            configuration,
            part,
            id=f"{part} crates, their own tests, on {configuration}",
            marks=() if (configuration, part) == ("x86_64 Release", "some") else pytest.mark.long,
        )
        for configuration in suite.OF_CRATES
        for part in PARTS
        if part != "some" or configuration == "x86_64 Release"
    ],
)
def test_crates_pass_their_own_tests(configuration: str, part: str, build: Shared) -> None:
    folder = suite.programs_folder() / "registry"
    check_pass(configuration, registry.build(folder, build.configuration.architecture, list(PARTS[part])), build)


# Where threads rest on other objects, and where there are several cores.
@pytest.mark.parametrize(
    "configuration",
    [pytest.param(name, id=f"10 s of stress on {name}") for name in ("qemu-arm-virt MCS Release", "x86_64 SMP")],
)
def test_gives_everything_back(configuration: str, build: Shared) -> None:
    build.app("tests/suites/stress").boot("tests/suites/stress/expected.txt", linger=0.5)
