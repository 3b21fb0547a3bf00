# SPDX-License-Identifier: BSD-2-Clause
"""libsel4 and libsel4-sys against other kernels: releases of seL4, and options of which there is no machine here."""

import shutil

import pytest
from configurations import ARCHITECTURES
from libsel4.api import bound, cargo_against, compare, tool
from projects.workspace import link_cache
from support import KIT, check, folder, headers, run, workspace
from support.builds import Build, Shared

# Only the host tool of this build is used.
pytestmark = [pytest.mark.on("zynqmp"), pytest.mark.needs(*ARCHITECTURES)]

SYSCALLS = KIT / "tests" / "libsel4" / "syscalls"
APP = "tests/libsel4/checks"
# What a kernel has that is configured for it: Rust target, prefix of the C compiler, what there must be then, options of
# the kernel. Only the headers are made. test_api.py boots some such kernels; of the others QEMU has no machine (Tegra),
# cannot run the kernel without the host's own hardware (VT-x, VT-d), or stops early (breakpoints on aarch32).
OPTIONAL: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "aarch64 hypervisor, utilisation": (
        "aarch64-unknown-none",
        "aarch64-linux-gnu-",
        ("seL4_ARM_VCPU_AckVPPI", "seL4_BenchmarkGetThreadUtilisation", "seL4_ARM_SMC_Call"),
        (
            "-DKernelPlatform=qemu-arm-virt",
            "-DKernelSel4Arch=aarch64",
            "-DKernelArmHypervisorSupport=ON",
            "-DKernelAllowSMCCalls=ON",
            "-DKernelBenchmarks=track_utilisation",
        ),
    ),
    "aarch64 breakpoints, tracepoints": (
        "aarch64-unknown-none",
        "aarch64-linux-gnu-",
        ("seL4_TCB_SetBreakpoint", "seL4_BenchmarkFlushL1Caches"),
        (
            "-DKernelPlatform=qemu-arm-virt",
            "-DKernelSel4Arch=aarch64",
            "-DHardwareDebugAPI=ON",
            "-DKernelBenchmarks=tracepoints",
        ),
    ),
    "aarch32 breakpoints, kernel entries": (
        "armv7a-none-eabi",
        "arm-linux-gnueabi-",
        ("seL4_TCB_ConfigureSingleStepping", "seL4_BenchmarkSetLogBuffer"),
        (
            "-DKernelPlatform=qemu-arm-virt",
            "-DKernelSel4Arch=aarch32",
            "-DHardwareDebugAPI=ON",
            "-DKernelBenchmarks=track_kernel_entries",
        ),
    ),
    "aarch32 hypervisor, MCS": (
        "armv7a-none-eabi",
        "arm-linux-gnueabi-",
        ("seL4_ARM_VCPU_ReadRegs", "seL4_TimeoutReply_new"),
        (
            "-DKernelPlatform=qemu-arm-virt",
            "-DKernelSel4Arch=arm_hyp",
            "-DKernelIsMCS=ON",
        ),
    ),
    "Tegra X2, SMMU": (
        "aarch64-unknown-none",
        "aarch64-linux-gnu-",
        ("seL4_ARM_SIDControl_GetFault", "seL4_ARM_CB_CBGetFault"),
        (
            "-DKernelPlatform=tx2",
            "-DKernelSel4Arch=aarch64",
            "-DKernelArmHypervisorSupport=ON",
            "-DKernelArmSMMU=ON",
        ),
    ),
    "Tegra K1, SMMU": (
        "armv7a-none-eabi",
        "arm-linux-gnueabi-",
        ("seL4_ARM_Page_MapIO", "seL4_ARM_IOPageTable_Map"),
        (
            "-DKernelPlatform=tk1",
            "-DKernelSel4Arch=arm_hyp",
            "-DKernelTk1SMMU=ON",
        ),
    ),
    "riscv64 MCS SMP, utilisation": (
        "riscv64gc-unknown-none-elf",
        "riscv64-linux-gnu-",
        ("seL4_BenchmarkGetThreadUtilisation", "seL4_DebugRun"),
        (
            "-DKernelPlatform=qemu-riscv-virt",
            "-DKernelSel4Arch=riscv64",
            "-DKernelIsMCS=ON",
            "-DKernelMaxNumNodes=2",
            "-DKernelBenchmarks=track_utilisation",
            "-DKernelDangerousCodeInjection=ON",
        ),
    ),
    "x86_64 VT-x VT-d SMP, utilisation": (
        "x86_64-unknown-linux-musl",
        "",
        (
            "seL4_VMEnter",
            "seL4_X86_VCPU_WriteMSR",
            "seL4_X86_Page_MapIO",
            "seL4_TCB_SetBreakpoint",
            "seL4_X86DangerousRDMSR",
        ),
        (
            "-DKernelPlatform=pc99",
            "-DKernelSel4Arch=x86_64",
            "-DKernelVTX=ON",
            "-DKernelX86_64VTX64BitGuests=ON",
            "-DKernelIOMMU=ON",
            "-DHardwareDebugAPI=ON",
            "-DKernelX86DangerousMSR=ON",
            "-DKernelMaxNumNodes=2",
            "-DKernelBenchmarks=track_utilisation",
        ),
    ),
    # With utilisation libsel4 itself does not compile on ia32.
    "ia32 VT-x VT-d, tracepoints": (
        "i686-unknown-linux-musl",
        "i686-linux-gnu-",
        (
            "seL4_VMEnter",
            "seL4_X86_Page_MapIO",
            "seL4_TCB_SetBreakpoint",
            "seL4_SetTLSBase",
            "seL4_BenchmarkSetLogBuffer",
        ),
        (
            "-DKernelPlatform=pc99",
            "-DKernelSel4Arch=ia32",
            "-DKernelVTX=ON",
            "-DKernelIOMMU=ON",
            "-DHardwareDebugAPI=ON",
            "-DKernelX86DangerousMSR=ON",
            "-DKernelBenchmarks=tracepoints",
        ),
    ),
}
# Those whose options others have on another architecture.
RARE = (
    "aarch64 breakpoints, tracepoints",
    "aarch32 breakpoints, kernel entries",
    "aarch32 hypervisor, MCS",
    "riscv64 MCS SMP, utilisation",
    "ia32 VT-x VT-d, tracepoints",
)
DEBUGGED = ("-DKernelVerificationBuild=OFF", "-DKernelDebugBuild=ON", "-DKernelPrinting=ON")
# Releases, and the configurations that they come with: target, prefix of the C compiler, what the compiler is told.
RELEASES = ("13.0.0", "14.0.0", "15.0.0", "master")
VERIFIED = {
    "AARCH64": ("aarch64-unknown-none", "aarch64-linux-gnu-", "-march=armv8-a"),
    "ARM": ("armv7a-none-eabi", "arm-linux-gnueabi-", "-march=armv7-a -mfloat-abi=soft"),
    "RISCV64": ("riscv64imac-unknown-none-elf", "riscv64-linux-gnu-", "-march=rv64imac -mabi=lp64"),
    "RISCV64_MCS": ("riscv64imac-unknown-none-elf", "riscv64-linux-gnu-", "-march=rv64imac -mabi=lp64"),
    "X64": ("x86_64-unknown-linux-musl", "", "-m64"),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            id=f"A1 {name}: the API has what C has, compiles and is documented",
            marks=pytest.mark.long if name in RARE else (),
        )
        for name in OPTIONAL
    ],
)
def test_is_as_a_whole_in_the_API(name: str, build: Shared) -> None:
    build.app(APP)
    target, prefix, wanted, options = OPTIONAL[name]
    words = name.replace(",", "").replace(" ", "-")
    found = headers.of_configuration(words, workspace() / "kernel", (*DEBUGGED, *options), prefix)
    bindings = bound(build, words, target, found)
    there = compare(name, bindings)
    check(there.issuperset(wanted), f"an option has no effect: there is no {set(wanted) - there}")
    cargo_against(bindings, target, "clippy", "--", "--deny", "warnings")
    cargo_against(bindings, target, "doc", "--no-deps", RUSTDOCFLAGS="--deny warnings")


