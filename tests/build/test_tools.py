# SPDX-License-Identifier: BSD-2-Clause
"""Tools that are missing, too old or broken, and folders that cannot be written to."""

import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from build.project import ADD, HEAD, LINK, MAIN, Project, crate, one_library, program
from support import TIME_OUT, check, check_says, must_fail, run, skip, until, write

pytestmark = pytest.mark.needs("kernel", "rust", "aarch64", "x86_64")

LISTS = ADD + LINK
FILES = {**crate("greeter"), "main.c": MAIN}
WAITING = "Waiting for another configuration"


def path_of(tool):
    found = shutil.which(tool)
    assert found, f"`{tool}` is not on PATH"
    return found


def rustc():
    return run("rustc", "--print", "sysroot").strip() + "/bin/rustc"


def without_Rust(folder):
    """Returns an environment and an argument for CMake that hide cargo and rustc, whatever their folder."""
    for tool in ("cmake", "ninja", "cc", "c++", "gcc", "g++", "as", "ld", "ar", "ranlib", "nm", "sh", "uname"):
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / tool).symlink_to(path_of(tool))
    return {"PATH": str(folder / "bin")}, "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF"


def with_fakes(folder, **tools):
    """An environment in which some tools are shell scripts."""
    for name, script in tools.items():
        write(folder / "bin" / name, f"#!/bin/sh\n{script}\n").chmod(0o755)
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def test_A7_without_cargo_a_project_that_links_Rust_gets_one_clear_error():
    project = Project("A7 error", LISTS, FILES)
    environment, argument = without_Rust(project.folder)
    project.configure_fails(
        argument,
        env=environment,
        says=("`cargo` is not on PATH, and this project has Rust libraries", "install Rust", "configure again"),
    )
    project.works()


def test_A7_without_cargo_a_project_that_links_no_Rust_builds():
    project = Project("A7 C only", "add_executable(main main.c)\n", {"main.c": program('puts("C alone");')})
    environment, argument = without_Rust(project.folder)
    project.works("C alone", arguments=[argument], env=environment)


def test_refuses_a_missing_rustc():
    project = Project("no rustc", LISTS, FILES)
    environment, argument = without_Rust(project.folder)
    (project.folder / "bin" / "cargo").symlink_to(path_of("cargo"))
    project.configure_fails(argument, env=environment, says=("`rustc` is not on PATH", "install Rust"))


def test_refuses_a_rustc_that_is_too_old():
    project = Project("old rustc", LISTS, FILES)
    environment = with_fakes(
        project.folder, rustc=f'case $1 in --print) echo {project.folder};; *) echo "release: 1.70.0";; esac'
    )
    project.configure_fails(
        env=environment, says=("rustc `1.70.0` is too old; the kit needs 1.", "rustup update stable")
    )


def test_a_rustc_newer_than_the_tested_ones_gets_one_line():
    project = Project("new rustc", LISTS, FILES)
    script = f'case $1 in --print) echo {project.folder};; *) echo "release: 1.VERSION";; esac'
    no_tool = {"cargo": "exit 101"}
    says = "the Rust host tool could not be built"
    environment = {"XDG_CACHE_HOME": str(project.folder / "cache")}
    fakes = with_fakes(project.folder, rustc=script.replace("VERSION", "999.0"), **no_tool)
    output = project.configure_fails(env={**fakes, **environment}, says=(says,))
    line = "-- rustc `1.999.0` is newer than the newest that sel4-rust-kit is tested with (1."
    assert output.count(line) == 1, output
    fakes = with_fakes(project.folder, rustc=script.replace("VERSION", "95.0"), **no_tool)
    output = project.configure_fails(env={**fakes, **environment}, says=(says,))
    assert "is newer" not in output, output


def test_an_updated_toolchain_is_looked_at_again():
    """As after `rustup update`: what CMake found out about rustc may no longer hold, such as its release of LLVM."""
    project = one_library("updated")
    real = Path(run(rustc(), "--print", "sysroot").strip()) / "bin"
    new = project.folder / "toolchain" / "bin"
    new.mkdir(parents=True)
    (new.parent / "lib").symlink_to(real.parent / "lib")
    for tool in ("cargo", "rustc"):
        write(new / tool, f'#!/bin/sh\nexec {real}/{tool} "$@"\n')
        (new / tool).chmod(0o755)
    answer = f'[ "$*" = "--print sysroot" ] && echo {new.parent} || exec {real}/rustc "$@"'
    environment = with_fakes(project.folder, rustc=answer)
    project.works(env=environment)
    check("Re-running CMake" not in project.ninja(env=environment), "CMake runs again for nothing")
    (new / "rustc").touch()
    check_says(project.ninja(env=environment), "Re-running CMake")


