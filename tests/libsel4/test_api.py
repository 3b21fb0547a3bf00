# SPDX-License-Identifier: BSD-2-Clause
"""libsel4 has what C has, on every platform, refuses wrong uses, and reads registers anew after a call."""

import re
import shutil
from collections.abc import Collection, Iterator

import pytest
from libsel4.api import API, cargo_against, compare
from support import KIT, check, folder, must_fail, run, write
from support.builds import Build, Shared, host

APP = "tests/libsel4/checks"
EXPECTED = f"{APP}/expected.txt"
CRATES = (
    API,
    KIT / "apps" / "objects",
    KIT / "apps" / "drivers-first-step",
    KIT / "tests" / "libsel4" / "checks",
    KIT / "tests" / "libsel4" / "options",
)
PLATFORMS = (
    "zynqmp",
    "qemu-arm-virt MCS",
    "qemu-arm-virt SMP",
    "qemu-arm-virt aarch32",
    "qemu-arm-virt aarch32 MCS",
    "qemu-riscv-virt",
    "x86_64",
    "ia32",
)
# A kernel that neither prints nor has debugging; what is compiled for it is not booted.
SILENT = ("-DPLATFORM=zynqmp", "-DRELEASE=ON", "-DPRINTING=OFF")
# The number of tests of tests/libsel4/options that must pass, on kernels that have what they test.
OPTIONAL = {
    "qemu-arm-virt hypervisor": ("hypervisor", 4),
    "qemu-arm-virt SMP": ("breakpoints on aarch64", 3),
    "x86_64 SMP": ("breakpoints on x86_64", 3),
    "qemu-arm-virt MCS": ("timeouts", 1),
}
# Optimised, with C's system calls inlined and called: these are looked at instruction by instruction.
OPTIMISED = {
    "zynqmp Release": ("zynqmp Release", ()),
    "zynqmp Release without inlining": ("zynqmp Release", ("-DRUST_INLINE=OFF",)),
    "qemu-arm-virt aarch32 Release": ("qemu-arm-virt aarch32 Release", ()),
    "qemu-riscv-virt Release": ("qemu-riscv-virt Release", ()),
    "x86_64 Release": ("x86_64 Release", ()),
}
ENTRY = re.compile(r"\t(svc|ecall|syscall)\b|seL4_Call")


def on_platforms(name: str, usual: Collection[str] = PLATFORMS) -> pytest.MarkDecorator:
    """Returns the rows of PLATFORMS; `name` is that of a row, and rows that are not `usual` are long."""
    rows = [
        pytest.param(each, id=name.format(each), marks=() if each in usual else pytest.mark.long) for each in PLATFORMS
    ]
    return pytest.mark.parametrize("configuration", rows)


@pytest.mark.quick
@pytest.mark.needs("rust")
def test_the_crates_are_formatted() -> None:
    for crate in CRATES:
        run("cargo", "fmt", "--check", cwd=crate)


@pytest.mark.quick
def test_O1_what_is_found_by_a_name_of_C_begins_with_it() -> None:
    found = 0
    for path in API.glob("src/**/*.rs"):
        for comment in re.findall(r"((?: *(?:///|#\[).*\n)+) *pub (?:const )?(?:unsafe )?fn", path.read_text()):
            if 'alias = "seL4_' in comment:
                found += 1
                check(comment.lstrip().startswith("/// Corresponds to `seL4_"), f"{path.name}:\n{comment}")
    check(found > 100, f"only {found} functions were found")


@pytest.mark.quick
def test_every_safe_function_has_a_reason() -> None:
    script, table = KIT / "docs" / "safe-functions.py", (KIT / "docs" / "safe-functions.md").read_text()
    listed = run(script).splitlines()
    check(len(listed) > 200, f"only {len(listed)} safe functions were found")
    resume = re.search(r"^\| `Cap<Tcb>::tcb_resume` .*\n", table, re.MULTILINE)
    assert resume
    for name, text, says in (
        ("lacks", table.replace(resume[0], ""), "`Cap<Tcb>::tcb_resume` has no line"),
        ("unsafe", table + resume[0].replace("resume", "configure"), "`Cap<Tcb>::tcb_configure` is no safe public"),
        ("twice", table + resume[0], "`Cap<Tcb>::tcb_resume` has two lines"),
    ):
        write(folder() / f"{name}.md", text)
        must_fail(script, folder() / f"{name}.md", says=[says])


