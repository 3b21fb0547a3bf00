# SPDX-License-Identifier: BSD-2-Clause
"""The oldest rustc that the kit supports, and the newest that rustup has, build apps for x86_64."""

import pytest
from support import KIT, Failure, run, skip
from support.builds import Build
from support.rust import other_toolchain

# Another rustc needs a build folder of its own: CMake keeps where it found the first one.
pytestmark = [pytest.mark.needs("sources", "rust", "x86_64"), pytest.mark.weight(160)]


@pytest.mark.parametrize("app", ["hello", "objects", "std-tour"])
@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_an_app_boots_with_the(which: str, app: str) -> None:
    environment = other_toolchain(which)
    try:
        run(KIT / "tools" / "provision" / "rust", "x86_64", cwd=KIT, env=environment)
    except Failure as failure:
        skip(f"rustup cannot bring the target of x86_64 to {environment['RUSTUP_TOOLCHAIN']}: {failure}")
    build = Build(which)
    # Release, where C's system calls are inlined into Rust.
    build.configure("-DPLATFORM=x86_64", "-DRELEASE=ON", f"-DAPP={app}", env=environment)
    build.ninja(env=environment)
    build.boot(f"apps/{app}/expected.txt", linger=0.5)
