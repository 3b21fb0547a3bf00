# SPDX-License-Identifier: BSD-2-Clause
"""libsel4-sys is what libsel4 is in each build: system calls from Rust boot, layouts and configuration agree."""

import re
import resource
import shutil
from pathlib import Path

import pytest
from libsel4.api import tool
from support import KIT, check, check_says, folder, must_fail, run, skip, workspace, write
from support.builds import Build, Shared

APP = "tests/libsel4/syscalls"
EXPECTED = f"{APP}/expected.txt"
SYS = KIT / "rust" / "libsel4-sys"
SYSCALLS = KIT / APP
TARGET = "aarch64-unknown-none"
RELEASES = (
    "zynqmp Release",
    "qemu-arm-virt MCS Release",
    "qemu-arm-virt aarch32 Release",
    "qemu-riscv-virt Release",
    "x86_64 Release",
    "ia32 Release",
)
# Title: configuration, options of the application.
PLATFORMS: dict[str, tuple[str, tuple[str, ...]]] = {
    name: (name, ())
    for name in (
        "zynqmp",
        "qemu-arm-virt MCS",
        "qemu-arm-virt aarch32",
        "qemu-riscv-virt",
        "x86_64",
        "ia32",
        *RELEASES,
    )
}
PLATFORMS["zynqmp Release without inlining"] = ("zynqmp Release", ("-DRUST_INLINE=OFF",))
# Instructions that enter the kernel, as objdump writes them.
TRAP = re.compile(r"\t(svc|hvc|smc|ecall|syscall|sysenter|int +\$)\b")


def on_platforms(name: str) -> pytest.MarkDecorator:
    """Returns the rows of PLATFORMS; `name` is that of a row."""
    rows = [pytest.param(*row, id=name.format(title)) for title, row in PLATFORMS.items()]
    return pytest.mark.parametrize("configuration, options", rows)


def compile_layout(build: Build) -> str:
    """Returns the command that compiles layout.c."""
    commands = run("ninja", "-t", "commands", "sel4_rust_sys", cwd=build.path).splitlines()
    return next(line for line in commands if "layout.c.obj" in line and " -c " in line)


def cargo(build: Shared, *arguments: object, fails: list[str] | None = None, **environment: object) -> str:
    """Runs cargo on libsel4-sys or a crate that uses it, as the build has libsel4."""
    command = ("cargo", "--offline", *arguments)
    environment = {"SEL4_SYS_DIR": build.bindings, "CARGO_TARGET_DIR": folder() / "target", **environment}
    return must_fail(*command, says=fails, env=environment) if fails else run(*command, env=environment)


@on_platforms("{}: system calls from Rust")
def test_boots(configuration: str, options: tuple[str, ...], build: Shared) -> None:
    build.app(APP, *options).boot(EXPECTED, linger=0.5)


@pytest.mark.long
@pytest.mark.parametrize("configuration", ["qemu-arm-virt", "x86_64 Release"])
def test_binds_all_user_libraries(configuration: str, build: Shared) -> None:
    """`BINDS` of an INTERFACE library that links them all: one module, with the types of libsel4-sys."""
    build.app("tests/libsel4/libraries").boot("tests/libsel4/libraries/expected.txt", linger=0.5)
    bindings = (build.path / "rust" / "bindings" / "user_libraries" / "bindings.rs").read_text()
    for name in (
        "vka_alloc_tcb",
        "vspace_map_pages",
        "sel4utils_start_thread",
        "ps_io_map",
        "cpio_get_file",
        "elf_newFile",
    ):
        check(f"pub fn {name}(" in bindings, f"`{name}` is not bound")
    for name in ("seL4_CPtr", "seL4_CapRights"):
        check(not re.search(rf"pub (type|struct) {name}\b", bindings), f"`{name}` is another type than libsel4-sys'")
    check("// * `ZF_LOGF(…)` is a macro with arguments" in bindings, "macros with arguments are not listed")


@on_platforms("A11 {}: no trap instruction is written in Rust")
def test_has_no_trap_instruction_of_its_own(configuration: str, options: tuple[str, ...], build: Shared) -> None:
    build.app(APP, *options)
    objdump = f"{build.configuration.tools}objdump"

    def traps(archive: str) -> list[str]:
        listing = run(objdump, "-d", build.path / archive)
        check(listing.count(">:\n") > 100, f"`{archive}` was hardly disassembled:\n{listing[:2000]}")
        return [line for line in listing.splitlines() if TRAP.search(line)]

    # As rustc writes it; what is inlined later comes from C.
    found = traps("rust/rootserver/archive/libsel4_rust_rootserver.a")
    check(not found, "in the Rust archive:\n" + "\n".join(found))
    # That the search would find them shows where they are.
    check(traps("libsel4_rust_sys.a"), "none in the C side of the bindings either: the search is wrong")


