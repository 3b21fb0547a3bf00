# SPDX-License-Identifier: BSD-2-Clause
"""Applications on the hosted platform: each runs as a process, with Rust's std and C's pthreads."""

import re
import shutil

import console
import pytest
from support import KIT, check_says, folder, must_fail, run, skip, write
from support.builds import Build
from support.hosted import HOSTED, MCS, VARIANTS, boots, built, check_endings, check_verdicts

pytestmark = [pytest.mark.needs("rust", "hosted", "aarch64-linux"), pytest.mark.quick, pytest.mark.weight(290)]


def rows(*variants):
    """Returns a row for each pair of an application and a variant; `./test --quick` runs those on this machine."""
    return pytest.mark.parametrize(
        ("app", "variant"),
        [
            pytest.param(app, variant, id=f"{app} {variant}".strip(), marks=pytest.mark.quick(not variant))
            for app, variant in variants
        ],
    )


@rows(
    # What runs on kernels runs here, from the same folders.
    *((app, "") for app in ("hello", "teamwork", "panic", "objects", "drivers-first-step", "root-server")),
    # Threads share the processor here; the conformance tests have the rest.
    ("teamwork", "aarch64"),
    # The other of the two timers.
    ("drivers-first-step", "aarch64"),
)
def test_runs(app, variant):
    boots(app, *VARIANTS[variant])


@rows(
    *((app, "") for app in ("std-tour", "threads", "resilient", "tests/std/mixed")),
    # Objects are others, and the timer interrupts threads; a tour of all that waits shows it.
    ("std-tour", "MCS"),
    # Threads are switched by other instructions.
    ("tests/std/mixed", "aarch64"),
)
def test_runs_with_the_std_of_the_host(app, variant):
    boots(app, *VARIANTS[variant])


# What the root server of tests/hosted/std is told to do, its exit code, and what it says.
STD_CASES = {
    "time": (0, "hours slept: [1, 2], at 7200", "\nawake", "and awake"),
    "messages": (0, "the sum is 190"),
    "detached": (0, "100 threads came and went"),
    "pthreads": (
        0,
        "turns 200, errno of the other 0, thread-local 5",
        "and 1 value was destroyed",
        "an hour later: timeout",
        "a mutex that checks: 1 1 0 1",
    ),
    "archives": (0, "070701: 3 yes", "070702: 0 \n", "070707: 0 \n", "070700: 0 \n"),
    "main ends": (
        0,
        "a value of the first thread is destroyed",
        "another thread starts threads: 0 0 1",
        "and the last thread ends the program",
    ),
    "refused": (
        0,
        "network: Err(Unsupported)",
        "process: Err(Unsupported)",
        "folder: Err(ReadOnlyFilesystem)",
        "Linux' file: Err(NotFound)",
        "cores: Ok(1)",
        'argument: Some("refused")',
    ),
    "exit": (5, "The program ended with exit code 5"),
    "exit of a thread": (6, "The program ended with exit code 6"),
    "deadlock": (80, "deadlock: no thread can run", "one thread ", "the other ", "waits for notification"),
    "overflow": (80, "thread `deep` stops at 0x", "thread `deep` has used up its stack", "help: "),
    "panic": (82, "nobody catches this", "panic in a function that cannot unwind", "a thread has called abort()"),
    "no memory": (82, "memory allocation of 1073741824 bytes failed"),
    "stranger": (84, "a thread that std does not know waits for a lock", "help: "),
}


def test_std_and_pthreads_do_what_they_do_on_a_kernel_and_say_how_they_end():
    build = built("tests/hosted/std")
    for name, (status, *says) in STD_CASES.items():
        check_says(run("./simulate", name, cwd=build.path, status=status), *says)
    backtrace = run("./simulate", "panic", cwd=build.path, status=82, env={"RUST_BACKTRACE": "1"})
    check_says(backtrace, "cases::panics", "tests/hosted/std/src/lib.rs:")
    # One thread runs at a time, so two runs are the same.
    first, second = (
        re.findall(
            r"^ *\d+ .*", run("./simulate", "pthreads", cwd=build.path, env={"SEL4_HOSTED_TRACE": "1"}), re.MULTILINE
        )
        for _ in range(2)
    )
    assert first == second and len(first) > 100, "two runs differ, or have no trace"