@on_platforms("A1 A4 {}: the API has what C has, and words are usize")
def test_has_what_C_has(configuration: str, build: Shared) -> None:
    build.app(APP)
    # Each compiler compares it with its own sizes.
    word = "4" if build.configuration.architecture in ("aarch32", "ia32") else "8"
    rust, layout = (build.bindings / "bindings.rs").read_text(), (build.bindings / "layout.c").read_text()
    check(
        "pub type seL4_Word = usize;" in rust and f"SAME(sizeof(seL4_Word), {word}," in layout,
        f"`{configuration}` has other words",
    )
    compare(configuration, build.bindings)


@on_platforms("{}: words and messages are as in C")
def test_boots(configuration: str, build: Shared) -> None:
    build.app(APP).boot(EXPECTED, linger=0.5)


# Between them they have both word sizes, both kinds of scheduling, and debugging.
@on_platforms("A5 {}: no warning", usual=("qemu-arm-virt MCS", "x86_64"))
def test_is_free_of_warnings(configuration: str, build: Shared) -> None:
    build.app(APP)
    for crate in CRATES:
        cargo_against(build.bindings, build.configuration.triple, "clippy", "--", "--deny", "warnings", crate=crate)


@on_platforms("{}: the documentation builds without warnings")
def test_is_documented(configuration: str, build: Shared) -> None:
    build.app(APP)
    cargo_against(build.bindings, build.configuration.triple, "doc", "--no-deps", RUSTDOCFLAGS="--deny warnings")


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(name, id=f"{title}: what only such a kernel has does what it should")
        for name, (title, _) in OPTIONAL.items()
    ],
)
def test_does_on_the_kernel_what_it_says(configuration: str, build: Shared) -> None:
    build.app("tests/libsel4/options")
    output = run("./run-tests", cwd=build.path)
    check(f"{OPTIONAL[configuration][1]} passed, 0 failed, 0 skipped" in output, output)


@pytest.mark.on("zynqmp")
def test_there_is_no_warning_for_a_silent_kernel() -> None:
    build = Build("silent")
    build.configure(f"-DAPP=../{APP}", *SILENT)
    build.ninja("sel4_rust_sys_gen")
    bindings = build.path / "rust" / "libsel4-sys"
    cargo_against(bindings, "aarch64-unknown-none", "clippy", "--", "--deny", "warnings")


@pytest.mark.on("x86_64")
def test_A2_pure_parts_pass_their_tests_on_the_host(build: Shared) -> None:
    # The build's own C functions are linked; those that would make a system call are not called.
    build.app(APP)
    archives = (build.path / "libsel4_rust_sys.a", build.path / "libsel4" / "libsel4.a")
    flags = ["-Crelocation-model=static", "-Clink-arg=-no-pie", *(f"-Clink-arg={archive}" for archive in archives)]
    # The examples are root servers on the hosted platform: test_examples.py.
    output = cargo_against(build.bindings, host(), "test", "--lib", RUSTFLAGS=" ".join(flags))
    passed = [int(number) for number in re.findall(r"test result: ok. (\d+) passed", output)]
    check(len(passed) == 1 and passed[0] > 5, output)


def wrong_uses() -> Iterator[tuple[str, str, str]]:
    """Yields the wrong uses that the documentation shows, each with the compiler's number for it."""
    for path in sorted(API.glob("src/**/*.rs")):
        text = "\n".join(re.sub(r"^\s*///? ?", "", line) for line in path.read_text().splitlines())
        for code, snippet in re.findall(r"```compile_fail,(E\d+)\n(.*?)```", text, re.DOTALL):
            yield path.stem, code, snippet


def crate_of_a_user(name: str, lints: str, body: str) -> None:
    """Writes a crate that depends on libsel4."""
    write(
        folder() / name / "Cargo.toml",
        f'[package]\nname = "{name.partition("/")[0]}"\nedition = "2024"\n[workspace]\n[dependencies]\n'
        f'libsel4 = {{ path = "{API}" }}\n{lints}',
    )
    write(folder() / name / "src" / "lib.rs", f"#![no_std]\n{body}")


@pytest.mark.on("zynqmp")
@pytest.mark.parametrize(
    "number, code, snippet",
    [
        pytest.param(number, code, snippet, id=f"S3 A3 the compiler refuses wrong use {number} of {place}.rs: {code}")
        for number, (place, code, snippet) in enumerate(wrong_uses())
    ],
)
def test_is_refused(number: int, code: str, snippet: str, build: Shared) -> None:
    build.app(APP)
    # rustdoc compares the numbers on nightly only.
    crate_of_a_user(f"refused/{number}", "", f"pub fn it() {{\n{snippet}}}\n")
    user_fails(build, f"refused/{number}", f"error[{code}]")