@on_platforms("{}: every function that C has is there")
def test_every_function_that_C_has_is_there(configuration: str, options: tuple[str, ...], build: Shared) -> None:
    build.app(APP, *options)
    # As the C compiler sees the headers; libsel4 writes a function's name at the beginning of a line.
    text = run("sh", "-c", re.sub(r" -o \S+ -c ", " -E ", compile_layout(build)), cwd=build.path)
    wanted = set(re.findall(r"^(seL4_\w+)\(", text, re.MULTILINE))
    check({"seL4_TCB_Configure", "seL4_Call", "seL4_Yield"} < wanted, f"C has only {sorted(wanted)}")
    bound = set(re.findall(r"pub fn (\w+)", (build.bindings / "bindings.rs").read_text()))
    check(wanted <= bound, f"`{configuration}` lacks {sorted(wanted - bound)}")


@pytest.mark.parametrize(
    "configuration",
    [pytest.param(name, id=f"A11 {name}: each trap instruction comes from libsel4's C") for name in RELEASES],
)
def test_inlines_only_what_is_of_libsel4(configuration: str, build: Shared) -> None:
    """Debug info of both languages, C's by the configuration and Rust's by tests/Cargo.toml, covers each trap instruction."""
    build.app(APP)
    if not (build.path / "rust" / "rootserver" / "inlined.o").exists():
        skip("not inlined here: no clang that fits")
    tools, image = build.configuration.tools, build.path / APP / "rootserver"
    # On x86_64 clang and rustc pass a structure that finds no register free in different words for the same thing.
    called = re.findall(r"\S+__extern$", run(f"{tools}nm", image), re.MULTILINE)
    check(
        set(called) <= ({"seL4_CNode_Mint__extern"} if "x86_64" in configuration else set()),
        f"called instead of inlined: {called}",
    )
    listing = run(f"{tools}objdump", "-d", image)
    called = [line for line in listing.splitlines() if line.endswith("<__aeabi_read_tp>")]
    check(not called, "the thread pointer is not read as C reads it:\n" + "\n".join(called))
    rust = 0
    for line in listing.splitlines():
        if not TRAP.search(line):
            continue
        address = line.split(":")[0].strip()
        frames = run(f"{tools}addr2line", "-f", "-i", "-e", image, address).splitlines()
        if "int    $0x80" in line and frames[1] == "??:?":
            # Linux's, in assembly of muslc for ia32, which has no debug info here as Rust has.
            continue
        check("/libsel4/" in frames[1], f"`{line.strip()}` is not of libsel4:\n" + "\n".join(frames))
        rust += any("syscalls/src/lib.rs" in frame for frame in frames)
    check(rust >= 3, f"only {rust} trap instructions were inlined into Rust")
    build.boot(EXPECTED)


@pytest.mark.on("qemu-arm-virt aarch32")
def test_aarch32_calls_of_read_tp_become_the_instruction_and_nothing_else_does(build: Shared) -> None:
    build.app(APP)
    path = folder() / "read-tp"
    # What begins with the name of compiler_builtins passes for a Rust archive.
    member = "compiler_builtins-0.rcgu.o"
    write(
        path / "calls.s",
        ".arm\n.globl f\nf:\nbl __aeabi_read_tp\nbl other\nblne __aeabi_read_tp\nb __aeabi_read_tp\n"
        ".word __aeabi_read_tp\nbl __aeabi_read_tp\n.thumb\nbl __aeabi_read_tp\n",
    )
    run("arm-linux-gnueabi-as", "-march=armv7-a", "calls.s", "-o", member, cwd=path)
    run("arm-linux-gnueabi-ar", "rcs", "in.a", member, cwd=path)

    def sealed(*options: str) -> str:
        write(path / "request", "\n".join(["archive = 'in.a'", "out = 'out.a'", *options]))
        run(tool(build), "seal", "request", cwd=path)
        return run("arm-linux-gnueabi-objdump", "-dr", "out.a", cwd=path)

    expected, count = re.subn(
        r"ebfffffe \tbl\t0 <__aeabi_read_tp>(\n.*)R_ARM_CALL\t__aeabi_read_tp",
        r"ee1d0f70 \tmrc\t15, 0, r0, cr13, cr0, {3}\1R_ARM_NONE\t*ABS*",
        sealed(),
    )
    check(count == 2, f"{count} calls in the archive:\n{expected}")
    without = sealed("no-read-tp = true")
    check(without == expected, f"{without}\ninstead of\n{expected}")


