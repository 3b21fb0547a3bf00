# SPDX-License-Identifier: BSD-2-Clause
"""The hosted platform answers as the real kernel was recorded to do, line by line."""

import platform

import pytest
from conformance import recording
from conformance.narrow import digests, first_difference
from conformance.recording import HOSTED, check_hosted, recorded
from support import skip

pytestmark = pytest.mark.needs("rust", "hosted", "aarch64-linux")


def recording_of(name):
    """Its name, for what runs here by this name."""
    architecture = "aarch64" if "aarch64" in name else platform.machine()
    if architecture not in recording.CONFIGURATIONS:
        skip(f"there is no recording for {architecture}")
    if "aarch64" in name and platform.machine() == architecture:
        skip("this is an aarch64 machine, which `hosted` is for already")
    return architecture + ("-mcs" if name.endswith("-mcs") else "")


@pytest.mark.parametrize("name", recording.HOSTED_CONFIGURATIONS)
def test_the_scenarios_go_as_recorded(name):
    theirs = recorded("scenarios", recording_of(name))
    ours = recording.transcript("scenarios", recording.build("scenarios", name), ("./simulate",))
    check_hosted(ours, theirs, HOSTED)


@pytest.mark.parametrize("name", recording.HOSTED_CONFIGURATIONS)
def test_random_sequences_go_as_recorded(name):
    theirs = recorded("sequences", recording_of(name))
    ours = recording.transcript("sequences", recording.build("sequences", name), ("./simulate",))
    number = first_difference(digests(ours), digests(theirs))
    assert number is None, (
        f"sequence {number} differs; `tests/conformance/find_difference.py {recording_of(name)} {name}` shows where"
    )
