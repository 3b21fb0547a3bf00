# SPDX-License-Identifier: BSD-2-Clause
"""Quickstart, test and the set-up scripts answer bad input and report honestly."""

import os
import shutil
import subprocess

import pytest
from commands.upstream import no_upstream
from support import KIT, Failure, check_says, folder, must_fail, run, skip, write

pytestmark = [pytest.mark.needs("kernel", "rust"), pytest.mark.quick]

QUICKSTART = KIT / "quickstart"


def test_quickstart_explains_itself():
    check_says(run(QUICKSTART, "--help"), "usage: ./quickstart", "zynqmp", "hello")


@pytest.mark.parametrize(
    "script", ["bench/bench", "conformance/find_difference", "conformance/record", "suites/suites"]
)
def test_a_script_of_the_tests_explains_itself(script):
    check_says(run(KIT / "tests" / f"{script}.py", "--help"), f"usage: {script.rpartition('/')[2]}.py")


REFUSED = {
    "nowhere": ("no platform `nowhere`", "give one of: zynqmp"),
    "--app nothing": ("no app `nothing`", "give one of: ", " hello "),
    "--app": ("`--app` needs",),
    "--fast": ("no option `--fast`", "--help"),
    "zynqmp x86_64": ("one platform, not `zynqmp` and `x86_64`", "give one of: zynqmp"),
    "x86_64 --aarch32": ("`--aarch32` is for qemu-arm-virt, not `x86_64`",),
}


@pytest.mark.parametrize(("arguments", "says"), REFUSED.items(), ids=REFUSED)
def test_quickstart_refuses(arguments, says):
    must_fail(QUICKSTART, *arguments.split(), says=("error: ", *says), env=no_upstream("refuses"))


def copy_of_the_kit(name):
    """What quickstart itself reads; its builds are not to lie in the kit."""
    clone = folder() / name
    for part in ("tools", "apps"):
        shutil.copytree(KIT / part, clone / part, ignore=shutil.ignore_patterns("target"))
    for part in ("quickstart", "init-build.sh", "manifest.xml", "Cargo.toml"):
        shutil.copy(KIT / part, clone / part)
    return clone


def test_quickstart_that_is_interrupted_reports_no_error():
    clone = copy_of_the_kit("interrupted")
    fakes = clone / "fakes"
    write(fakes / "cmake", "#!/bin/sh\n")
    # As on a terminal: the whole group of processes gets the signal, and ninja ends by itself.
    write(fakes / "ninja", "#!/bin/sh\ntrap : INT\nkill -INT 0\nexit 2\n")
    for fake in fakes.iterdir():
        fake.chmod(0o755)
    ended = subprocess.run(
        [clone / "quickstart", "hosted"],
        env={**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}"},
        start_new_session=True,
        capture_output=True,
        text=True,
    )
    check_says(ended.stderr, "[5/6] build")
    assert ended.returncode == 130, f"it ended with {ended.returncode}:\n{ended.stderr}"
    assert "error: " not in ended.stderr, ended.stderr


def test_quickstart_in_a_folder_with_a_space_says_that_seL4_cannot_link_there():
    clone = copy_of_the_kit("with space")
    must_fail(
        clone / "quickstart",
        "zynqmp",
        env=no_upstream("with-space"),
        says=(f"a space in its path, as in `{clone}`", "help: move it to a path without one", "`./quickstart hosted`"),
    )
    assert not list(clone.glob("build*")), "it left a build folder"


def test_quickstart_of_a_named_platform_without_upstream_says_so_and_leaves_nothing():
    before = set(KIT.iterdir())
    output = must_fail(
        QUICKSTART,
        "zynqmp",
        env=no_upstream("quickstart"),
        says=(
            "error: the upstream sources cannot be fetched: `https://github.com/seL4/seL4` cannot be reached",
            "help: ",
        ),
    )
    assert output.count("error: ") == 1, f"more than one error:\n{output}"
    assert set(KIT.iterdir()) == before, "it left a folder behind"


def test_init_build_without_sources_says_how_to_get_them():
    (folder() / "build").mkdir()
    must_fail(
        KIT / "init-build.sh",
        "-DPLATFORM=zynqmp",
        cwd=folder() / "build",
        env=no_upstream("init-build"),
        says=("error: the upstream sources that manifest.xml names are not at", "./quickstart", "repo sync"),
    )
    assert not list((folder() / "build").iterdir()), "the build folder is not empty"


