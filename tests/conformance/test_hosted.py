# SPDX-License-Identifier: BSD-2-Clause
"""The hosted platform answers as the real kernel was recorded to do, line by line."""

import platform

import pytest
from conformance import recording
from conformance.narrow import digests, first_difference
from conformance.recording import HOSTED, check_hosted, recorded
from support import skip

pytestmark = [pytest.mark.needs("rust", "hosted", "aarch64-linux"), pytest.mark.weight(100)]


def recording_of(name):
    """Its name, for what runs here by this name."""
    architecture = "aarch64" if "aarch64" in name else platform.machine()
    if architecture not in recording.CONFIGURATIONS:
        skip(f"there is no recording for {architecture}")
    if "aarch64" in name and platform.machine() == architecture:
        skip("this is an aarch64 machine, which `hosted` is for already")
    return architecture + ("-mcs" if name.endswith("-mcs") else "")


def rows(*usual: str) -> pytest.MarkDecorator:
    """Returns a row for each variant of the hosted platform; those that are not `usual` are long."""
    marked = [
        pytest.param(name, marks=() if name in usual else pytest.mark.long) for name in recording.HOSTED_CONFIGURATIONS
    ]
    return pytest.mark.parametrize("name", marked)


# QEMU's user mode is slow, and both kinds of scheduling are the same code on both architectures.
@rows("hosted", "hosted-mcs", "hosted-aarch64")
def test_the_scenarios_go_as_recorded(name):
    theirs = recorded("scenarios", recording_of(name))
    ours = recording.transcript("scenarios", recording.build("scenarios", name), ("./simulate",))
    check_hosted(ours, theirs, HOSTED)


@rows("hosted", "hosted-mcs")
def test_random_sequences_go_as_recorded(name):
    theirs = recorded("sequences", recording_of(name))
    ours = recording.transcript("sequences", recording.build("sequences", name), ("./simulate",))
    number = first_difference(digests(ours), digests(theirs))
    assert number is None, (
        f"sequence {number} differs; `tests/conformance/find_difference.py {recording_of(name)} {name}` shows where"
    )