# What Linux gives to a process here: as many open files as it likes, what it answers to a write to a file that is open
# for reading, and the program's name.
FROM_LINUX = (" files are open, then: ", "[Err(ReadOnlyFilesystem), ", " words, folder ")


def test_files_of_an_archive_are_those_of_a_kernel():
    if not shutil.which("cpio"):
        skip("there is no cpio")
    build = built("tests/std/files")
    lines = (KIT / "tests" / "std" / "files" / "expected.txt").read_text().splitlines()
    kept = [line for line in lines if not any(part in line for part in FROM_LINUX)]
    assert len(lines) - len(kept) == 4, "other lines differ than before"
    build.boot(write(folder() / "files.txt", "\n".join(kept) + "\n"))


# Where Linux answers, and not as libsel4std does on a kernel, and where faults are the model's.
OTHERWISE = (
    "and of nobody else's",
    "Nothing can be written and executed",
    "A barrier of all threads",
    "The processor time of a thread is an error",
    "those of faults are not, nor a stack for them",
)


@pytest.mark.long
def test_calls_that_crates_build_on_are_answered_as_on_a_kernel():
    lines = []
    for line in (KIT / "tests" / "std" / "answers" / "expected.txt").read_text().splitlines():
        what, _, answer = line.partition(": ")
        if what in OTHERWISE:
            assert answer == "yes", line
            answer = "no"
        if what == "Randomness without a source":
            answer = "Ok(())"
        if what != "sel4std":
            lines.append(f"{what}: {answer}" if answer else line)
    build = built("tests/std/answers")
    build.boot(write(folder() / "answers.txt", "\n".join(lines) + "\n"))


def test_a_panic_gives_its_exit_code():
    run("./simulate", cwd=built("panic").path, status=82)


@pytest.mark.quick(False)
def test_with_MCS_a_run_is_the_same_each_time():
    build = boots("objects", *MCS)
    for seed in "", "7":
        environment = {"SEL4_HOSTED_TRACE": "1", "SEL4_HOSTED_SEED": seed}
        # Lines of the trace begin with their number; others have addresses that Linux chooses.
        first, second = (
            re.findall(r"^ *\d+ .*", run("./simulate", cwd=build.path, env=environment), re.MULTILINE) for _ in range(2)
        )
        assert first == second and len(first) > 100, f"two runs with the seed `{seed}` differ, or have no trace"


def test_a_root_server_in_C_alone_runs_and_what_main_returns_is_the_exit_code():
    build = boots("tests/hosted/plain")
    run("./simulate", cwd=build.path, status=3)


# Reads beyond an array before main(), and beyond memory of the heap. Who finds which.
BEYOND = {
    "runtime error: index 2 out of bounds": """static int numbers[2];
static volatile int which = 2;
__attribute__((constructor)) static void beyond(void) { which = numbers[which]; }
""",
    "AddressSanitizer: heap-buffer-overflow": """static volatile int which = 2;
__attribute__((constructor)) static void beyond(void) { which = ((int *)__builtin_malloc(8))[which]; }
""",
}


@pytest.mark.quick(False)
def test_C_runs_under_sanitizers():
    build = Build("sanitized")
    flags = "-fsanitize=address,undefined -fno-sanitize-recover"
    build.configure("-DPLATFORM=hosted", "-DAPP=objects", f"-DCMAKE_C_FLAGS={flags}")
    build.ninja()
    build.boot("apps/objects/expected.txt", linger=0.5, forbidden=(*console.CRASHES, "Sanitizer", "runtime error"))
    # Errors are found.
    for error, text in BEYOND.items():
        build.configure("-DPLATFORM=hosted", f"-DCMAKE_C_FLAGS={flags} -include {write(folder() / 'beyond.h', text)}")
        build.ninja()
        must_fail("./simulate", cwd=build.path, says=[error])


def plain():
    return built("tests/hosted/plain").path / "tests" / "hosted" / "plain" / "rootserver"


