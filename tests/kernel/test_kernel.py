# SPDX-License-Identifier: BSD-2-Clause
"""Tests in Rust run on the kernel and come to the right verdicts."""

import re
from collections.abc import Collection

import pytest
from libsel4.api import cargo_against
from support import KIT, check, check_says, folder, must_fail, run, write
from support.builds import Shared, host

HERE = KIT / "tests" / "kernel"
LIBRARY = KIT / "rust" / "libsel4-test"
RUN_TESTS = KIT / "tools" / "run" / "run_tests.py"
CRATES = (LIBRARY, HERE / "properties", HERE / "rootserver")

# One for each architecture, and one for each kind of kernel that schedules or reports otherwise. In Release all Rust
# code is linked as one, with C's system calls inlined.
PLATFORMS = (
    "zynqmp Release",
    "qemu-arm-virt",
    "qemu-arm-virt MCS",
    "qemu-arm-virt SMP",
    "qemu-arm-virt aarch32 MCS",
    "qemu-riscv-virt",
    "qemu-riscv-virt MCS",
    "x86_64",
    "x86_64 MCS",
    "ia32",
)
APP = "tests/kernel/rootserver"
# A console that says nothing for so long hangs; a busy machine is slow.
SILENCE = 15
STOPPED = rf"the system stopped: no new line for {SILENCE} s"
PANICKED = r"it panicked, or called abort\(\)"
REGISTERS = r"(pc|rip|eip):0x[0-9a-f]+ .*"

# What each of src/verdicts.rs must come to: verdict, why, and lines that must be shown, in this order.
VERDICTS = {
    "passes": ("ok", ""),
    "passes_with_objects": ("ok", ""),
    "returns_an_error": ("FAILED", "it returned an error", r"Error: RangeError { min: 0, max: 200 }"),
    "panics": (
        "FAILED",
        PANICKED,
        r"Rust panicked at tests/kernel/rootserver/src/verdicts.rs:\d+:\d+:",
        r"assertion `left == right` failed: sums are wrong",
        "left: 2",
        "right: 3",
    ),
    "panics_while_it_panics": ("FAILED", PANICKED, "Rust panicked again while it reported a panic"),
    "reads_where_nothing_is": (
        "FAILED",
        "fault",
        r"the test's thread: memory fault at 0x\w+: no data at 0x18, .*",
        REGISTERS,
    ),
    "has_a_thread_that_panics": ("FAILED", PANICKED, r"Rust panicked at .*verdicts.rs.*", "in a thread"),
    "has_a_thread_that_faults": (
        "FAILED",
        "fault",
        r"a thread of the test: memory fault at .* no data at 0x1c, .*",
        REGISTERS,
    ),
    "overflows_its_stack": (
        "FAILED",
        "fault",
        "its stack of 65536 bytes is used up",
        REGISTERS,
        r"in kernel_tests::verdicts::.*deeper.* at .*/tests/kernel/rootserver/src/verdicts.rs:\d+",
    ),
    "waits_for_ever": ("FAILED", "deadlock", "no thread can run any more; the test's waits here:", REGISTERS),
    "spins": ("FAILED", STOPPED, r"core 0 was seen at 0x.*"),
    "halts_the_machine": ("FAILED", r"the system stopped: crashed: `halting.*`"),
    "leaves_capabilities_behind": ("ok", "3 capabilities were left behind"),
    "takes_all_memory": ("ok", ""),
    "is_skipped": ("skipped", "there is nothing to do"),
    "passes_after_all_that": ("ok", ""),
}


def on_platforms(name: str, usual: Collection[str] = PLATFORMS) -> pytest.MarkDecorator:
    """Returns the rows of PLATFORMS; `name` is that of a row, and rows that are not `usual` are long."""
    rows = [
        pytest.param(each, id=name.format(each), marks=() if each in usual else pytest.mark.long) for each in PLATFORMS
    ]
    return pytest.mark.parametrize("configuration", rows)


