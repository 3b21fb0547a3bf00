# SPDX-License-Identifier: BSD-2-Clause
"""SeL4's own tests, with each of their system calls made by Rust."""

import functools
import re

import pytest
from configurations import ARCHITECTURES
from projects.workspace import copy_project, link_cache
from support import KIT, folder, foreign, run, workspace, write
from support.builds import Build

pytestmark = [pytest.mark.needs("sources", "rust", "protobuf"), pytest.mark.weight(400)]

HERE = KIT / "tests" / "projects" / "sel4test"

# Architecture, and arguments of init-build.sh. MCS has other system calls, and objects of its own. On ia32, sel4test sets
# more flags in a subfolder than on aarch64, among them -m32.
CONFIGURATIONS = {
    "qemu-arm-virt": ("aarch64", "-DPLATFORM=qemu-arm-virt", "-DAARCH64=TRUE"),
    "qemu-arm-virt MCS": ("aarch64", "-DPLATFORM=qemu-arm-virt", "-DAARCH64=TRUE", "-DMCS=ON"),
    "ia32": ("ia32", "-DPLATFORM=ia32"),
    "qemu-riscv-virt": ("riscv64", "-DPLATFORM=qemu-riscv-virt", "-DRISCV64=TRUE"),
}
ROWS = pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(
            name,
            marks=[
                pytest.mark.needs(architecture),
                *([] if name == "qemu-arm-virt" else [pytest.mark.long]),
            ],
        )
        for name, (architecture, *_) in CONFIGURATIONS.items()
    ],
)
# Instruction that enters the kernel.
ENTRIES = {"aarch64": "svc", "ia32": "sysenter", "riscv64": "ecall"}
# sel4debug declares it `static` once more. It enters no kernel.
DECLARED_AGAIN = {"seL4_GetIPCBuffer"}
PASSED = re.compile(r"Test suite passed\. (\d+) tests passed\. (\d+) tests disabled\.")
# `pub fn name(argument: type, ...) -> type`, in bindgen's extern blocks and where a value is made in Rust itself.
FUNCTION = re.compile(
    r"^ *pub (?:const )?(?:unsafe )?(?:extern \"C\" )?fn (seL4_\w+)\(([^()]*)\)( -> [^;{]+?)?\s*[;{]", re.MULTILINE
)


@functools.cache
def sel4test(parent):
    """A workspace in `parent` with the manifest's projects and sel4test's own; skips where these cannot be had."""
    root, upstream = parent / "workspace", workspace()
    for part in (
        "kernel",
        "tools/seL4",
        "tools/corrosion",
        "tools/opensbi",
        *(f"projects/{path.name}" for path in (upstream / "projects").iterdir()),
    ):
        if part != "projects/sel4-rust-kit":
            copy_project(root, part)
    link_cache(root)
    foreign.fetch(HERE / "manifest.xml", root)
    (root / "projects" / "sel4-rust-kit").symlink_to(KIT)
    (root / "init-build.sh").symlink_to("tools/seL4/cmake-tool/init-build.sh")
    (root / "easy-settings.cmake").symlink_to("projects/sel4test/easy-settings.cmake")
    return root