def test_refuses_a_rustc_that_does_not_run():
    project = Project("broken rustc", LISTS, FILES)
    environment = with_fakes(project.folder, rustc="echo toolchain 'stable' is not installed >&2; exit 1")
    project.configure_fails(
        env=environment, says=("rustc --print sysroot` failed: toolchain stable is not installed", "run it in ")
    )


def test_refuses_a_Rust_target_that_is_not_installed():
    project = Project("no target", LISTS, FILES)
    environment = with_fakes(
        project.folder, rustc=f'[ "$1" = --print ] && echo {project.folder} || exec {rustc()} "$@"'
    )
    project.configure_fails(
        env=environment,
        says=(
            "the Rust target `x86_64-unknown-linux-musl` is not installed",
            "rustup target add x86_64-unknown-linux-musl",
        ),
    )
    project.works()


# Stands in for the kernel and muslc of an aarch64 build.
AARCH64 = """
set(KernelSel4Arch aarch64)
set(KernelRootCNodeSizeBits 20)
foreach(library IN ITEMS muslc sel4muslcsys sel4runtime)
    add_library(${library} INTERFACE)
endforeach()
"""
OTHER = "add_rust_library(other MANIFEST_PATH other/Cargo.toml)\n"
STD = "add_rust_library(greeter STD)\n"


@pytest.mark.parametrize(
    ("triple", "libraries"),
    (
        pytest.param("aarch64-unknown-none", OTHER + ADD, id="bare metal without STD"),
        pytest.param("aarch64-unknown-linux-musl", STD, id="that of std with STD"),
        pytest.param("aarch64-unknown-linux-musl", OTHER + STD, id="that of std with STD in one library"),
    ),
)
def test_a_build_asks_for_one_Rust_target(triple, libraries):
    files = {**crate("greeter"), **crate("other", folder="other"), "main.c": MAIN}
    project = Project("target", AARCH64 + libraries + LINK, files)
    environment = with_fakes(
        project.folder, rustc=f'[ "$1" = --print ] && echo {project.folder} || exec {rustc()} "$@"'
    )
    project.configure_fails(
        "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
        env=environment,
        says=(f"the Rust target `{triple}` is not installed", f"rustup target add {triple}"),
    )


def test_refuses_a_project_without_Corrosion():
    project = Project("no Corrosion", LISTS, FILES)
    project.configure_fails(
        "-UKERNEL_PATH",
        "-UCorrosion_DIR",
        "-DCMAKE_DISABLE_FIND_PACKAGE_Corrosion=ON",
        says=(
            "Corrosion, which drives cargo, is not installed, nor is it at tools/corrosion beside the "
            "kernel (KERNEL_PATH is ``)",
            "repo sync",
            "-DCorrosion_DIR=",
        ),
    )
    project.works(arguments=["-UCMAKE_DISABLE_FIND_PACKAGE_Corrosion"])


def with_Corrosion(triple):
    """The head of a project that brings in Corrosion itself."""
    return (
        HEAD
        + f"""
set(Rust_CARGO_TARGET {triple})
set(Rust_COMPILER {rustc()})
if(KERNEL_PATH)
    list(APPEND CMAKE_MODULE_PATH ${{KERNEL_PATH}}/../tools/corrosion/cmake)
    include(Corrosion)
else()
    find_package(Corrosion REQUIRED)
endif()
"""
    )


def test_refuses_a_Corrosion_for_another_target():
    project = Project("other Corrosion", LISTS, FILES, with_Corrosion("x86_64-unknown-linux-gnu"))
    project.configure_fails(
        says=(
            "the project brought in Corrosion for `x86_64-unknown-linux-gnu`",
            "this build needs `x86_64-unknown-linux-musl`",
            "set Rust_CARGO_TARGET",
        )
    )


def test_a_project_may_bring_in_Corrosion_itself():
    project = Project("own Corrosion", LISTS, FILES, with_Corrosion("x86_64-unknown-linux-musl"))
    project.works()


def test_refuses_a_C_compiler_that_does_not_tell_its_macros():
    project = Project("broken compiler", LISTS, FILES)
    environment = with_fakes(
        project.folder,
        mycc=f"""
        case "$*" in *-dM*) echo no macros here >&2; exit 1;; esac
        exec {path_of("cc")} "$@" """,
    )
    compiler = project.folder / "bin" / "mycc"
    project.configure_fails(
        f"-DCMAKE_C_COMPILER={compiler}",
        env=environment,
        says=(f"`{compiler}` does not list its predefined macros: no macros here", "check the C compiler"),
    )