@pytest.mark.on("qemu-arm-virt aarch32 Release")
def test_aarch32_where_C_calls_read_tp_Rust_does(build: Shared) -> None:
    def seals(folder: Build) -> str:
        command = run("ninja", "-t", "commands", "sel4_rust_rootserver-seal", cwd=folder.path).splitlines()[-1]
        check_says(command, "sel4-rust seal ")
        found = re.search(r"\S+\.seal\.toml", command)
        assert found, f"no request in `{command}`"
        request = Path(found[0]).read_text()
        check_says(request, "inlined = ")
        return request

    build.app(APP)
    check_says(seals(build), "no-read-tp = true")
    soft = Build("read-tp-soft")
    soft.configure(
        "-DPLATFORM=qemu-arm-virt", "-DAARCH32=TRUE", "-DRELEASE=ON", f"-DAPP=../{APP}", "-DCMAKE_C_FLAGS=-mtp=soft"
    )
    check_says(seals(soft), "no-read-tp = false")


@pytest.mark.on("zynqmp")
def test_RUST_INLINE_says_what_stands_against_it() -> None:
    says = ["RUST_INLINE is ON, but C cannot be inlined into Rust here: a debug build"]
    Build("inline").configure_fails("-DPLATFORM=zynqmp", f"-DAPP=../{APP}", "-DRUST_INLINE=ON", says=says)


@pytest.mark.on("zynqmp")
def test_nothing_is_done_when_nothing_changed(build: Shared) -> None:
    build.app(APP)
    files = [path for path in [*build.bindings.iterdir(), *build.path.glob("images/*")] if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in files}
    output = build.ninja()
    check("reading the headers" not in output and "Linking" not in output, output)
    changed = [path.name for path in files if path.stat().st_mtime_ns != before[path]]
    check(not changed, f"written again: {changed}")


@pytest.mark.on("zynqmp")
def test_A6_L2_a_change_of_the_configuration_rebuilds_what_depends_on_it() -> None:
    build = Build("flip")
    options = ("-DKernelRootCNodeSizeBits=13", "-DKernelArmExportPTMRUser=OFF")
    build.configure("-DPLATFORM=zynqmp", f"-DAPP=../{APP}", *options)
    build.ninja()
    build.configure("-DKernelRootCNodeSizeBits=14", "-DKernelArmExportPTMRUser=ON")
    output = build.ninja()
    bindings = build.path / "rust" / "libsel4-sys"
    check_says(output, "Compiling libsel4-kit-sys", "Compiling syscalls")
    check_says((bindings / "config.rs").read_text(), "CONFIG_ROOT_CNODE_SIZE_BITS: usize = 14;")
    check_says((bindings / "cfg").read_text(), "cargo::rustc-cfg=CONFIG_EXPORT_PTMR_USER")
    # The root server compares what Rust was compiled with, with what C was.
    build.boot(EXPECTED)
    output = build.ninja()
    check("Compiling" not in output and "reading the headers" not in output, output)


@pytest.mark.on("zynqmp")
def test_a_clean_build_in_parallel_has_its_order_right() -> None:
    build = Build("parallel")
    build.configure("-DPLATFORM=zynqmp", f"-DAPP=../{APP}")
    # The bindings alone, with nothing else built before them.
    build.ninja("-j8", "sel4_rust_sys")


@pytest.mark.on("zynqmp")
def test_a_misspelt_cfg_is_an_error(build: Shared) -> None:
    build.app(APP)
    crate = folder() / "misspelt"
    shutil.rmtree(crate, ignore_errors=True)
    shutil.copytree(SYSCALLS, crate)
    write(crate / "Cargo.toml", (crate / "Cargo.toml").read_text().replace("../../../rust", str(KIT / "rust")))
    library = crate / "src" / "lib.rs"
    library.write_text(library.read_text().replace("CONFIG_KERNEL_MCS", "CONFIG_KERNEL_MSC"))
    says = ["unexpected `cfg` condition name: `CONFIG_KERNEL_MSC`", "CONFIG_KERNEL_MCS", "error: could not compile"]
    cargo(build, "check", "--manifest-path", crate / "Cargo.toml", "--target", TARGET, fails=says)


@pytest.mark.on("zynqmp")
def test_where_no_libsel4_is_named_one_line_says_what_to_set(build: Shared) -> None:
    # For the host there is the hosted platform's.
    says = ["no libsel4 is named: build through CMake with add_rust_library(), or set SEL4_SYS_DIR"]
    manifest = ("--manifest-path", SYS / "Cargo.toml")
    output = cargo(build, "check", *manifest, "--target", TARGET, SEL4_SYS_DIR=None, fails=says)
    check(len([line for line in output.splitlines() if "SEL4_" in line]) == 1, output)


