# SPDX-License-Identifier: BSD-2-Clause
"""RustAddLibrary() as projects for seL4_tools call it."""

import pytest
from build.project import HEAD, Project
from support import check_says, set_folder

pytestmark = [pytest.mark.needs("kernel", "rust", "aarch64", "x86_64"), pytest.mark.quick]

# What the module of seL4_tools does on a machine of today.
THEIRS = """function(RustAddLibrary)
    message(FATAL_ERROR "Could not find tool xargo.")
endfunction()
"""

OLD = """#![no_std]
use core::panic::PanicInfo;

#[no_mangle]
pub extern "C" fn {name}() -> i32 {{ {number} }}

mod later {{
    #[no_mangle]
    pub extern "C" fn {name}_later() {{}}
}}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {{ loop {{}} }}
"""


def old(name, number):
    """A crate as such projects have it, and a program that calls it."""
    return {
        f"{name}/Cargo.toml": f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2018"\n'
        '[lib]\ncrate-type = ["staticlib"]\n'
        '[profile.dev]\npanic = "abort"\n[profile.release]\npanic = "abort"\n',
        f"{name}/Cargo.lock": f'version = 3\n\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n',
        f"{name}/src/lib.rs": OLD.format(name=name, number=number),
        # A weak reference takes nothing out of an archive; the function comes with the one that is called.
        f"main_{name}.c": f"#include <stdio.h>\nint {name}(void);\nvoid {name}_later(void) __attribute__((weak));\n"
        f'int main(void) {{ printf("%d%s\\n", {name}(), {name}_later ? "" : " alone"); return 0; }}\n',
    }


def caller(name):
    return f"""
RustAddLibrary(
    rust_{name}
    SOURCE_DIR
    ${{CMAKE_CURRENT_SOURCE_DIR}}/{name}
    BUILD_DIR
    ${{CMAKE_CURRENT_BINARY_DIR}}/{name}-build
    TARGET
    x86_64-sel4-none
    LIB_FILENAME
    lib{name}.a
    DEPENDS
    prepare
)
add_executable(main_{name} main_{name}.c)
target_link_libraries(main_{name} PRIVATE rust_{name})
"""


PREPARE = "include(rust)\nadd_custom_target(prepare COMMAND ${CMAKE_COMMAND} -E touch prepared)\n"


def project_of(about, *crates):
    """A project in which their module is on the path before the kit is found, as settings.cmake has it."""
    head = HEAD.replace("find_package(", 'list(APPEND CMAKE_MODULE_PATH "${CMAKE_SOURCE_DIR}/tools")\nfind_package(', 1)
    files = {"tools/rust.cmake": THEIRS}
    for number, name in enumerate(crates, 1):
        files.update(old(name, number))
    return Project(about, PREPARE + "".join(map(caller, crates)), files, head)


def test_R1_an_unmodified_caller_builds_and_runs_on_stable():
    for build_type in ("Debug", "Release"):
        project = project_of(f"R1 {build_type}", "one")
        before = project.tree()
        project.works("1", "main_one", [f"-DCMAKE_BUILD_TYPE={build_type}"])
        assert (project.build / "one-build" / "libone.a").is_file(), "the archive is not in BUILD_DIR"
        assert (project.build / "prepared").is_file(), "DEPENDS was not built"
        assert project.tree() == before, "the source folder has changed"
        again = project.ninja()
        assert "Linking" not in again, f"a second build links:\n{again}"
        project.edit("one/src/lib.rs", "{ 1 }", "{ 11 }")
        project.ninja()
        project.prints("11", "main_one")


def test_R2_two_calls_in_one_project_work():
    project = project_of("R2", "one", "two")
    project.works("1", "main_one")
    project.prints("2", "main_two")


def test_R3_no_xargo_and_no_nightly_is_asked_for():
    project = project_of("R3", "one")
    project.configure()
    commands = (project.build / "build.ninja").read_text()
    check_says(commands, "bin/cargo rustc")
    for word in ("xargo", "nightly", "RUSTC_BOOTSTRAP", " -Z"):
        assert word not in commands, f"`{word}` is in build.ninja"
    assert "sel4-rust" not in commands, "the host tool is needed"


def row(about, call, *says):
    return pytest.param(call, says, id=about)


REFUSED = (
    row(
        "an unknown argument",
        "RustAddLibrary(a SOURCE_DIR one TARGET t LIB_FILENAME libone.a FEATURES f)\n",
        "RustAddLibrary(a) does not know the argument `FEATURES f`",
        "it takes SOURCE_DIR, BUILD_DIR, TARGET",
    ),
    *(
        row(
            f"a call without {keyword}",
            f"RustAddLibrary(a {rest})\n",
            f"RustAddLibrary(a) has no {keyword}",
            "give all of",
        )
        for keyword, rest in (
            ("SOURCE_DIR", "TARGET t LIB_FILENAME libone.a"),
            ("LIB_FILENAME", "SOURCE_DIR one TARGET t"),
            ("TARGET", "SOURCE_DIR one LIB_FILENAME libone.a"),
        )
    ),
    row(
        "a name that is taken",
        "add_custom_target(a)\nRustAddLibrary(a SOURCE_DIR one TARGET t LIB_FILENAME libone.a)\n",
        "there is a target `a` already",
    ),
    row(
        "a folder without Cargo.lock",
        "RustAddLibrary(a SOURCE_DIR two TARGET t LIB_FILENAME libone.a)\n",
        "there is no `",
        "/two/Cargo.lock`",
        "cargo generate-lockfile --manifest-path ",
    ),
)


@pytest.mark.parametrize(("call", "says"), REFUSED)
def test_RustAddLibrary_refuses(call, says, tmp_path):
    # A Cargo.lock is also looked for above the crate, and the kit has one.
    set_folder(tmp_path)
    Project("project", "include(rust)\n" + call, old("one", 1)).configure_fails(says=says)
