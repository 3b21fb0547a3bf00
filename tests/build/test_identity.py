# SPDX-License-Identifier: BSD-2-Clause
"""What the kit leaves as it is: the kernel, the C libraries, the sources, and builds without Rust."""

import hashlib
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from bench.project import OnShared
from build import images
from projects.workspace import Workspace
from support import KIT, folder, run, workspace

pytestmark = [
    pytest.mark.needs("sources", "rust", "aarch64", "aarch32", "riscv64", "x86_64", "ia32"),
    pytest.mark.weight(120),
]


@pytest.fixture
def no_ccache(monkeypatch):
    """Compilations are compared, not what a cache has kept of one."""
    monkeypatch.setenv("CCACHE_DISABLE", "1")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.usefixtures("no_ccache")
@pytest.mark.parametrize(
    "platform, release",
    (
        pytest.param("qemu-arm-virt", "OFF", id="qemu-arm-virt-Debug"),
        pytest.param("qemu-arm-virt", "ON", id="qemu-arm-virt-Release", marks=pytest.mark.long),
        pytest.param("x86_64", "OFF", id="x86_64-Debug", marks=pytest.mark.long),
        pytest.param("x86_64", "ON", id="x86_64-Release", marks=pytest.mark.long),
    ),
)
def test_kernel_elf_has_one_SHA_256_with_and_without_the_kit(platform, release):
    """Two projects, one after the other at the same path, since the kernel's debug information names its folder."""
    project = Workspace(f"kernel-{platform}-{release}")
    build = project.build()
    hashes = []
    for step in (None, project.add_kit, project.add_rust):
        if step:
            step()
            build = project.build()
        build.configure(f"-DPLATFORM={platform}", f"-DRELEASE={release}")
        build.ninja("kernel.elf", "libsel4.a")
        hashes.append([sha256(build.path / file) for file in ("kernel/kernel.elf", "libsel4/libsel4.a")])
    assert (build.path / "rust" / "server" / "Cargo.toml").is_file(), "the last project has no Rust in it"
    assert hashes[0] == hashes[1] == hashes[2], (
        f"kernel.elf and libsel4.a: in C {hashes[0]}, with the kit in the project {hashes[1]}, with Rust {hashes[2]}"
    )


def path_without_rust():
    """PATH, with each folder that has Rust in it replaced by links to all else there."""
    rust, folders = ("cargo", "rustc", "rustup"), []
    for entry in map(Path, os.environ["PATH"].split(os.pathsep)):
        if any((entry / name).exists() for name in rust):
            links = folder() / "path" / str(len(folders))
            links.mkdir(parents=True, exist_ok=True)
            for program in entry.iterdir():
                if program.name not in rust and not (links / program.name).is_symlink():
                    (links / program.name).symlink_to(program)
            entry = links
        folders.append(str(entry))
    return {"PATH": os.pathsep.join(folders)}


def test_A7_without_cargo_and_rustc_a_project_in_C_with_the_kit_in_it_builds_and_boots():
    project = Workspace("no-rust")
    project.add_kit()
    lists = project.project / "CMakeLists.txt"
    lists.write_text(
        lists.read_text().replace(
            "find_package(seL4_libs REQUIRED)\n", "find_package(seL4_libs REQUIRED)\nfind_package(sel4_rust REQUIRED)\n"
        )
    )
    assert "sel4_rust" in lists.read_text(), "the project does not look for the kit"
    without = path_without_rust()
    run("sh", "-c", "! command -v cargo && ! command -v rustc", env=without)
    build = project.build()
    build.configure("-DPLATFORM=qemu-arm-virt", env=without)
    build.ninja("kernel.elf", "libsel4.a", env=without)
    build.ninja(env=without)
    build.boot(["Booting all finished, dropped to user space", "Hello from C, 4", "Signed in C++"])