def user_fails(build: Shared, name: str, says: str) -> None:
    """Builds a crate that the compiler must refuse."""
    environment = {"SEL4_SYS_DIR": build.bindings, "CARGO_TARGET_DIR": folder() / "target"}
    target = ("--target", build.configuration.triple)
    must_fail("cargo", "--offline", "build", *target, cwd=folder() / name, env=environment, says=[says])


@pytest.mark.on("zynqmp")
def test_S3_a_result_that_is_not_looked_at_is_a_warning(build: Shared) -> None:
    build.app(APP)
    crate_of_a_user(
        "unused",
        '[lints.rust]\nunused_must_use = "deny"\n',
        "pub fn it(tcb: libsel4::Cap<libsel4::Tcb>) { tcb.tcb_suspend(); }\n",
    )
    user_fails(build, "unused", "unused `Result` that must be used")


@pytest.mark.on("zynqmp")
def test_a_libsel4_without_thread_locals_is_refused(build: Shared) -> None:
    build.app(APP)
    option = "cargo::rustc-cfg=CONFIG_LIB_SEL4_USE_THREAD_LOCALS\n"
    bindings = folder() / "without thread-locals"
    shutil.copytree(build.bindings, bindings, dirs_exist_ok=True)
    configuration = (build.bindings / "cfg").read_text()
    check(option in configuration, configuration)
    write(bindings / "cfg", configuration.replace(option, ""))
    command = ("cargo", "--offline", "check", "--locked", "--target", build.configuration.triple)
    environment = {"SEL4_SYS_DIR": bindings, "CARGO_TARGET_DIR": folder() / "target"}
    says = ["one IPC buffer for all threads", "-DLibSel4UseThreadLocals=ON"]
    must_fail(*command, cwd=API, env=environment, says=says)
    write(bindings / "cfg", configuration)
    run(*command, cwd=API, env=environment)


def after_the_call(build: Shared, function: str) -> list[str]:
    """Returns the instructions of a function of the image after it entered the kernel."""
    image = build.path / APP / "rootserver"
    objdump = f"{build.configuration.tools}objdump"
    listing = run(objdump, "-d", "--no-show-raw-insn", f"--disassemble={function}", image)
    lines = listing.partition(f"<{function}>:\n")[2].partition("\n\n")[0].splitlines()
    entries = [number for number, line in enumerate(lines) if ENTRY.search(line)]
    check(entries, f"`{function}` does not enter the kernel:\n{listing}")
    return lines[entries[-1] + 1 :]


def reads_register_7(configuration: str, lines: list[str]) -> bool:
    """Returns whether they load what is 8 words from the beginning of the IPC buffer, or have C do so."""
    offset = 32 if "aarch32" in configuration else 64
    load = rf"\tldr?p?\s.*(#{offset}\]|\b{offset}\(\w+\))|\tmov\s+0x{offset:x}\(%\w+\),|seL4_GetMR"
    return any(re.search(load, line) for line in lines)


@pytest.mark.parametrize(
    "configuration, options",
    [
        pytest.param(configuration, options, id=f"B2 {title}: a register is read again after a call")
        for title, (configuration, options) in OPTIMISED.items()
    ],
)
def test_a_register_is_read_again_after_a_call(configuration: str, options: tuple[str, ...], build: Shared) -> None:
    build.program(APP, *options)
    lines = after_the_call(build, "checks_reread")
    check(
        reads_register_7(configuration, lines)
        and not any("1234" in line.partition("\t")[2] or "4660" in line for line in lines),
        "not read again after the call:\n" + "\n".join(lines),
    )
    lines = after_the_call(build, "checks_forget")
    check(
        not reads_register_7(configuration, lines),
        "the search finds a read where there is none:\n" + "\n".join(lines),
    )


@pytest.mark.quick
def test_the_chapter_shows_code_of_the_apps() -> None:
    apps = ("objects", "drivers-first-step")
    sources = [path.read_text() for app in apps for path in (KIT / "apps" / app / "src").iterdir()]
    page = "".join((KIT / "docs" / name).read_text() for name in ("sel4-from-rust.md", "drivers.md"))
    blocks = re.findall(r"```(?:rust|c)\n(.*?)```", page, re.DOTALL)
    check(len(blocks) > 10, f"only {len(blocks)} blocks of code were found")
    for block in blocks:
        check(any(block in source for source in sources), f"not in an app:\n{block}")