def test_setup_packages_and_rust_refuse_what_they_do_not_know():
    must_fail(KIT / "tools" / "provision" / "packages", "nothing", says=("no need `nothing`", "give some of: sources"))
    must_fail(KIT / "tools" / "provision" / "rust", "pdp11", says=("no architecture `pdp11`", "give some of: aarch64"))


def test_setup_rust_says_how_to_get_Rust():
    must_fail(
        "/bin/bash",
        KIT / "tools" / "provision" / "rust",
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder())},
        says=("error: `cargo` is not on PATH", "rustup"),
    )


def test_setup_rust_says_that_rustc_does_not_run():
    fakes = folder() / "broken rustc"
    write(fakes / "rustc", "#!/bin/sh\necho no toolchain >&2; exit 1\n").chmod(0o755)
    must_fail(
        KIT / "tools" / "provision" / "rust",
        env={"PATH": f"{fakes}:{os.environ['PATH']}"},
        says=("no toolchain", "error: `rustc --version` failed", "help: "),
    )


def test_no_set_up_script_ends_without_a_word():
    fakes = folder() / "silent rustc"
    silent = '#!/bin/sh\n[ "$1" = --version ] && echo rustc 1.999.0 || exit 1\n'
    write(fakes / "rustc", silent).chmod(0o755)
    env = {"PATH": f"{fakes}:{os.environ['PATH']}"}
    lines = (
        "tools/provision/rust: `sysroot=$(rustc --print sysroot)` ended with status 1 in line ",
        "help: the command's own message, if it has one, is above; try it by hand",
    )
    said = must_fail(KIT / "tools" / "provision" / "rust", env=env, says=lines)
    assert said.count("error: ") == 1, said
    # The script that calls another leaves the word to that one.
    said = must_fail(KIT / "quickstart", "hosted", env=env, says=lines)
    assert said.count("error: ") == 1, said


def test_setup_corrosion_does_not_end_silently_when_commands_write_line_by_line():
    fakes = folder() / "line by line"
    write(fakes / "apt-cache", "#!/bin/sh\n")
    write(
        fakes / "apt-get",
        "#!/bin/sh\n[ $1 = indextargets ] || exit 100\n"
        "for n in 1 2 3; do echo Debian http://nowhere.invalid/$n; sleep 0.2; done\n",
    )
    for fake in fakes.iterdir():
        fake.chmod(0o755)
    env = {**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(fakes / "cache")}
    ended = subprocess.run(
        ["stdbuf", "-oL", KIT / "tools" / "provision" / "corrosion"], env=env, capture_output=True, text=True
    )
    # A Corrosion that is installed needs no apt.
    assert ended.returncode == 0 or "error: apt could not download `corrosion`" in ended.stderr, f"{ended}"


@pytest.mark.quick(False)
def test_setup_corrosion_brings_a_package_that_CMake_can_use():
    cache = {"XDG_CACHE_HOME": str(folder() / "corrosion-cache")}
    try:
        package = run(KIT / "tools" / "provision" / "corrosion", env=cache).splitlines()[-1]
    except Failure as failure:
        if "apt could not download" in str(failure):
            skip("apt cannot download the package corrosion here")
        raise
    assert run(KIT / "tools" / "provision" / "corrosion", env=cache).strip() == package, (
        "the second run says something else"
    )
    project = folder() / "corrosion-project"
    write(
        project / "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.22)\nproject(p C)\nfind_package(Corrosion REQUIRED)\n"
        "corrosion_import_crate(MANIFEST_PATH Cargo.toml)\n",
    )
    write(project / "Cargo.toml", '[package]\nname = "c"\nedition = "2021"\n[lib]\ncrate-type = ["staticlib"]\n')
    write(project / "src" / "lib.rs", "")
    # FindRust of Corrosion 0.5 cannot read what a newer rustup says of its toolchains.
    rustc = run("rustc", "--print", "sysroot").strip() + "/bin/rustc"
    run(
        "cmake",
        "-G",
        "Ninja",
        "-S",
        project,
        "-B",
        project / "build",
        f"-DCorrosion_DIR={package}",
        f"-DRust_COMPILER={rustc}",
    )