@pytest.mark.on("zynqmp")
def test_a_missing_libclang_is_named_with_its_package() -> None:
    build = Build("no-libclang")
    options = ("-DPLATFORM=zynqmp", f"-DAPP=../{APP}")
    nowhere = {"LIBCLANG_PATH": str(folder() / "nowhere")}
    says = ["libclang, which reads C headers, cannot be loaded", "elp: apt-get install clang"]
    build.configure_fails(*options, env=nowhere, says=says)
    # The same folder goes on once it is there; and where it vanishes again, ninja says it.
    build.configure(*options)
    build.ninja_fails("sel4_rust_sys", env=nowhere, says=says)
    check(
        not (build.path / "rust" / "libsel4-sys" / "bindings.rs").exists(),
        "bindings were written without libclang",
    )


@pytest.mark.on("zynqmp")
def test_B1_the_C_compiler_notices_a_layout_that_differs(build: Shared) -> None:
    build.app(APP)
    # The same headers, but for two fields that changed places.
    place = "sel4/bootinfo_types.h"
    text = (workspace() / "kernel" / "libsel4" / "include" / place).read_text()
    fields = r"(seL4_NodeId +nodeID;[^\n]*\n)(.*?)(    seL4_Word +numNodes;[^\n]*\n)"
    swapped = re.sub(fields, r"\3\2\1", text, flags=re.DOTALL)
    check(swapped != text, f"`{place}` has no fields nodeID and numNodes")
    write(folder() / "swapped" / place, swapped)
    command = compile_layout(build)
    run("sh", "-c", command, cwd=build.path)
    must_fail(
        *("sh", "-c", command.replace(" -I", f" -I{folder() / 'swapped'} -I", 1)),
        cwd=build.path,
        says=["the offset of `nodeID` in `struct seL4_BootInfo` differs between C and Rust"],
    )


@pytest.mark.on("zynqmp")
def test_B1_rustc_notices_a_layout_that_differs(build: Shared) -> None:
    build.app(APP)
    wrong = folder() / "wrong"
    shutil.rmtree(wrong, ignore_errors=True)
    shutil.copytree(build.bindings, wrong)
    bindings = wrong / "bindings.rs"
    text = bindings.read_text()
    field = r"(pub struct seL4_UntypedDesc \{[^}]*?)pub isDevice: seL4_Uint8"
    changed = re.sub(field, r"\1pub isDevice: seL4_Word", text)
    check(changed != text, "the bindings have no seL4_UntypedDesc::isDevice")
    bindings.write_text(changed)
    says = ["Size of seL4_UntypedDesc", "Size of seL4_BootInfo", "evaluation of `bindings::_` failed"]
    manifest = ("--manifest-path", SYS / "Cargo.toml")
    cargo(build, "check", *manifest, "--target", TARGET, SEL4_SYS_DIR=wrong, fails=says)


@pytest.mark.on("zynqmp")
def test_the_documentation_builds_without_a_warning_or_a_tag(build: Shared) -> None:
    build.app(APP)
    text = (build.bindings / "bindings.rs").read_text()
    lines = [line for line in text.splitlines() if line.lstrip().startswith("///")]
    check(len(lines) > 500, f"only {len(lines)} lines of documentation")
    tag = r"(?<!\\)<(?!https?:)|@\w|xmlonly|&\w+;"
    odd = [line for line in lines if re.search(tag, re.sub(r"`[^`]*`", "", line))]
    check(not odd, "not made readable:\n" + "\n".join(odd))
    manifest = ("--manifest-path", SYS / "Cargo.toml")
    cargo(build, "doc", "--no-deps", *manifest, "--target", TARGET, RUSTDOCFLAGS="--deny warnings")


@pytest.mark.on("zynqmp")
def test_libsel4_sys_is_formatted_and_free_of_warnings(build: Shared) -> None:
    build.app(APP)
    for crate in SYS, SYSCALLS:
        run("cargo", "fmt", "--check", cwd=crate)
        manifest = ("--manifest-path", crate / "Cargo.toml")
        cargo(build, "clippy", *manifest, "--target", TARGET, "--locked", "--", "--deny", "warnings")


@pytest.mark.on("zynqmp")
def test_the_bindings_cost_less_than_four_files_of_C(build: Shared) -> None:
    build.app(APP)
    commands = run("ninja", "-t", "commands", "libsel4_rust_sys.a", cwd=build.path).splitlines()

    def seconds(word: str) -> float:
        command = next(line for line in commands if word in line)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("sh", "-c", command, cwd=build.path, env={"CCACHE_DISABLE": "1"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    # A ratio, of the least of five that take turns: this machine may be slow, or busy with something else.
    pairs = [(seconds("sel4-rust bindings"), seconds("wrappers.c.obj -c")) for _ in range(5)]
    bindings, wrappers = (min(each) for each in zip(*pairs, strict=True))
    check(bindings < 4 * wrappers, f"{bindings:.2f} s of the processor; compiling the wrappers: {wrappers:.2f} s")
