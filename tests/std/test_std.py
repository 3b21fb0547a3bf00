# SPDX-License-Identifier: BSD-2-Clause
"""Rust's std in a C root server: boots, what it stands on, what is refused."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import KIT, check, check_says, run
from support.builds import STEADY, Build, Shared

# Both architectures; MCS, where threads and the clock rest on other objects; Release, where the linker drops what nobody
# calls and Rust is optimised as a whole.
PLATFORMS = ("zynqmp", "qemu-arm-virt", "qemu-arm-virt MCS", "qemu-arm-virt Release", "x86_64")
# By architecture: the instructions that enter a kernel, and libsel4's functions that hold one in a debug build.
TRAPS = {
    "aarch64": (r"\tsvc\t", ("arm_sys_",)),
    "aarch32": (r"\tsvc", ("arm_sys_",)),
    # libsel4 for RISC-V has the instruction in functions of its own for debugging, too.
    "riscv64": (r"\tecall", ("riscv_sys_", "seL4_Debug")),
    "x86_64": (r"\t(syscall|sysenter|int )", ("x64_sys_",)),
    # muslc has Linux' `int 0x80` in its own C and assembly; the kernel takes no such call.
    "ia32": (r"\t(syscall|sysenter)", ("x86_sys_",)),
}
# Apps that only aarch64 and x86_64 have.
WITH_STD = ("std-tour", "threads", "resilient", "wasm")
WITHOUT_STD = ("hello", "teamwork", "panic", "objects", "drivers-first-step", "root-server")
WITH_CAMKES = ("camkes-adder", "camkes-pipeline")
# Apps whose root server starts other programs, by their names. sel4utils starts none on aarch32 and ia32.
CHILDREN = {"children": ("child",)}


def on(*configurations: str, name: str, also: Sequence[str] = ()) -> pytest.MarkDecorator:
    """Returns rows of these configurations; `name` is that of a row. Those that `also` has are long."""
    rows = [pytest.param(each, id=name.format(each)) for each in configurations]
    rows += [pytest.param(each, id=name.format(each), marks=pytest.mark.long) for each in also]
    return pytest.mark.parametrize("configuration", rows)


# Before the rows of the same program, which is then built once.
@on("qemu-arm-virt", "x86_64", name="A11 std enters the kernel through libsel4 alone on {}")
def test_enters_the_kernel_through_libsel4_alone(configuration: str, build: Shared) -> None:
    audit(build, "std-tour")


def audit(build: Shared, app: str) -> None:
    """Fails if a function in a debug image of `app` enters the kernel, and is none of libsel4's.

    Its images are the root server, the programs that this starts, and the instances of CAmkES components.
    """
    build.app(app)
    images = [build.path / f"apps/{app}" / name for name in ("rootserver", *CHILDREN.get(app, ()))]
    if app.startswith("camkes-"):
        # Beside them lies a script for each, `backtrace-…`.
        images = sorted(set(build.path.glob("*.instance.bin")) - set(build.path.glob("backtrace-*")))
        check(images, f"there are no instances of components in `{build.path}`")
    for image in images:
        audit_image(image, build.configuration.tools, build.configuration.architecture)


def audit_image(image: Path, tools: str, architecture: str) -> None:
    instruction, own = TRAPS[architecture]
    function, holders = "", set()
    for line in run(f"{tools}objdump", "-d", image).splitlines():
        if start := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = start[1]
        elif re.search(instruction, line):
            holders.add(function)
    foreign = sorted(name for name in holders if not name.startswith(own))
    check(len(holders) > len(foreign), f"no function of libsel4 holds `{instruction}`: is this the right instruction?")
    check(not foreign, f"in `{image}`, these enter a kernel by themselves: {' '.join(foreign)}")


@on(
    also=[
        *("qemu-arm-virt", "qemu-arm-virt aarch32", "qemu-riscv-virt", "x86_64", "ia32"),
        *(f"CAmkES {platform}" for platform in ("qemu-arm-virt", "qemu-arm-virt aarch32", "qemu-riscv-virt", "x86_64")),
    ],
    name="A11 apps enter the kernel through libsel4 alone on {}",
)
def test_apps_enter_the_kernel_through_libsel4_alone(configuration: str, build: Shared) -> None:
    apps: tuple[str, ...] = WITHOUT_STD
    if "CAmkES" in build.configuration.has:
        apps = WITH_CAMKES
    elif configuration in ("qemu-arm-virt", "x86_64"):
        apps += WITH_STD + tuple(CHILDREN)
    elif configuration == "qemu-riscv-virt":
        apps += tuple(CHILDREN)
    for app in apps:
        audit(build, app)


def test_all_apps_are_audited() -> None:
    apps = {manifest.parent.name for manifest in (KIT / "apps").glob("*/README.md")} - {"startup"}
    check(apps == {*WITHOUT_STD, *WITH_STD, *CHILDREN, *WITH_CAMKES}, f"the apps are {' '.join(sorted(apps))}")


def often(configuration: str, app: str) -> Sequence[pytest.MarkDecorator]:
    """Returns the marks of a row: long, where it goes as on qemu-arm-virt in Debug, or is shown by std-tour."""
    differs = configuration == "qemu-arm-virt" or (configuration, app) in (
        ("qemu-arm-virt MCS", "std-tour"),
        ("qemu-arm-virt MCS", "threads"),
        ("qemu-arm-virt Release", "std-tour"),
        ("x86_64", "std-tour"),
        ("x86_64", "threads"),
    )
    return () if differs else (pytest.mark.long,)


@pytest.mark.parametrize(
    "configuration, app",
    [
        pytest.param(configuration, app, id=f"D8 {app} on {configuration}", marks=marks)
        for configuration in PLATFORMS
        for app in ("std-tour", "threads", "resilient")
        for marks in [often(configuration, app)]
    ]
    + [
        pytest.param(configuration, "std-tour", id=f"D8 std-tour on {configuration}", marks=marks)
        for configuration, marks in (("qemu-arm-virt SMP", pytest.mark.long), ("x86_64 SMP", ()))
    ],
)
def test_boots(configuration: str, app: str, build: Shared) -> None:
    build.app(app).boot(f"apps/{app}/expected.txt", linger=0.5)


@on("qemu-arm-virt", also=["x86_64"], name="libraries with and without STD in one executable on {}")
def test_mixes(configuration: str, build: Shared) -> None:
    # The strictest setting: the program uses no function without an implementation.
    build.app("tests/std/mixed", "-DRUST_STD_CHECK=error").boot("tests/std/mixed/expected.txt", linger=0.5)


# From allocman, as the application gives them. 8 threads take 8 objects of a kind, the first thread and three locks 4, and
# memory begins to grow: a page, and a table or two.
OBJECTS_OF_THE_APPLICATION = """
Before main() std took 0 KiB
allocman makes an endpoint: yes
Threads: 8
/^Objects from allocman: ({}|{})$/
A block larger than the arena: yes
allocman gave out all memory: yes
Threads: 8
Thread 9: WouldBlock
Thread 17: WouldBlock
Threads: 8
A block where none is left: no
"""


# With MCS there is one kind of objects more; x86_64 has untypeds of other sizes.
@on("qemu-arm-virt MCS", also=["x86_64"], name="allocman finds what std left on {}")
def test_goes_beside_allocman(configuration: str, build: Shared) -> None:
    build.app("tests/std/allocman", "-DRUST_STD_GROWTH=8388608", "-DOBJECTS=reserved")
    build.boot("tests/std/allocman/expected.txt", linger=0.5)


@on("qemu-arm-virt MCS", also=["x86_64"], name="std takes its objects from allocman on {}")
def test_takes_objects_from_allocman(configuration: str, build: Shared) -> None:
    kinds = 3 if "MCS" in configuration else 2
    build.app("tests/std/allocman", "-DRUST_STD_GROWTH=8388608", "-DOBJECTS=application")
    build.boot(OBJECTS_OF_THE_APPLICATION.format(8 * kinds + 6, 8 * kinds + 7).splitlines(), linger=0.5)


@on("qemu-arm-virt Release", name="system calls are inlined into a library with std, and panics pass")
def test_inlines_system_calls(configuration: str, build: Shared) -> None:
    build.app("tests/std/inlined", "-DRUST_INLINE=ON")
    # In the function itself, which unwinds.
    image = build.path / "tests/std/inlined/rootserver"
    code = run("aarch64-linux-gnu-objdump", "--disassemble", "--demangle", image)
    function = re.search(r"^[0-9a-f]+ <inlined::call_and_panic>:\n((?:.+\n)+)", code, re.MULTILINE)
    check(function and re.search(TRAPS["aarch64"][0], function[1]), "the function does not enter the kernel itself")
    build.boot("tests/std/inlined/expected.txt")


@on("qemu-arm-virt", name="refused: STD in a program that a root server starts")
def test_in_a_child(configuration: str, build: Shared) -> None:
    output = build.select("tests/std/foreign", "-DCHILD=ON", status=1)
    check_says(output, "`child` links a library with STD, and is not a root server", "DeclareRootserver(child)")
    build.select("tests/std/foreign")


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(
            name, id=f"threads that muslc does not know on {name}", marks=() if name == usual else pytest.mark.long
        )
        for usual in ("qemu-arm-virt",)
        for name in (usual, "qemu-arm-virt MCS", "x86_64")
    ],
)
def test_threads_that_muslc_does_not_know(configuration: str, build: Shared) -> None:
    # Two that allocate meet at malloc's lock as soon as a time slice ends in it.
    for case in ("lock", "local", "allocate"):
        build.app("tests/std/foreign", f"-DCASE={case}").boot("tests/std/foreign/expected.txt", STEADY)


# What the functions of the app use, and the function of C that tells so.
LACKING = {"connects": "socket", "resolves": "(socket|getaddrinfo)", "starts": "fork", "makes_a_folder": "mkdir"}


@pytest.mark.parametrize(
    "configuration, also",
    [
        pytest.param(
            name, also, id=f"K3 unimplemented parts of std are reported on {name}, with the way there", marks=marks
        )
        # An optimised build inlines what opens a file.
        for name, also, marks in (
            ("qemu-arm-virt", {"writes_a_file": "std::fs::write"}, ()),
            ("qemu-arm-virt Release", {}, pytest.mark.long),
        )
    ],
)
def test_reports_unimplemented_parts_of_std(configuration: str, also: dict[str, str], build: Shared) -> None:
    app = "tests/std/lacking"
    build.select(app)
    output = build.ninja()
    check_says(output, f"warning: `{app}/rootserver` uses parts of Rust's std that are not implemented on seL4")
    for function, symbol in {**LACKING, **also}.items():
        check(
            re.search(rf"^    lacking::{function} → (.* → )?{symbol}$", output, re.MULTILINE),
            f"no way from `{function}` to `{symbol}` is told:\n{output}",
        )
    # What is told is so: each call gets an error.
    build.boot(f"{app}/expected.txt")
    build.select(app, "-DRUST_STD_CHECK=error")
    build.ninja_fails(says=[f"error: `{app}/rootserver` uses parts", "-DRUST_STD_CHECK=warn"])
    check(not (build.path / app / "rootserver").exists(), "the executable is there all the same")
    build.select(app, "-DRUST_STD_CHECK=off")
    check("warning: `tests" not in build.ninja(), "it is told, though `off` was asked for")


@on("qemu-arm-virt", name="refused: an image that takes more slots than there are")
def test_more_pages_than_slots(configuration: str, build: Shared) -> None:
    # So much that only the program itself is too much.
    build.select("tests/std/lacking", "-DRUST_STD_MEMORY=31457280")
    build.ninja_fails(
        says=[
            "pages, each of which takes a slot of the root CNode",
            "KernelRootCNodeSizeBits is `13`, 8192 slots",
            "help: configure a fresh build folder with -DKernelRootCNodeSizeBits=14",
        ]
    )


# Release, where the linker lays the image out otherwise. The timer is the application's, so MCS changes nothing.
@on(
    "qemu-arm-virt Release",
    "x86_64",
    name="a stack that is used up is a fault of its thread, for each kind of thread, on {}",
)
def test_stack_overflows(configuration: str, build: Shared) -> None:
    build.app("tests/std/overflow").boot("tests/std/overflow/expected.txt", linger=0.5)


@on("qemu-arm-virt", name="what a failed reservation lacks is told once, and a single thread sleeps without it")
def test_a_failed_reservation(configuration: str, build: Shared) -> None:
    # Two objects for each thread, and a page, are more than 8192 slots.
    build.app("tests/std/endings", "-DENDING=without-objects", "-DRUST_STD_THREADS=2500", "-DRUST_STD_CHECK=off")
    lack = "sel4std: there are no kernel objects for threads: [0-9]+ empty slots in the root CNode are needed"
    console = build.boot([f"/^{lack}, and there are [0-9]+; configure a larger Kernel/", "A thread: Err(WouldBlock)"])
    check(sum("sel4std: " in line for line in console.lines) == 1, "it is not told once")
    build.boot(["A thread: Err(WouldBlock)", "It slept all the same"])


@on("qemu-arm-virt", name="refused: objects that take more slots than there are")
def test_more_objects_than_slots(configuration: str, build: Shared) -> None:
    # Room for the image's pages, and not for those of growth.
    options = "-DRUST_STD_MEMORY=29360128", "-DRUST_STD_GROWTH=1073741824"
    build.select("tests/std/lacking", *options)
    build.ninja_fails(says=["slots", "KernelRootCNodeSizeBits is `13`, 8192 slots", "smaller -DRUST_STD_MEMORY= and"])
    build.select("tests/std/lacking", options[0])
    build.ninja()


# The stress run of tests/suites has two cores on x86_64 in each run.
@on("qemu-arm-virt SMP", also=["qemu-arm-virt MCS SMP", "x86_64 SMP"], name="std uses all cores of {}")
def test_uses_the_cores(configuration: str, build: Shared) -> None:
    build.app("tests/std/cores").boot("tests/std/cores/expected.txt")


@pytest.mark.long
@on("qemu-arm-virt", "x86_64", name="SQLite on {}")
def test_build_scripts_compile_C_for_the_image(configuration: str, build: Shared) -> None:
    build.app("tests/std/sqlite").boot("tests/std/sqlite/expected.txt")
    # A crate with C of its own, for the target of bare metal.
    alone = "-DTEST_WITHOUT_STD=ON"
    build.app("tests/std/sqlite", alone).boot(["48 bytes, sum 0"])
    # Its link fails, too, but not in words that tell why.
    if configuration == "qemu-arm-virt":
        build.select("tests/std/sqlite", alone, "-DTEST_SHIM_FOR_HOST=ON")
        warning = (
            "warning: the build script of the crate `shim` has compiled `",
            "` for another system: its code is for",
        )
        build.ninja_fails(says=warning)


@pytest.mark.long
@on("qemu-arm-virt", "x86_64", name="W1 W2 Wasmtime's limits hold, bytecode on {}")
def test_runs_WebAssembly(configuration: str, build: Shared) -> None:
    build.app("wasm").boot("apps/wasm/expected.txt", linger=0.5)


@pytest.mark.long
@on("x86_64", name="W1 W2 Wasmtime's limits hold, native code on {}")
def test_runs_native_WebAssembly(configuration: str, build: Shared) -> None:
    build.app("wasm", "-DWASM_NATIVE=ON", "-DRUST_STD_EXECUTABLE=ON").boot("apps/wasm/expected.txt", linger=0.5)
    # Nothing becomes executable unless the program may make it so.
    lines = ["/^the guest cannot be opened: .*Permission denied/", "The program ended with exit code 1"]
    build.app("wasm", "-DWASM_NATIVE=ON").boot(lines, linger=0.5)


@on("qemu-arm-virt", "x86_64", name="files on {}")
def test_reads_files(configuration: str, build: Shared) -> None:
    build.app("tests/std/files").boot("tests/std/files/expected.txt", linger=0.5)


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(each, id=f"functions of sel4std.h may wait, and C's calls tell the truth, on {each}", marks=marks)
        for each, marks in (
            ("qemu-arm-virt", ()),
            ("x86_64", pytest.mark.long),
            ("qemu-arm-virt MCS", pytest.mark.long),
        )
    ],
)
def test_calls_hooks_without_a_lock(configuration: str, build: Shared) -> None:
    build.app("tests/std/hooks").boot("tests/std/hooks/expected.txt", linger=0.5)


# With executable memory, if it is asked for.
@pytest.mark.parametrize(
    "configuration, options, code",
    [
        pytest.param(each, options, code, id=f"calls that crates build on are answered on {each}", marks=marks)
        for each, options, code, marks in (
            ("qemu-arm-virt", ("-DRUST_STD_EXECUTABLE=ON",), "returns 42", ()),
            ("x86_64", (), "is refused: Permission denied", pytest.mark.long),
        )
    ],
)
def test_answers(configuration: str, options: tuple[str, ...], code: str, build: Shared) -> None:
    console = build.app("tests/std/answers", *options).boot("tests/std/answers/expected.txt")
    check_says("\n".join(console.lines), f"Code that the program writes {code}")


# With the watcher from the start, and with the first handler.
@pytest.mark.parametrize(
    "configuration, options",
    [
        pytest.param(each, options, id=f"handlers take faults on {each}", marks=marks)
        for each, options, marks in (
            ("qemu-arm-virt", (), ()),
            ("x86_64", ("-DRUST_STD_FAULT=exit",), ()),
            ("qemu-arm-virt MCS", ("-DRUST_STD_FAULT=exit",), pytest.mark.long),
            ("x86_64 SMP", (), pytest.mark.long),
        )
    ],
)
def test_handlers_take_faults(configuration: str, options: tuple[str, ...], build: Shared) -> None:
    build.app("tests/std/faults", *options).boot("tests/std/faults/expected.txt")


def uses_memory_up(build: Shared, *options: str) -> None:
    build.app("tests/std/memory", "-DRUST_STD_GROWTH=16777216", *options).boot("tests/std/memory/expected.txt")


@on("qemu-arm-virt", also=["x86_64"], name="memory grows, and its end is an error, on {}")
def test_uses_memory_up(configuration: str, build: Shared) -> None:
    uses_memory_up(build)


# muslc asks for memory before its constructors have run then: std's thread-local storage is too large for its own.
@on("qemu-arm-virt", name="memory without a region of muslcsys'")
def test_uses_memory_up_without_a_region(configuration: str, build: Shared) -> None:
    uses_memory_up(build, "-DLibSel4MuslcSysMorecoreBytes=0")


# Without MCS, std sleeps without waking only by a timer of the application's.
@pytest.mark.parametrize(
    "configuration, options",
    [
        pytest.param("qemu-arm-virt", ("-DTIMER=generic",), id="time on qemu-arm-virt by the generic timer"),
        pytest.param("qemu-arm-virt MCS", (), id="time on qemu-arm-virt MCS by a scheduling context"),
    ],
)
def test_keeps_time(configuration: str, options: tuple[str, ...], build: Shared) -> None:
    build.app("tests/std/time", *options)
    build.boot("tests/std/time/expected.txt", command=STEADY, linger=0.5)


REFUSALS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "riscv64": (
        [
            "there is no std for KernelSel4Arch `riscv64`",
            "is written for aarch64 and x86_64",
            "Help: build for aarch64 or x86_64",
        ],
        ("-DPLATFORM=qemu-riscv-virt",),
    ),
    "a counter that users cannot read": (
        ["KernelArmExportVCNTUser is `OFF`", "Help: configure a fresh build folder"],
        ("-DPLATFORM=qemu-arm-virt", "-DKernelArmExportVCNTUser=OFF"),
    ),
    "one IPC buffer for all threads": (
        ["LibSel4UseThreadLocals is `OFF`", "-DLibSel4UseThreadLocals=ON"],
        ("-DPLATFORM=qemu-arm-virt", "-DLibSel4UseThreadLocals=OFF"),
    ),
    "memory that has no slots": (
        ["KernelRootCNodeSizeBits is `13`, 8192 slots", "alone take 16640"],
        ("-DPLATFORM=qemu-arm-virt", "-DRUST_STD_MEMORY=67108864"),
    ),
    "a stack that no memory holds": (
        ["RUST_STD_STACK is `4194304`", "`4194304` bytes of RUST_STD_MEMORY"],
        ("-DPLATFORM=qemu-arm-virt", "-DRUST_STD_STACK=4194304"),
    ),
    "a file system without files": (
        ["LibSel4MuslcSysCPIOFS is `ON`", "no source of `rootserver` is an archive", "MakeCPIO("],
        (
            "-DPLATFORM=qemu-arm-virt",
            "-DKernelArmExportVCNTUser=ON",
            "-DAPP=../tests/std/lacking",
            "-DLibSel4MuslcSysCPIOFS=ON",
        ),
    ),
    "a check that is none": (
        ["RUST_STD_CHECK is `loud`", "-DRUST_STD_CHECK= one of: warn, error, off"],
        ("-DPLATFORM=qemu-arm-virt", "-DRUST_STD_CHECK=loud"),
    ),
    "more growth than there is room for": (
        ["RUST_STD_GROWTH is `2147483648`", "from 0 to 1073741824"],
        ("-DPLATFORM=qemu-arm-virt", "-DRUST_STD_GROWTH=2147483648"),
    ),
    "a number that is none": (
        ["RUST_STD_THREADS is `many`", "-DRUST_STD_THREADS="],
        ("-DPLATFORM=qemu-arm-virt", "-DRUST_STD_THREADS=many"),
    ),
}


@pytest.mark.needs("sources", "rust", "aarch64", "riscv64")
@pytest.mark.parametrize("name", [pytest.param(name, id=f"refused: {name}") for name in REFUSALS])
def test_is_refused(name: str) -> None:
    says, options = REFUSALS[name]
    Build(name.replace(" ", "-")).configure_fails("-DAPP=std-tour", *options, says=says)