def test_a_host_tool_that_cannot_be_built_is_an_error_and_leaves_no_tool():
    project = Project("no host tool", LISTS, FILES)
    cache = project.folder / "cache"
    environment = {
        **with_fakes(
            project.folder,
            cargo="echo error: no network here >&2; exit 101",
            rustc=f'[ "$1" = --print ] && echo {project.folder} || exec {rustc()} "$@"',
        ),
        "XDG_CACHE_HOME": str(cache),
    }
    project.configure_fails(
        env=environment,
        says=("no network here", "the Rust host tool could not be built into `", str(cache), "cargo fetch"),
    )
    left = [path.name for path in (cache / "sel4-rust-kit" / "tool").iterdir()]
    assert left == ["lock"], f"it left: {left}"


def test_the_host_tool_is_built_without_what_the_user_set_for_other_builds():
    project = Project("user's settings", LISTS, FILES)
    log = project.folder / "environment"
    fakes = with_fakes(
        project.folder,
        cargo=f"env >{log}; exit 101",
        rustc=f'[ "$1" = --print ] && echo {project.folder} || exec {rustc()} "$@"',
    )
    user = {
        "RUSTC_WRAPPER": "sccache",
        "RUSTC_WORKSPACE_WRAPPER": "clippy-driver",
        "RUSTFLAGS": "-Ctarget-cpu=native",
        "RUSTC_BOOTSTRAP": "1",
        "CARGO_BUILD_TARGET_DIR": "elsewhere",
        "CARGO_PROFILE_RELEASE_LTO": "fat",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS": "-Clink-arg=-x",
        "CARGO_TARGET_DIR": "elsewhere",
    }
    # The last one decides how cargo fetches, and stays.
    env = {**fakes, **user, "CARGO_HTTP_TIMEOUT": "77", "XDG_CACHE_HOME": str(project.folder / "cache")}
    project.configure_fails(env=env, says=("the Rust host tool could not be built",))
    found = dict(line.split("=", 1) for line in log.read_text().splitlines() if "=" in line)
    seen = {name: found[name] for name in user if found.get(name)}
    assert not seen, f"cargo sees {seen}"
    assert found["CARGO_HTTP_TIMEOUT"] == "77"
    # A wrapper in the user's .cargo/config.toml would count if there were no empty variable.
    assert found["RUSTC_WRAPPER"] == found["CARGO_ENCODED_RUSTFLAGS"] == ""


def test_a_host_tool_that_others_may_have_put_there_does_not_run():
    project = Project("others' cache", LISTS, FILES)
    project.configure()
    tool = Path(re.search(r"\S+/sel4-rust", (project.build / "build.ninja").read_text())[0])
    shutil.rmtree(project.build)
    cache = project.folder / "cache" / "sel4-rust-kit"
    planted = write(
        cache / "tool" / tool.parent.name / tool.name, f'#!/bin/sh\ntouch {project.folder}/ran\nexec {tool} "$@"\n'
    )
    planted.chmod(0o755)
    environment = {"XDG_CACHE_HOME": str(cache.parent)}
    cache.chmod(0o777)
    project.configure_fails(
        env=environment, says=(f"other users may write to the kit's cache `{cache}`", f"rm -rf '{cache}'")
    )
    assert not (project.folder / "ran").exists(), "the planted tool ran"
    cache.chmod(0o755)
    project.configure(env=environment)
    assert (project.folder / "ran").exists() and stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_refuses_a_cache_whose_path_a_shell_reads():
    project = Project("odd cache", LISTS, FILES)
    cache = project.folder / "a$b"
    project.configure_fails(
        env={"XDG_CACHE_HOME": str(cache)},
        says=(f"a `$` in its path, as in `{cache}/sel4-rust-kit`", "move it to a path"),
    )


def test_of_two_configurations_at_once_one_builds_the_host_tool_and_the_other_waits():
    projects = [Project(f"at once {number}", LISTS, FILES) for number in (1, 2)]
    projects[1].configure()
    tool = re.search(r"\S+/sel4-rust", (projects[1].build / "build.ninja").read_text())[0]
    shutil.rmtree(projects[1].build)
    # A cargo whose build of the host tool takes until the test says so, and installs the one that is there.
    folder = projects[0].folder
    environment = with_fakes(
        folder,
        rustc=f'[ "$1" = --print ] && echo {folder} || exec {rustc()} "$@"',
        cargo=f"""
        [ "$1" = build ] || exec {path_of("cargo")} "$@"
        while [ "$1" != --target ]; do shift; done
        host=$2
        while [ "$1" != --target-dir ]; do shift; done
        until [ -e {folder}/go ]; do sleep 0.1; done
        mkdir -p "$2/$host/tool"; cp {tool} "$2/$host/tool/"; echo built >>{folder}/log""",
    )
    (folder / "lib").symlink_to(Path(rustc()).parent.parent / "lib")
    cache = folder / "cache"
    environment["XDG_CACHE_HOME"] = str(cache)
    logs, running = [project.folder / "configure.log" for project in projects], []
    for project, log in zip(projects, logs, strict=True):
        with log.open("w") as stream:
            running.append(
                subprocess.Popen(
                    project.cmake(), env={**os.environ, **environment}, stdout=stream, stderr=subprocess.STDOUT
                )
            )
    until("one configuration waits for the other", lambda: any(WAITING in log.read_text() for log in logs))
    (folder / "go").touch()
    for process, log in zip(running, logs, strict=True):
        assert process.wait(TIME_OUT) == 0, f"one of them fails:\n{log.read_text()}"
    waiting = [log for log in logs if WAITING in log.read_text()]
    assert len(waiting) == 1, "both waited, each for the other"
    left = sorted(path.name for path in (cache / "sel4-rust-kit" / "tool").iterdir())
    assert len(left) == 2 and left[-1] == "lock" and "building" not in left[0], f"it left {left}"
    assert (folder / "log").read_text().count("built") == 1, "it was built more than once"