class Sel4test:
    """A build of sel4test in one configuration, through a crate of its own."""

    def __init__(self, configuration):
        root = sel4test(folder())
        architecture, *options = CONFIGURATIONS[configuration]
        self.tools = ARCHITECTURES[architecture][0]
        self.folder = folder() / configuration.replace(" ", "-")
        self.crate = self.folder / "through"
        self.build = Build(f"{self.folder.name}/build", root / "init-build.sh")
        write(
            self.crate / "Cargo.toml",
            f"""[package]
name = "through"
version = "0.1.0"
edition = "2024"
[dependencies]
libsel4-kit-sys = {{ path = "{KIT}/rust/libsel4-sys" }}
[workspace]
""",
        )
        write(
            self.crate / "src" / "lib.rs",
            '#![no_std]\n#![allow(non_snake_case, clippy::missing_safety_doc)]\ninclude!("exports.rs");\n',
        )
        write(self.crate / "src" / "exports.rs", "")
        write(self.crate / "through.h", "")
        run("cargo", "generate-lockfile", "--offline", cwd=self.crate)
        self.build.configure(
            *options,
            f"-DCROSS_COMPILER_PREFIX={self.tools}",
            "-DSIMULATION=ON",
            f"-DCMAKE_PROJECT_sel4test-driver_INCLUDE={HERE}/through_rust.cmake",
            f"-DTHROUGH_RUST={self.crate}",
        )
        self.build.ninja("sel4_rust_sys_gen")
        self.exported = self.export()
        self.build.ninja()

    def export(self):
        """Writes a Rust function for each one of libsel4, and the header that calls it in C's place.

        Returns the functions' names.
        """
        bindings = (self.build.path / "rust" / "libsel4-sys" / "bindings.rs").read_text()
        functions = {
            name: (arguments, result or "")
            for name, arguments, result in FUNCTION.findall(bindings)
            if name not in DECLARED_AGAIN
        }
        rust = [
            "use libsel4_sys::*;",
            # cbindgen reads no macro, and so writes no header of its own.
            "macro_rules! through {",
            "    ($($export:ident $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;)*) => { $(",
            "    #[unsafe(no_mangle)]",
            '    pub unsafe extern "C" fn $export($($argument: $type),*) $(-> $result)? {',
            "        // SAFETY: the caller's promise, passed on.",
            "        #[allow(unused_unsafe)]",
            "        unsafe { $name($($argument),*) }",
            "    }",
            ")* } }",
            "through! {",
        ]
        # A system's header: what libsel4 calls deprecated is declared as well.
        header = [
            "#pragma once",
            "#pragma GCC system_header",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "#include <sel4/sel4.h>",
        ]
        for name, (arguments, result) in functions.items():
            rust.append(f"    rust_{name} {name}({' '.join(arguments.split())}){result};")
            header.append(f"extern __typeof__({name}) rust_{name};")
        # Not before all are declared: a type may be made of one of these names.
        header += [f"#define {name} rust_{name}" for name in functions]
        header += ["#ifdef __cplusplus", "}", "#endif"]
        write(self.crate / "src" / "exports.rs", "\n".join([*rust, "}", ""]))
        write(self.crate / "through.h", "\n".join([*header, ""]))
        return set(functions)


@functools.cache
def built(configuration):
    return Sel4test(configuration)


@ROWS
def test_G1_sel4test_passes_through_Rust_on(configuration):
    # Some of the tests let time slices run out in a certain order: time is that of instructions, not of a busy machine.
    # These arguments replace the script's own: on RISC-V, the image brings its firmware.
    own = "-bios none " if CONFIGURATIONS[configuration][0] == "riscv64" else ""
    steady = ("./simulate", f"--extra-qemu-args={own}-icount shift=0,sleep=off")
    outcome = built(configuration).build.boot(
        ["/Test suite passed\\. .*/", "All is well in the universe"], steady, silence=120
    )
    passed, disabled = map(int, next(filter(None, map(PASSED.search, outcome.lines))).groups())
    assert passed > 100, f"only {passed} tests passed, {disabled} were disabled"


@ROWS
def test_G1_nothing_but_Rust_enters_the_kernel_on(configuration):
    """No object file of sel4test and its libraries has the instruction but one that a test is about."""
    sel4test = built(configuration)
    entry = ENTRIES[CONFIGURATIONS[configuration][0]]
    folder = sel4test.build.path / "apps" / "sel4test-driver"
    objects = [
        path
        for path in sorted(folder.rglob("*.obj"))
        if path.relative_to(folder).parts[0] not in ("sel4runtime", "musllibc")
    ]
    assert len(objects) > 100, f"only {len(objects)} object files are found in `{folder}`"
    holders = [path.name for path in objects if f"\t{entry}" in run(f"{sel4test.tools}objdump", "-d", path)]
    assert holders == ["faults.c.obj"], f"these have it: {' '.join(holders)}"
