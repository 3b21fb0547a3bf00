# SPDX-License-Identifier: BSD-2-Clause
"""seL4's own projects, sel4test and sel4bench, with each of their system calls made by Rust.

through_rust.cmake beside this file says how: the projects themselves know nothing of it.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from projects.workspace import copy_project, link_cache
from support import KIT, folder, foreign, run, workspace, write
from support.builds import Build

HERE = KIT / "tests" / "projects"
# sel4debug declares it `static` once more. It enters no kernel.
DECLARED_AGAIN = {"seL4_GetIPCBuffer"}
# `pub fn name(argument: type, ...) -> type`, in bindgen's extern blocks and where a value is made in Rust itself.
FUNCTION = re.compile(
    r"^ *pub (?:const )?(?:unsafe )?(?:extern \"C\" )?fn (seL4_\w+)\(([^()]*)\)( -> [^;{]+?)?\s*[;{]", re.MULTILINE
)


@dataclass(frozen=True)
class Project:
    """A project of seL4's own in the layout of sel4test."""

    name: str
    # Subfolder that sets up the C library, and the name of its project() of CMake.
    subfolder: str
    cmake_project: str
    # What is compiled to call Rust, beside seL4's libraries.
    targets: tuple[str, ...]


@functools.cache
def workspace_of(name: str, parent: Path) -> Path:
    """Returns a workspace in `parent` with the manifest's projects and those of `name`; skips if these cannot be had."""
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
    foreign.fetch(HERE / name / "manifest.xml", root)
    (root / "projects" / "sel4-rust-kit").symlink_to(KIT)
    (root / "init-build.sh").symlink_to("tools/seL4/cmake-tool/init-build.sh")
    (root / "easy-settings.cmake").symlink_to(f"projects/{name}/easy-settings.cmake")
    return root


def build_in_c(project: Project, configuration: str, options: Sequence[str]) -> Build:
    """Builds a project as it is."""
    root = workspace_of(project.name, folder())
    build = Build(f"{configuration.replace(' ', '-')}-in-C", root / "init-build.sh")
    build.configure(*options, "-DSIMULATION=ON")
    build.ninja()
    return build


class ThroughRust:
    """A build of a project in one configuration, through a crate of its own."""

    def __init__(self, project: Project, configuration: str, options: Sequence[str]) -> None:
        self.project = project
        root = workspace_of(project.name, folder())
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
            "-DSIMULATION=ON",
            f"-DCMAKE_PROJECT_{project.cmake_project}_INCLUDE={HERE}/through_rust.cmake",
            f"-DTHROUGH_RUST={self.crate}",
            f"-DTHROUGH_TARGETS={';'.join(project.targets)}",
        )
        self.build.ninja("sel4_rust_sys_gen")
        self.exported = self.export()
        self.build.ninja()

    def export(self) -> set[str]:
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

    def entering(self, objdump: str, instruction: str) -> set[str]:
        """Returns the names of the C object files with an instruction, but for those of the C library."""
        built = self.build.path / self.project.subfolder
        objects = [
            path
            for path in sorted(built.rglob("*.obj"))
            if path.relative_to(built).parts[0] not in ("sel4runtime", "musllibc")
        ]
        assert len(objects) > 100, f"only {len(objects)} object files are found in `{built}`"
        return {path.name for path in objects if f"\t{instruction}" in run(objdump, "-d", path)}