def test_it_runs_under_valgrind():
    if not shutil.which("valgrind"):
        skip("there is no valgrind")
    output = run("valgrind", "--error-exitcode=99", plain(), status=3)
    check_says(output, "the thread answers: 42", "ERROR SUMMARY: 0 errors")


def test_gdb_shows_the_threads():
    if not shutil.which("gdb"):
        skip("there is no gdb")
    output = run(
        "gdb",
        "--batch",
        "-x",
        HOSTED / "gdb.py",
        "-ex",
        "break main",
        "-ex",
        "run",
        "-ex",
        "info sel4-threads",
        "-ex",
        "break main.c:50",
        "-ex",
        "continue",
        "-ex",
        "info sel4-threads",
        "-ex",
        "kill",
        plain(),
    )
    before, _, behind = output.partition("main.c:50")
    assert re.search(r"^rootserver +255 .* (ready|running)", before, re.MULTILINE), output
    assert re.search(r"^rootserver +255 .* waits ", behind, re.MULTILINE) and "child of: 'rootserver'" in behind, output


def test_gdb_lets_accesses_to_the_timer_pass_and_stops_at_breakpoints():
    if not shutil.which("gdb"):
        skip("there is no gdb")
    folder = boots("drivers-first-step").path
    output = run(
        "gdb",
        "--batch",
        "-x",
        HOSTED / "gdb.py",
        "-ex",
        "break main",
        "-ex",
        "run",
        "-ex",
        "continue",
        folder / "apps" / "drivers-first-step" / "rootserver",
    )
    assert re.search(r"Breakpoint \d, main .*Suspending current thread.*exited normally", output, re.DOTALL), output


def test_nothing_is_done_when_nothing_changed():
    output = built("hello").ninja()
    for work in ("Compiling", "Building C", "Linking"):
        assert work not in output, output


def test_what_the_platform_has_not_is_named():
    Build("hosted-smp").configure_fails("-DPLATFORM=hosted", "-DSMP=ON", says=["no kernel with SMP yet", "Help: "])
    must_fail(
        KIT / "quickstart", "hosted", "--smp", says=["the hosted platform has one core", "help: leave `--smp` out"]
    )
    Build("hosted-refused").configure_fails(
        "-DPLATFORM=hosted",
        "-DAPP=../tests/hosted/refused",
        says=["links `sel4utils`, which the hosted platform does not have"],
    )


PORTS = "api::devices::tests::ports_are_read_and_written"
# There the processor's own instruction reaches Linux.
TRAP = "api::faults::tests::a_system_call_that_there_is_not"


@pytest.mark.parametrize(
    ("variant", "but"),
    (
        pytest.param("", {PORTS, TRAP}, id="on this machine"),
        pytest.param("aarch64", {TRAP}, id="on aarch64", marks=pytest.mark.long),
        pytest.param("MCS", {PORTS, TRAP}, id="with MCS", marks=pytest.mark.quick(False)),
    ),
)
def test_the_tests_of_kernels_pass(variant, but):
    build = built("tests/kernel/rootserver", *VARIANTS[variant])
    check_verdicts(build, "./simulate", but, mcs=variant == "MCS", halted=0)


@pytest.mark.quick(False)
def test_run_tests_tells_what_each_came_to():
    """As on kernels; behind a test that stops the system it begins a new one."""
    build = built("tests/kernel/rootserver")
    check_says(run("./run-tests", "api::ipc", cwd=build.path), " passed, 0 failed, 0 skipped")
    output = run("./run-tests", "--silence", "15", "verdicts::", cwd=build.path, status=1)
    check_says(
        output,
        "waits_for_ever ... FAILED",
        "(deadlock)",
        "spins ... FAILED",
        "the system stopped: ",
        "halts_the_machine ... FAILED",
        "ended with status 0",
        "5 passed, 10 failed, 1 skipped",
    )
    check_says(
        run("./run-tests", "no such test", cwd=build.path, status=1), "error: no test has `no such test` in its name"
    )


def test_what_goes_wrong_ends_with_a_code():
    build = built("tests/hosted/wrong")
    check_endings(build, "./simulate", "tests/hosted/wrong/rootserver")
