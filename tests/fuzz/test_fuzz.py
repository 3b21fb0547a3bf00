# SPDX-License-Identifier: BSD-2-Clause
"""Readers of foreign bytes take any bytes: no panic, no hang, a clear error."""

import re

import pytest
from support import KIT
from support.rust import cargo

pytestmark = [pytest.mark.needs("rust"), pytest.mark.quick, pytest.mark.weight(240)]
CRATE = KIT / "tests" / "fuzz"
TARGETS = re.findall(r'target\("(\w+)"', (CRATE / "src" / "lib.rs").read_text())


def test_the_crates_are_formatted_and_free_of_warnings():
    for crate in (CRATE, CRATE / "cargo-fuzz"):
        cargo("fmt", "--check", cwd=crate)
    cargo("clippy", "--locked", "--", "--deny", "warnings", cwd=CRATE)


def test_dependencies_have_the_versions_and_features_of_the_workspace():
    """The tests of both then compile each of them once."""

    def tree(folder, *options):
        shown = ("--locked", "--offline", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p} [{f}]")
        # Without cargo's word that it waits for another.
        lines = cargo("tree", "--quiet", *shown, *options, cwd=folder).replace(" (*)", "").splitlines()
        # Those of the workspace itself have their folder in the line.
        return {line for line in lines if line and str(KIT) not in line}

    alone = tree(CRATE) - tree(KIT, "--workspace")
    assert not alone, f"other versions or features than in {KIT / 'Cargo.lock'}: {sorted(alone)}"


def test_each_reader_has_its_program_under_cargo_fuzz():
    programs = re.findall(
        r'^name = "(\w+)"\npath = "target.rs"', (CRATE / "cargo-fuzz/Cargo.toml").read_text(), re.MULTILINE
    )
    assert len(TARGETS) > 5 and programs == TARGETS, f"readers {TARGETS}, programs {programs}"


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_makes_a_reader_panic_or_hang(target):
    output = cargo("run", "--locked", "--quiet", "--", target, cwd=CRATE)
    assert re.search(rf"^{target}: \d+ inputs in ", output, re.MULTILINE), output
