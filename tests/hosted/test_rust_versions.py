# SPDX-License-Identifier: BSD-2-Clause
"""The oldest rustc that the kit supports, and the newest that rustup has, build for the hosted platform."""

import pytest
from support.builds import Build
from support.rust import other_toolchain

pytestmark = [pytest.mark.needs("rust", "hosted"), pytest.mark.weight(105)]


@pytest.mark.parametrize("app", ["hello", "std-tour"])
@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_an_app_runs_with_the(which: str, app: str) -> None:
    environment = other_toolchain(which)
    build = Build(which)
    build.configure("-DPLATFORM=hosted", f"-DAPP={app}", env=environment)
    build.ninja(env=environment)
    build.boot(f"apps/{app}/expected.txt")
