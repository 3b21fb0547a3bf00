# SPDX-License-Identifier: BSD-2-Clause
"""Table of the configurations that tests build: each is built once in a run, for all tests on it.

A test names its configuration by a parameter `configuration`, or by `@pytest.mark.on("x86_64")`. conftest.py derives from
this table what must be installed for it, and which worker runs it.
"""

from dataclasses import dataclass

# Architecture: prefix of its C tools, Rust target of bare metal.
ARCHITECTURES = {
    "aarch64": ("aarch64-linux-gnu-", "aarch64-unknown-none"),
    "aarch32": ("arm-linux-gnueabi-", "armv7a-none-eabi"),
    "riscv64": ("riscv64-linux-gnu-", "riscv64gc-unknown-none-elf"),
    "x86_64": ("", "x86_64-unknown-linux-musl"),
    "ia32": ("i686-linux-gnu-", "i686-unknown-linux-musl"),
}
# A run of all tests but those marked `long` builds at most so many configurations.
MOST_SHARED_BUILDS = 20


@dataclass(frozen=True)
class Configuration:
    """One configuration of the kernel and the C libraries."""

    name: str
    architecture: str
    # Arguments of init-build.sh, but for the application and its options. They settle the kernel's configuration for all
    # applications of all tests, so that the kernel is built once.
    options: tuple[str, ...]
    # Estimated seconds of the tests on it, relative to each other. Long ones start first.
    weight: int = 60
    # Its tests belong to `./test --all`: a kernel for a few rows, whose parts other configurations have as well.
    long: bool = False

    @property
    def tools(self) -> str:
        """Prefix of the C compiler and the binutils."""
        return ARCHITECTURES[self.architecture][0]

    @property
    def triple(self) -> str:
        """Rust target of libraries without std."""
        return ARCHITECTURES[self.architecture][1]

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be installed: NEEDS of conftest.py."""
        camkes = ("camkes",) if "CAmkES" in self.has else ()
        return ("sources", *camkes, "kernel", "rust", "ccache", self.architecture)

    @property
    def has(self) -> frozenset[str]:
        """Words of the name: "MCS", "SMP", "Release" …"""
        return frozenset(self.name.split())


# std's clock reads the counter; one test reads the physical timer's.
ARM = ("-DPLATFORM=qemu-arm-virt", "-DKernelArmExportVCNTUser=ON", "-DKernelArmExportPTMRUser=ON")
AARCH32 = (*ARM, "-DAARCH32=TRUE")
ZYNQMP = ("-DPLATFORM=zynqmp", "-DKernelArmExportVCNTUser=ON")
RISCV = ("-DPLATFORM=qemu-riscv-virt",)
X86_64 = ("-DPLATFORM=x86_64",)
IA32 = ("-DPLATFORM=ia32",)
RELEASE, MCS, SMP = "-DRELEASE=ON", "-DMCS=ON", ("-DSMP=ON", "-DNUM_NODES=2")
# With debug info, from which a test tells where each instruction comes from.
TRACED = (RELEASE, "-DCMAKE_C_FLAGS_RELEASE=-O3 -DNDEBUG -g")
SILENT = (RELEASE, "-DPRINTING=OFF")
UTILISATION = "-DKernelBenchmarks=track_utilisation"
BREAKPOINTS = "-DHardwareDebugAPI=ON"
# Slots for large programs: one for each page of the image, as a hundred threads with their memory need them.
LARGE = "-DKernelRootCNodeSizeBits=17"

CONFIGURATIONS = {
    each.name: each
    for each in (
        Configuration("zynqmp", "aarch64", ZYNQMP, 320),
        Configuration("zynqmp Release", "aarch64", (*ZYNQMP, *TRACED, "-DKernelAllowSMCCalls=ON"), 160),
        Configuration("zynqmp silent", "aarch64", (*ZYNQMP, *SILENT), 25),
        Configuration("zynqmp aarch32", "aarch32", (*ZYNQMP, "-DAARCH32=TRUE"), 30, long=True),
        Configuration("qemu-arm-virt", "aarch64", ARM, 900),
        Configuration("qemu-arm-virt Release", "aarch64", (*ARM, RELEASE, LARGE), 250),
        Configuration("qemu-arm-virt MCS", "aarch64", (*ARM, MCS), 330),
        Configuration("qemu-arm-virt MCS Release", "aarch64", (*ARM, MCS, *TRACED, LARGE), 200, long=True),
        Configuration("qemu-arm-virt SMP", "aarch64", (*ARM, *SMP, BREAKPOINTS), 130),
        Configuration("qemu-arm-virt MCS SMP", "aarch64", (*ARM, MCS, *SMP), 60, long=True),
        Configuration(
            "qemu-arm-virt hypervisor", "aarch64", (*ARM, "-DKernelArmHypervisorSupport=ON", UTILISATION), 35
        ),
        # seL4's llvm.cmake.
        Configuration("qemu-arm-virt clang", "aarch64", (*ARM, "-DTRIPLE=aarch64-linux-gnu"), 60, long=True),
        Configuration("qemu-arm-virt silent", "aarch64", (*ARM, *SILENT), 60, long=True),
        Configuration("qemu-arm-virt aarch32", "aarch32", AARCH32, 100, long=True),
        Configuration("qemu-arm-virt aarch32 Release", "aarch32", (*AARCH32, *TRACED), 95),
        Configuration("qemu-arm-virt aarch32 MCS", "aarch32", (*AARCH32, MCS), 80, long=True),
        Configuration("qemu-arm-virt aarch32 silent", "aarch32", (*AARCH32, *SILENT), 60, long=True),
        Configuration("qemu-riscv-virt", "riscv64", RISCV, 100, long=True),
        Configuration("qemu-riscv-virt Release", "riscv64", (*RISCV, *TRACED), 130),
        Configuration("qemu-riscv-virt MCS", "riscv64", (*RISCV, MCS), 80, long=True),
        Configuration("qemu-riscv-virt silent", "riscv64", (*RISCV, *SILENT), 60, long=True),
        # Those that seL4's own CI boots in QEMU, beside the ones above.
        Configuration("sabre", "aarch32", ("-DPLATFORM=sabre",), 30, long=True),
        Configuration("zynq7000", "aarch32", ("-DPLATFORM=zynq7000",), 30, long=True),
        Configuration("spike", "riscv64", ("-DPLATFORM=spike",), 30, long=True),
        Configuration("x86_64", "x86_64", X86_64, 500),
        Configuration("x86_64 Release", "x86_64", (*X86_64, *TRACED, LARGE), 210),
        Configuration("x86_64 MCS", "x86_64", (*X86_64, MCS), 200),
        Configuration("x86_64 MCS domains", "x86_64", (*X86_64, MCS, "-DKernelNumDomains=2"), 40, long=True),
        Configuration("x86_64 SMP", "x86_64", (*X86_64, *SMP, BREAKPOINTS, "-DKernelRootCNodeSizeBits=14"), 110),
        Configuration("x86_64 silent", "x86_64", (*X86_64, *SILENT), 60, long=True),
        Configuration("ia32", "ia32", IA32, 100, long=True),
        Configuration("ia32 Release", "ia32", (*IA32, *TRACED), 65),
        Configuration("ia32 MCS", "ia32", (*IA32, MCS), 60, long=True),
        Configuration("ia32 silent", "ia32", (*IA32, *SILENT), 60, long=True),
        # For apps of CAmkES components alone, which bring libraries and settings of their own.
        Configuration("CAmkES qemu-arm-virt", "aarch64", ARM, 60),
        Configuration("CAmkES qemu-arm-virt Release", "aarch64", (*ARM, RELEASE), 100, long=True),
        Configuration("CAmkES qemu-arm-virt MCS", "aarch64", (*ARM, MCS), 100, long=True),
        Configuration("CAmkES qemu-arm-virt aarch32", "aarch32", AARCH32, 100, long=True),
        Configuration("CAmkES qemu-riscv-virt", "riscv64", RISCV, 100, long=True),
        Configuration("CAmkES x86_64", "x86_64", X86_64, 100, long=True),
    )
}
