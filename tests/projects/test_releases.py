# SPDX-License-Identifier: BSD-2-Clause
"""Releases of seL4 before and after the one of the manifest: the table in docs/platforms.md, each cell a test."""

import re
import shutil
from pathlib import Path

import pytest
from support import KIT, folder, foreign, headers, workspace
from support.builds import Build

pytestmark = [pytest.mark.needs("sources", "rust"), pytest.mark.long, pytest.mark.weight(400)]

HERE = KIT / "tests" / "projects" / "releases"
# Releases, and the development branch, of the kernel alone: with the tools and libraries of the kit's manifest.
KERNELS = ("14.0.0", "15.0.0", "development")
PLATFORMS = {
    "aarch64": ("-DPLATFORM=qemu-arm-virt", "-DKernelArmExportVCNTUser=ON"),
    "x86_64": ("-DPLATFORM=x86_64",),
}
APPS = ("hello", "teamwork", "objects", "std-tour")


def with_kernel(kernel: str) -> Path:
    """Makes a workspace of this kernel, and the tools and libraries of the kit's manifest."""
    root, upstream = folder() / "workspace", workspace()
    if kernel == "development":
        foreign.fetch(HERE / kernel / "manifest.xml", root)
    else:
        # Not a link: Corrosion is looked for beside the kernel.
        shutil.copytree(headers.source(kernel), root / "kernel", symlinks=True)
    for part in ("tools", "projects"):
        (root / part).symlink_to(upstream / part)
    return with_init_build(root)


def with_init_build(root: Path) -> Path:
    """Completes a workspace by the kit's init-build.sh, and by the builds of muslc that other tests have made."""
    (root / "init-build.sh").symlink_to(KIT / "init-build.sh")
    cache = workspace() / ".sel4_cache"
    cache.mkdir(exist_ok=True)
    (root / ".sel4_cache").symlink_to(cache)
    return root


@pytest.mark.parametrize(
    ("kernel", "architecture"),
    [
        pytest.param(
            kernel, name, id=f"{kernel} {name}", marks=[pytest.mark.needs(name), pytest.mark.group(f"{kernel} {name}")]
        )
        for kernel in KERNELS
        for name in PLATFORMS
    ],
)
def test_apps_boot_unchanged_on_kernel(kernel: str, architecture: str) -> None:
    root = with_kernel(kernel)
    build = Build("workspace/build", root / "init-build.sh")
    for app in APPS:
        build.configure(*PLATFORMS[architecture], f"-DAPP={app}")
        build.ninja()
        build.boot(f"apps/{app}/expected.txt")


def in_lines(path: str) -> list[str]:
    """Returns the expectations of a file, each at the end of a line: the muslcsys of 13.0.0 warns in the middle of one."""
    lines = [line for line in (KIT / path).read_text().splitlines() if line and not line.startswith("#")]
    return [f"/{line[1:-1].removeprefix('^')}/" if line.startswith("/") else f"/{re.escape(line)}$/" for line in lines]


@pytest.mark.needs("aarch64", "lld")
@pytest.mark.group("13.0.0")
def test_apps_boot_in_the_workspace_of_13_0_0_and_STD_is_refused() -> None:
    root = folder() / "workspace"
    foreign.fetch(HERE / "13.0.0" / "manifest.xml", root)
    for part in ("corrosion", "opensbi"):
        (root / "tools" / part).symlink_to(workspace() / "tools" / part)
    with_init_build(root)
    build = Build("workspace/build", root / "init-build.sh")
    for app in APPS[:3]:
        build.configure(
            "-DPLATFORM=qemu-arm-virt",
            f"-DAPP={app}",
            f"-DCMAKE_PROJECT_sel4_rust_demo_INCLUDE={HERE}/13.0.0/lld.cmake",
        )
        build.ninja()
        build.boot(in_lines(f"apps/{app}/expected.txt"))
    build.configure_fails(
        "-DAPP=std-tour",
        "-DKernelArmExportVCNTUser=ON",
        says=("muslc is of version 1.1.16, and Rust's std needs 1.2.5", "Help: ", "leave STD out"),
    )