def test_A7_without_cargo_and_rustc_a_project_with_Rust_gets_one_clear_error():
    project = Workspace("no-rust-but-asked")
    project.add_kit()
    project.add_rust()
    output = project.build().configure_fails(
        "-DPLATFORM=qemu-arm-virt",
        env=path_without_rust(),
        says=["`cargo` is not on PATH, and this project has Rust libraries.", "Help: install Rust"],
    )
    assert output.count("CMake Error") == 1, f"there is more than one error:\n{output}"


MAP = "rootserver.map"


def link_with_map(build, program):
    """Link `program` of a built folder again, as ninja does, and have the linker write its map."""
    command = build.ninja("-t", "commands", program).splitlines()[-1]
    output = f" -o {program} "
    assert output in command, f"the last command for `{program}` does not link it: {command}"
    run("sh", "-c", command.replace(output, f" -Wl,-Map={MAP}{output}"), cwd=build.path)


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(f"{name}{kind}", id=f"{architecture}-{kind.strip() or 'Debug'}")
        for architecture, name in (
            ("aarch64", "qemu-arm-virt"),
            ("aarch32", "qemu-arm-virt aarch32"),
            ("riscv64", "qemu-riscv-virt"),
            ("x86_64", "x86_64"),
            ("ia32", "ia32"),
        )
        for kind in ("", " Release")
    ],
)
def test_memcpy_of_muslc_and_helpers_of_libgcc_stay_in_the_image(configuration, build):
    build.program("teamwork")
    link_with_map(build, "apps/teamwork/rootserver")
    image = images.Image(build, "apps/teamwork/rootserver", MAP)
    origin = image.origins()
    assert any("libsel4_rust_rootserver.a(" in file for file in origin.values()), "the image has no Rust in it"

    # An image has what it calls; printf() calls these three.
    missing = {"memcpy", "memset", "strlen"} - origin.keys()
    assert not missing, f"not in the image: {missing}"
    for name in ("memcpy", "memset", "memmove", "memcmp", "strlen"):
        assert "/libc.a(" in origin.get(name, "/libc.a("), f"`{name}` is not muslc's: {origin.get(name)}"
    libgcc = image.archive("libgcc.a")
    for library in (libgcc, image.archive("libc.a")):
        taken = {name: origin[name] for name in image.globals_of(library) if "libsel4_rust_" in origin.get(name, "")}
        assert not taken, f"{library.name} defines these, but they come from Rust: {taken}"
    helpers = [name for name in image.globals_of(libgcc) if "libgcc.a(" in origin.get(name, "")]
    # On x86_64 a Release image needs none: what C does here is an instruction there.
    assert helpers or configuration == "x86_64 Release", "no helper of libgcc is in the image: the test shows nothing"


# The image is the same with another kernel beside it.
@pytest.mark.parametrize(
    "configuration",
    (
        pytest.param("qemu-arm-virt Release", id="aarch64"),
        pytest.param("qemu-arm-virt aarch32 Release", id="aarch32"),
        pytest.param("qemu-riscv-virt Release", id="riscv64"),
        pytest.param("x86_64 Release", id="x86_64"),
        pytest.param("ia32 Release", id="ia32"),
    ),
)
def test_K2_the_Release_image_of_hello_is_at_most_64_bytes_larger_than_in_C(configuration, build):
    """Compares it with the same program whose routine is in C."""
    programs = OnShared(build)
    programs.configure(("routine_c", "routine_rust"))
    programs.ninja("routine_c", "routine_rust")
    in_c, in_rust = (images.Image(build, programs.program(name)).text() for name in ("routine_c", "routine_rust"))
    print(f"  text: {in_c} bytes in C, {in_rust - in_c:+} with the routine in Rust")
    assert in_rust - in_c <= 64, f"{in_rust - in_c} bytes more than in C"


def test_the_upstream_sources_are_as_they_were_checked_out():
    for project in ElementTree.parse(KIT / "manifest.xml").getroot().iter("project"):
        if project.get("name") != "sel4-rust-kit":
            changes = run("git", "-C", workspace() / project.get("path"), "status", "--porcelain")
            assert not changes, f"{project.get('path')} has changes:\n{changes}"
