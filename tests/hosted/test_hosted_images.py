# SPDX-License-Identifier: BSD-2-Clause
"""The model beside the real kernel: the same libsel4, the same answers, and images for x86_64 that run unmodified."""

import re
import shutil
import signal
import subprocess

import console
import pytest
from support import KIT, check, check_says, folder, libsel4_items, must_fail, run, skip, write
from support.builds import Build, Shared
from support.hosted import HOSTED, TARGETS, check_endings, check_verdicts
from support.rust import cargo

pytestmark = pytest.mark.needs("rust", "hosted", "aarch64-linux")
PORTS = "api::devices::tests::ports_are_read_and_written"


@pytest.mark.parametrize("configuration", ["x86_64", "qemu-arm-virt"])
def test_libsel4_is_that_of_a_real_build(configuration: str, build: Shared) -> None:
    architecture = build.configuration.architecture
    build.select("objects")
    build.ninja("sel4_rust_sys_gen")
    text, count = libsel4_items.assertions((build.bindings / "bindings.rs").read_text(), architecture)
    assert count > 450, f"only {count} items are compared"
    write(folder() / "compare" / "src" / "lib.rs", text)
    write(
        folder() / "compare" / "Cargo.toml",
        f"""[package]
name = "compare"
edition = "2024"
[dependencies]
sel4-hosted-libsel4 = {{ path = "{HOSTED}/libsel4" }}
[workspace]
""",
    )
    cargo("check", "--quiet", "--target", TARGETS[architecture], cwd=folder() / "compare")


@pytest.mark.parametrize("configuration", [pytest.param("x86_64", marks=pytest.mark.long), "x86_64 MCS"])
def test_the_kernel_answers_random_sequences_as_the_model_does(configuration: str, build: Shared) -> None:
    """What it answered to more sequences is recorded in hosted/kernel/tests."""
    mcs = "MCS" in build.configuration.has
    steps = folder() / "steps.bin"
    example = ("run", "--quiet", "--package", "sel4-hosted-kernel", "--example", "sequences", "--")
    cargo(*example, steps, "300", "30", *(["mcs"] if mcs else []))
    build.app("tests/hosted/sequences", f"-DSTEPS={steps}")
    # Threads that go wrong without a handler are part of it.
    outcome = build.boot("tests/hosted/sequences/expected.txt", forbidden=())
    said = write(folder() / "sequences.txt", "\n".join(outcome.lines))
    cargo(
        "test",
        "--locked",
        "--package",
        "sel4-hosted-kernel",
        "--test",
        "sequences",
        "the_kernel",
        env={"SEQUENCES_CONSOLE": said, "SEQUENCES_MCS": "1" if mcs else None},
    )


def runs_unmodified(build: Shared, app: str) -> None:
    """Runs the image that QEMU boots in a Linux process."""
    build.app(app)
    build.boot(f"{'' if app.startswith('tests/') else 'apps/'}{app}/expected.txt", ("./simulate-hosted",), linger=1)


@pytest.mark.on("x86_64")
# With the std of stable Rust for musl, libsel4std and muslc, in std-tour.
@pytest.mark.parametrize("app", ["objects", "std-tour", "drivers-first-step"])
def test_the_image_runs_unmodified(build: Shared, app: str) -> None:
    runs_unmodified(build, app)


@pytest.mark.on("x86_64 Release")
def test_the_image_of_a_root_server_in_C_alone_runs_unmodified(build: Shared) -> None:
    runs_unmodified(build, "tests/hosted/plain")


@pytest.mark.on("x86_64 Release")
def test_gdb_shows_the_threads_of_an_image_as_it_is(build: Shared) -> None:
    if not shutil.which("gdb"):
        skip("there is no gdb")
    build.app("tests/hosted/plain")
    output = run(
        KIT / "tools" / "run" / "hosted.py",
        "--gdb",
        build.path,
        "--",
        "--batch",
        "-ex",
        "info sel4-threads",
        "-ex",
        "break thread",
        "-ex",
        "continue",
        "-ex",
        "info sel4-threads",
        "-ex",
        "continue",
        "-ex",
        "quit 77",
        status=77,
    )
    check_says(output, "the kernel runs now, not an seL4 thread")
    behind = output.partition(", 0x")[2]
    assert re.search(r"^child of: 'rootserver' +255 .* running", behind, re.MULTILINE), output
    assert re.search(r"^rootserver +255 .* waits to send", behind, re.MULTILINE), output
    # What was called for this has left all as it was.
    check_says(output, "the thread answers: 42", "The program ended with exit code 3")


@pytest.mark.parametrize("configuration", [pytest.param("x86_64", marks=pytest.mark.long), "x86_64 MCS"])
def test_seL4_libs_do_as_on_the_kernel(configuration: str, build: Shared) -> None:
    """allocman, vka, vspaces, and threads and processes of sel4utils: the image in QEMU, and in a Linux process."""
    build.app("tests/hosted/libraries")
    expected = console.read_expected(KIT / "tests" / "hosted" / "libraries" / "expected.txt")
    said = []
    for command in "./simulate", "./simulate-hosted":
        outcome = build.boot("tests/hosted/libraries/expected.txt", (command,))
        said.append([line for line in outcome.lines if line.startswith("| ")])
    check(said[0] == said[1] and len(said[0]) == len(expected) - 1, f"the kernel: {said[0]}\nthe model: {said[1]}")


@pytest.mark.parametrize("configuration", ["x86_64", pytest.param("x86_64 MCS", marks=pytest.mark.long)])
def test_the_tests_of_kernels_pass_in_an_unmodified_image(configuration: str, build: Shared) -> None:
    build.app("tests/kernel/rootserver")
    check_verdicts(build, "./simulate-hosted", {PORTS}, mcs="MCS" in build.configuration.has, halted=82)


@pytest.mark.on("x86_64")
def test_signals_from_outside_end_an_unmodified_image(build: Shared) -> None:
    build.app("tests/kernel/rootserver")
    for number, code in (signal.SIGINT, 130), (signal.SIGTERM, 143):
        # It comes to a thread that computes for ever.
        with subprocess.Popen(
            "./simulate-hosted", cwd=build.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout
            while "verdicts::tests::spins" not in (line := process.stdout.readline()):
                assert line, "the test that computes for ever did not begin"
            process.send_signal(number)
            rest = process.stdout.read()
        assert process.returncode == code and "interrupted" in rest and "rootserver" in rest, (
            f"{process.returncode}\n{rest}"
        )


@pytest.mark.on("x86_64")
def test_what_goes_wrong_in_an_unmodified_image_ends_with_a_code(build: Shared) -> None:
    build.app("tests/hosted/wrong")
    check_endings(build, "./simulate-hosted", "images/rootserver-image-x86_64-pc99")


@pytest.mark.needs("sources", "kernel", "x86_64")
def test_images_that_it_cannot_run_are_named():
    nothing = folder() / "nothing"
    nothing.mkdir()
    must_fail(KIT / "tools" / "run" / "hosted.py", nothing, says=["has no `", "help: give the folder of a build"])
    build = Build("sysenter")
    build.configure("-DPLATFORM=x86_64", "-DKernelSyscall=sysenter")
    must_fail(KIT / "tools" / "run" / "hosted.py", build.path, says=["enters the kernel by `sysenter`", "help: "])