def verdicts(name: str) -> dict[str, tuple[str, ...]]:
    """What is expected on this configuration."""
    expected = dict(VERDICTS)
    if "MCS" in name:
        expected["spins"] = ("FAILED", "it took too long", "after 10 s the test's thread is here:", REGISTERS)
    if "SMP" in name:
        # Another core might be busy.
        expected["waits_for_ever"] = ("FAILED", STOPPED, "core 0 was seen at 0x.*", "core 1 was seen at 0x.*")
    if "Release" in name:
        del expected["halts_the_machine"]
        # Where it is then is up to the compiler.
        expected["overflows_its_stack"] = expected["overflows_its_stack"][:-1]
    return expected


# A system that hangs is silent for a while before it is cut off.
@on_platforms("S2 {}: tests come to their verdicts", usual=("qemu-arm-virt MCS", "x86_64"))
def test_verdicts(configuration: str, build: Shared) -> None:
    build.app(APP)
    output = run("./run-tests", "--silence", SILENCE, "verdicts::", cwd=build.path, status=1)
    pieces = re.split(r"^  verdicts::tests::(\w+) \.\.\. (\w+)  [\d.]+ s(?:  \((.*)\))?\n", output, flags=re.MULTILINE)
    found = {pieces[i]: pieces[i + 1 : i + 4] for i in range(1, len(pieces), 4)}
    expected = verdicts(configuration)
    check(list(found) == list(expected), f"these ran: {' '.join(found)}\n{output}")
    for test, (verdict, why, *lines) in expected.items():
        was, because, details = found[test]
        check(
            was == verdict and re.fullmatch(why, because or ""), f"`{test}` is `{was}`, because `{because}`:\n{output}"
        )
        shown = iter(map(str.strip, details.splitlines()))
        for line in lines:
            check(any(re.fullmatch(line, other) for other in shown), f"`{test}` does not show `{line}`:\n{output}")
    words = [verdict for verdict, *_ in expected.values()]
    summary = f"{words.count('ok')} passed, {words.count('FAILED')} failed, {words.count('skipped')} skipped"
    check(output.splitlines()[-1] == summary, f"the summary is not `{summary}`:\n{output}")


@on_platforms(
    "L3 L4 {}: the API does what it says, values are C's",
    usual=("zynqmp Release", "qemu-arm-virt", "qemu-arm-virt MCS", "qemu-arm-virt SMP", "x86_64"),
)
def test_the_api_does_what_it_says(configuration: str, build: Shared) -> None:
    """What src/api has, and the numbers of C and Rust."""
    build.app(APP)
    for part in ("api::", "types::"):
        output = run("./run-tests", part, cwd=build.path)
        passed = re.search(r"^(\d+) passed, 0 failed, 0 skipped$", output, flags=re.MULTILINE)
        check(passed and int(passed[1]) >= 9, output)
        # Of tests/libsel4/attacks; its own test compares the lists.
        check(part != "api::" or len(re.findall(r"^  api::attacks::\S+ \.\.\. ok", output, re.MULTILINE)) >= 25, output)


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(name, id=f"{name}: threads of two priorities share the heap")
        for name in ("qemu-arm-virt", "qemu-arm-virt MCS", "qemu-arm-virt SMP", "x86_64")
    ],
)
def test_the_heaps_lock(configuration: str, build: Shared) -> None:
    build.app(APP)
    output = run("./run-tests", "two_priorities_share", cwd=build.path)
    check_says(output, "two_priorities_share_the_heap ... ok", "1 passed, 0 failed, 0 skipped")
    if "MCS" in configuration:
        # There a test has 10 s, which the yields may take on a busy machine.
        return
    output = run("./run-tests", "without_the_hook", cwd=build.path, status=1)
    lines = (
        f"the_waiting_thread_panics ... FAILED .*{PANICKED}",
        r"Rust panicked at rust/libsel4-rt/src/lock.rs:\d+:\d+:",
        "the heap's lock stays taken, perhaps by a thread of lower priority",
        r"help: define sel4_rust_heap_notification\(\) in C",
    )
    for line in lines:
        check(re.search(line, output), f"there is no line `{line}`:\n{output}")


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(
            name,
            id=f"{name}: threads of two priorities share the heap of a child",
            marks=() if name == "qemu-arm-virt" else pytest.mark.long,
        )
        for name in ("qemu-arm-virt", "qemu-arm-virt MCS", "qemu-arm-virt SMP", "x86_64")
    ],
)
def test_the_heaps_lock_in_a_child(configuration: str, build: Shared) -> None:
    build.app("tests/kernel/child").boot("tests/kernel/child/expected.txt")
    # The yields of a child with MCS end with its budgets, and take minutes.
    if "MCS" not in configuration:
        build.app("tests/kernel/child", "-DHOOK=OFF").boot(
            [
                r"/^Rust panicked at rust\/libsel4-rt\/src\/lock\.rs:\d+:\d+:$/",
                "the heap's lock stays taken, perhaps by a thread of lower priority",
                "help: define sel4_rust_heap_notification() in C",
                "Child: a thread ended in a user exception",
            ]
        )


