# SPDX-License-Identifier: BSD-2-Clause
"""The README's commands in bare installations of Debian; bare_debian.py makes them."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from environments import bare_debian
from support import KIT, check, check_says, folder, run, skip, until

pytestmark = [pytest.mark.needs("rust"), pytest.mark.weight(900)]


@pytest.mark.quick
@pytest.mark.group("root")
def test_an_interrupted_run_leaves_nothing_of_this_machine_in_the_root() -> None:
    if os.geteuid() != 0:
        skip("only root may mount")
    root = folder() / "root"
    for name in ("dev/pts", "proc", "tmp"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    script = "touch /usr/x || touch /tmp/refused; touch /dev/own /tmp/ready; sleep 1000"
    process = subprocess.Popen(bare_debian.in_root(root, [Path("/usr")], "sh", "-c", script), stderr=subprocess.PIPE)
    until("the script in the root begins to wait", (root / "tmp/ready").exists)
    mounts = Path("/proc/mounts").read_text()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    check(str(root) not in mounts, f"this machine sees the mounts of the root:\n{mounts}")
    check((root / "tmp/refused").exists(), "a folder of this machine can be written")
    check(not Path("/dev/own").exists(), "the root has this machine's /dev")
    check(not [*(root / "usr").iterdir(), *(root / "proc").iterdir()], "something is mounted there still")


@pytest.mark.long
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