# Root may write anywhere, unless it gives up that right.
def without_privileges(command):
    if os.geteuid() != 0:
        return command
    if subprocess.run(["setpriv", "--bounding-set=-all", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        skip("root cannot give up its privileges here")
    return ["setpriv", "--bounding-set=-all", *command]


def set_writable(folder, writable):
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU if writable else stat.S_IRUSR | stat.S_IXUSR)


def test_a_read_only_build_folder_is_an_error_and_does_no_harm():
    project = Project("read-only build", LISTS, FILES)
    project.works()
    project.edit("src/lib.rs", "-> i32", "-> i64")
    project.edit("src/lib.rs", "42", "43")
    project.edit("Cargo.toml", "0.1.0", "0.2.0")
    project.edit("Cargo.lock", "0.1.0", "0.2.0")
    set_writable(project.build, False)
    try:
        must_fail(*without_privileges(project.cmake()), says=())
        must_fail(*without_privileges(["ninja", "-C", project.build]), says=())
    finally:
        set_writable(project.build, True)
    project.check_nothing_half_written()
    project.edit("main.c", "%d", "%ld")
    project.works("43")


def test_a_read_only_source_folder_is_enough():
    project = Project("read-only source", LISTS, FILES)
    set_writable(project.source, False)
    try:
        run(*without_privileges(project.cmake()))
        run(*without_privileges(["ninja", "-C", project.build]))
    finally:
        set_writable(project.source, True)
    project.prints("42")


def test_a_full_build_folder_is_an_error_and_does_no_harm():
    project = Project("full build", LISTS, FILES)
    rust, include = project.build / "rust", project.build / "greeter-include"
    if (
        subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], stderr=subprocess.DEVNULL
        ).returncode
        != 0
    ):
        skip("a small file system cannot be mounted here")
    # Room is added page by page, so that it runs out at each file in turn; what is there already stays.
    script = f"""
        configure() {{ {shlex.join(map(str, project.cmake()))} >log 2>&1; }}
        fails() {{ "$@" && {{ echo "this should fail: $*"; exit 1; }}; nothing_half_written; }}
        nothing_half_written() {{ find {rust} {include} -name '.*.[0-9]*' | grep . && exit 1; return 0; }}
        cd {project.folder}
        mkdir -p {rust} {include}
        mount -t tmpfs -o size=4k tmpfs {rust}
        mount -t tmpfs -o size=4k tmpfs {include}
        dd if=/dev/zero of={include}/filler bs=4k count=1 2>&1
        room=4
        until configure; do
            grep -q 'No space left' log || {{ cat log; exit 1; }}
            nothing_half_written
            room=$((room + 4))
            mount -o remount,size=${{room}}k {rust}
        done
        echo "configured with $room KiB"
        mount -o remount,size=1m {rust}
        fails ninja -C {project.build}
        bytes=$(stat -c %s {project.build}/cargo/*/*/debug/libsel4_rust_main.a)
        mount -o remount,size=$((bytes / 1024 + 1024))k {rust}
        fails ninja -C {project.build}
        [ ! -e {include}/greeter.h ] || exit 1
        mount -o remount,size=1m {include}
        fails ninja -C {project.build}
        [ ! -e {rust}/main/libsel4_rust_main.a ] || exit 1
        mount -o remount,size=500m {rust}
        ninja -C {project.build} && {project.build}/main
    """
    output = run("unshare", "-rm", "bash", "-c", script)
    assert output.strip().endswith("\n42"), f"the build after the full ones does not print 42:\n{output}"
    check_says(
        output,
        f"cannot write `{rust}/main/libsel4_rust_main.a`: No space left",
        f"cannot write `{include}/greeter.h`: No space left",
    )
    pages = int(re.search(r"configured with (\d+) KiB", output)[1]) // 4
    assert pages > 4, f"the room never ran out: {output}"