@pytest.mark.on("qemu-arm-virt")
def test_with_RUST_PANIC_fault_two_threads_that_panic_are_reported_in_full_and_fault(build: Shared) -> None:
    build.app(APP, "-DRUST_PANIC=fault")
    output = run("./run-tests", "--console", "reported_in_full", cwd=build.path)
    place = r"Rust panicked at tests/kernel/rootserver/src/runtime.rs:\d+:\d+:"
    reports = rf"{place}\s+while the other one panics, too\s+{place}\s+beside it\s"
    check(re.search(reports, output), f"the two reports are not whole:\n{output}")
    output = run("./run-tests", "panics_while_it_panics", cwd=build.path, status=1)
    check(output.count("Rust panicked again while it reported a panic") == 1, output)


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param("qemu-arm-virt", id="qemu-arm-virt: critical sections, and crates that need them"),
        pytest.param(
            "qemu-arm-virt SMP",
            id="qemu-arm-virt SMP: critical sections, and crates that need them",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "qemu-arm-virt aarch32 MCS",
            id="qemu-arm-virt aarch32 MCS: critical sections, and crates that need them",
            marks=pytest.mark.long,
        ),
    ],
)
def test_critical_sections(configuration: str, build: Shared) -> None:
    build.app(APP, "-DSECTIONS=ON")
    output = run("./run-tests", "sections::", cwd=build.path)
    check_says(
        output, "exclude_each_other ... ok", "crates_that_need_critical_sections_work ... ok", "3 passed, 0 failed"
    )


@pytest.mark.on("qemu-arm-virt")
def test_S2_tests_that_pass_give_status_0(build: Shared) -> None:
    output = run("./run-tests", "passes", cwd=build.app(APP).path)
    check_says(output, "passes_with_objects ... ok", "3 passed, 0 failed, 0 skipped")


@pytest.mark.on("qemu-arm-virt")
def test_S2_no_test_at_all_is_an_error(build: Shared) -> None:
    output = run("./run-tests", "no such test", cwd=build.app(APP).path, status=1)
    check_says(output, "error: no test has `no such test` in its name")


@pytest.mark.quick
def test_S2_an_image_without_tests_is_an_error() -> None:
    # What ./simulate boots is whatever lies under the image's name.
    without = folder() / "without-tests"
    write(without / "image", "no tests")
    write(without / "simulate", "#!/bin/sh\necho qemu -kernel image\n").chmod(0o755)
    must_fail(RUN_TESTS, without, says=["error: the image has no tests in it", "help: "])
    (without / "image").unlink()
    must_fail(RUN_TESTS, without, says=["error: there is no", "help: build it: ninja"])
    must_fail(RUN_TESTS, folder(), says=["error: cannot boot", "help: configure it"])


@pytest.mark.quick
def test_S2_a_system_that_does_not_boot_is_an_error() -> None:
    silent = folder() / "silent"
    write(silent / "image", "libsel4-test selection: " + "0" * 6 + "\0" * 64)
    write(silent / "simulate", "#!/bin/sh\necho qemu -kernel image\n").chmod(0o755)
    output = must_fail(RUN_TESTS, silent, says=["error: no test began", "ended with status 0", "help: "])
    check(output.count("no test began") == 1, output)


