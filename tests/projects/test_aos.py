# SPDX-License-Identifier: BSD-2-Clause
"""A project of AOS's shape: no sel4muslcsys, its own system calls and linker script, and several programs in an archive."""

import pytest
from projects.workspace import default_layout
from support import KIT, run

pytestmark = [pytest.mark.needs("sources", "rust", "aarch64"), pytest.mark.weight(150), pytest.mark.long]

EXPECTED = [
    "Booting all finished, dropped to user space",
    "[INFO  program] a program of its own speaks",
    "[INFO  program] 1000 numbers are in order: true",
    "/^Rust panicked at .*program\\/src\\/lib\\.rs:/",
    "this program breaks",
    "/^\\[WARN  server\\] program 3: user exception 0x[0-9a-f]+ at 0x[0-9a-f]+, code 0x[0-9a-f]+$/",
    "[INFO  server] 3 programs, 1 of them failed",
]


def test_its_programs_run_Rust_and_a_panic_reaches_the_root_server() -> None:
    build, project = default_layout("aos", KIT / "tests" / "projects" / "aos")
    run("cargo", "generate-lockfile", "--offline", cwd=project)
    # AOS forces MCS.
    build.configure("-DPLATFORM=qemu-arm-virt", "-DKernelIsMCS=ON")
    build.ninja("root_server", "rootserver_image", "simulate_gen")
    build.boot(EXPECTED)
    # None of them has sel4muslcsys.
    for name in ("root_server", "speaker", "sorter", "breaker"):
        symbols = run("aarch64-linux-gnu-nm", next(build.path.rglob(f"aos/{name}")))
        assert "muslcsys_install_syscall" not in symbols and " start_muslc" in symbols, (
            f"`{name}` is linked with sel4muslcsys"
        )