# The oldest and the newest kernel, on two architectures; the others are in `./test --all`.
USUAL = (("13.0.0", "AARCH64"), ("master", "X64"))
# Each release and each configuration.
ALONE = (("13.0.0", "ARM"), ("14.0.0", "AARCH64"), ("15.0.0", "X64"), ("master", "RISCV64"), ("master", "RISCV64_MCS"))


@pytest.mark.parametrize(
    "release, verified",
    [
        pytest.param(
            release,
            verified,
            id=f"A8 seL4 {release} {verified}: the API has what C has, and compiles",
            marks=() if (release, verified) in USUAL else pytest.mark.long,
        )
        for release in RELEASES
        for verified in ("AARCH64", "ARM", "RISCV64_MCS", "X64")
    ],
)
def test_compiles_against_a_release(release: str, verified: str, build: Shared) -> None:
    build.app(APP)
    target, prefix, _ = VERIFIED[verified]
    found = headers.of_release(release, verified, prefix)
    bindings = bound(build, f"{release}-{verified}", target, found)
    compare(f"{release} {verified}", bindings)
    cargo_against(bindings, target, "clippy", "--", "--deny", "warnings")


@pytest.mark.parametrize(
    "release, verified",
    [
        pytest.param(
            release,
            verified,
            id=f"I1 A8 seL4 {release} {verified}: bound and compiled by environment variables alone",
            marks=() if (release, verified) in ALONE else pytest.mark.long,
        )
        for release in RELEASES
        for verified in VERIFIED
    ],
)
def test_is_bound_by_environment_variables_alone(release: str, verified: str, build: Shared) -> None:
    build.app(APP)
    target, prefix, flags = VERIFIED[verified]
    found = headers.of_release(release, verified, prefix)
    manifest = ("--manifest-path", SYSCALLS / "Cargo.toml")
    run(
        *("cargo", "--offline", "build", *manifest, "--target", target, "--locked"),
        env={
            "SEL4_SYS_DIR": None,
            "SEL4_RUST_TOOL": tool(build),
            "SEL4_CC": f"{prefix}gcc",
            "SEL4_AR": f"{prefix}ar",
            "SEL4_CFLAGS": f"{flags} -ffreestanding -nostdlib -fno-pic",
            "CARGO_TARGET_DIR": folder() / "release-target",
            **found.environment(),
        },
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "app",
    [pytest.param(app, id=f"A8 {app} boots on seL4 15.0.0") for app in ("objects", "drivers-first-step")],
)
def test_boots_on_a_release(app: str) -> None:
    # The manifest's sources but for the kernel; it lies there as a folder, for the build looks beside it for the tools.
    root = folder() / "workspace-15.0.0"
    if not root.exists():
        shutil.copytree(headers.source("15.0.0"), root / "kernel", symlinks=True)
        for name in ("tools", "projects"):
            (root / name).symlink_to(workspace() / name)
        (root / "init-build.sh").symlink_to(KIT / "init-build.sh")
        link_cache(root)
    build = Build("on-15.0.0", root / "init-build.sh")
    build.configure("-DPLATFORM=qemu-arm-virt", f"-DAPP={app}")
    build.ninja()
    build.boot(f"apps/{app}/expected.txt", linger=0.5)