@pytest.mark.on("x86_64")
def test_L3_properties_hold_on_the_host(build: Shared) -> None:
    # The build's own C functions are linked. None of those that are called enters the kernel.
    build.app(APP)
    archives = (build.path / "libsel4_rust_sys.a", build.path / "libsel4" / "libsel4.a")
    flags = ["-Crelocation-model=static", "-Clink-arg=-no-pie", *(f"-Clink-arg={archive}" for archive in archives)]
    output = cargo_against(build.bindings, host(), "test", crate=HERE / "properties", RUSTFLAGS=" ".join(flags))
    check(re.search(r"test result: ok. [6-9] passed", output), output)


@pytest.mark.quick
@pytest.mark.needs("rust")
def test_the_crates_are_formatted() -> None:
    for crate in CRATES:
        run("cargo", "fmt", "--all", "--check", cwd=crate)


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param("qemu-arm-virt MCS", id="there is no warning on qemu-arm-virt MCS"),
        pytest.param("x86_64", id="there is no warning on x86_64", marks=pytest.mark.long),
        pytest.param("zynqmp Release", id="there is no warning on zynqmp Release", marks=pytest.mark.long),
    ],
)
def test_there_is_no_warning(configuration: str, build: Shared) -> None:
    build.app(APP)
    target = build.configuration.triple
    for crate in CRATES:
        cargo_against(build.bindings, target, "clippy", "--", "--deny", "warnings", crate=crate)
    cargo_against(build.bindings, target, "doc", "--no-deps", crate=LIBRARY, RUSTDOCFLAGS="--deny warnings")


# What the attribute refuses, and what the compiler says of it.
REFUSED = {
    "a module elsewhere": ("mod tests;", "the module's items must be here, in braces"),
    "a module without tests": ("mod tests { pub fn it() {} }", "no function of this module is `#[test]`"),
    "two arguments": (
        "mod tests { #[test] fn it(a: u8, b: u8) {} }",
        "a test takes nothing, or `&mut libsel4_test::Resources`",
    ),
    "another argument": ("mod tests { #[test] fn it(a: u8) {} }", "expected `u8`, found `&mut Resources`"),
    "another result": ("mod tests { #[test] fn it() -> u8 { 1 } }", "the trait bound `u8: Outcome` is not satisfied"),
    "an unsafe test": ("mod tests { #[test] unsafe fn it() {} }", "a test is neither `async` nor `unsafe`"),
    "a generic test": ("mod tests { #[test] fn it<T>() {} }", "a test has no generic parameters"),
    "a handler of faults without a promise": (
        "mod tests { #[test] fn it(t: &mut libsel4_test::Resources) "
        "{ let _ = t.service().map(|it| t.spawn_watched(libsel4::FaultEndpoint::new(it.endpoint), || ())); } }",
        "error[E0133]",
    ),
    "tests that nobody runs": ("mod tests { #[test] fn it() {} }", "function `it` is never used"),
}


@pytest.mark.on("qemu-arm-virt")
@pytest.mark.parametrize("what", [pytest.param(what, id=f"S2 the attribute refuses {what}") for what in REFUSED])
def test_is_refused(what: str, build: Shared) -> None:
    build.app(APP)
    module, says = REFUSED[what]
    crate = folder() / "refused" / what.replace(" ", "-")
    write(
        crate / "Cargo.toml",
        f'[package]\nname = "refused"\nedition = "2024"\n[workspace]\n[dependencies]\n'
        f'libsel4 = {{ path = "{KIT}/rust/libsel4" }}\nlibsel4-test = {{ path = "{LIBRARY}" }}\n',
    )
    write(crate / "src" / "lib.rs", f"#![no_std]\n#![deny(warnings)]\n#[libsel4_test::tests]\n{module}\n")
    run("cp", KIT / "Cargo.lock", crate)
    environment = {"SEL4_SYS_DIR": build.bindings, "CARGO_TARGET_DIR": folder() / "target"}
    target = ("--target", build.configuration.triple)
    must_fail("cargo", "--offline", "build", *target, cwd=crate, says=[says], env=environment)
