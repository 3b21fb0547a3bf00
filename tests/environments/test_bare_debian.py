# SPDX-License-Identifier: BSD-2-Clause
"""The README's commands in bare installations of Debian; bare_debian.py makes them."""

import os
import shutil
from pathlib import Path

import pytest
from support import KIT, check_says, run, skip

pytestmark = [pytest.mark.long, pytest.mark.needs("rust"), pytest.mark.weight(900)]


@pytest.mark.parametrize("arguments", ("zynqmp", "hosted"))
@pytest.mark.parametrize("release", ("bookworm", "trixie"))
def test_quickstart_sets_up_a_bare_Debian(release: str, arguments: str) -> None:
    if os.geteuid() != 0:
        skip("only root may make an installation of Debian")
    if not shutil.which("debootstrap"):
        skip("debootstrap is not installed")
    if not (KIT / ".git").exists():
        skip(f"{KIT} is not a git repository")
    script = Path(__file__).with_name("bare_debian.py")
    output = run(script, release, "--", arguments, timeout=7200)
    check_says(output, "installing through apt", f"quickstart: `hello` ran on {arguments}")
