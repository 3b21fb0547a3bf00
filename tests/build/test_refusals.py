# SPDX-License-Identifier: BSD-2-Clause
"""Bad input gets one error with the value and the next step, and what it leaves behind harms nobody: the same build
folder, configured again once the fault is mended, gives the program."""

import pytest
from build.project import ADD, GREETER, LINK, MAIN, Project, crate
from support import KIT, folder, must_fail, run, write

pytestmark = [pytest.mark.needs("kernel", "rust", "aarch64", "x86_64"), pytest.mark.quick, pytest.mark.weight(140)]

HANDLER = "#![no_std]\n#[panic_handler]\nfn stop(_: &core::panic::PanicInfo) -> ! { loop {} }\n"
GOOD = {**crate("greeter"), "main.c": MAIN}


def manifest(text):
    return {"Cargo.toml": text}


def row(about, *says, add=ADD, link=LINK, files=None, arguments=(), mend=True):
    """What is refused, what is said of it, and the project: its calls, files and arguments to CMake.

    Unless `mend` is False, the fault is repaired in the same folders, and the project must then work.
    """
    return pytest.param(add + link, says, files or {}, arguments, mend, id=about)


REFUSED = (
    # What is said of the crate.
    row(
        "a missing manifest",
        "there is no manifest `",
        "/source/Cargo.toml`",
        "cargo init --lib",
        files={"Cargo.toml": None},
    ),
    row(
        "a MANIFEST_PATH that leads nowhere",
        "there is no manifest `",
        "/source/rust/Cargo.toml`",
        "MANIFEST_PATH",
        add="add_rust_library(greeter MANIFEST_PATH rust/Cargo.toml)\n",
    ),
    row(
        "a MANIFEST_PATH that is a folder",
        "/source/src` is a folder",
        "did you mean",
        "src/Cargo.toml",
        add="add_rust_library(greeter MANIFEST_PATH src)\n",
    ),
    row(
        "a manifest that does not parse",
        "cargo cannot read `",
        "/source/Cargo.toml`",
        "nmae",
        "correct the manifest",
        files=manifest("[package]\nnmae = greeter\n"),
    ),
    row(
        "a crate that is a binary",
        "the package `tool` (`",
        "/tool/Cargo.toml`) has only a binary",
        "move the code into src/lib.rs",
        add="add_rust_library(greeter MANIFEST_PATH tool/Cargo.toml)\n",
        files={
            "tool/Cargo.toml": '[package]\nname = "tool"\nversion = "0.1.0"\n',
            "tool/src/main.rs": "fn main() {}\n",
            "tool/Cargo.lock": "version = 4\n",
        },
    ),
    row(
        "a procedural macro",
        "`macros` (`",
        "is a procedural macro",
        "add the library that uses the macro",
        add="add_rust_library(greeter MANIFEST_PATH macros/Cargo.toml)\n",
        files=crate("macros", "", "[lib]\nproc-macro = true\n", "macros"),
    ),
    row(
        "a crate that is a staticlib only",
        "`old` (`",
        "is built as `staticlib` only",
        "remove the `crate-type` line",
        add="add_rust_library(greeter MANIFEST_PATH old/Cargo.toml)\n",
        files=crate("old", GREETER, '[lib]\ncrate-type = ["staticlib"]\n', "old"),
    ),
    row(
        "a crate without a source file",
        "the package of `",
        "/source/Cargo.toml` has no source file",
        "src/lib.rs",
        files={"src/lib.rs": None},
    ),
    row(
        "a package that the manifest lacks",
        "has no package `greter`",
        "did you mean `greeter`?",
        add="add_rust_library(greeter PACKAGE greter)\n",
    ),
    row(
        "a workspace of several without PACKAGE",
        "is a workspace without a package of its own",
        "choose a member with PACKAGE: `a`, `b`",
        add="add_rust_library(greeter MANIFEST_PATH both/Cargo.toml)\n",
        files={
            **crate("a", "", "", "both/a"),
            **crate("b", "", "", "both/b"),
            "both/Cargo.toml": '[workspace]\nmembers = ["a", "b"]\nresolver = "3"\n',
            "both/Cargo.lock": "version = 4\n",
        },
    ),
    row(
        "a crate without Cargo.lock",
        "there is no `",
        "/source/Cargo.lock`",
        "`greeter` depends on",
        "cargo generate-lockfile --manifest-path ",
        files={"Cargo.lock": None},
    ),
    row(
        "a Cargo.lock that does not match",
        "the Cargo.lock of `",
        "/source/Cargo.toml` does not match the manifest",
        "cargo update --workspace --manifest-path ",
        files={
            **crate("helper", "#![no_std]\n", "", "helper"),
            **manifest(
                '[package]\nname = "greeter"\nversion = "0.1.0"\nedition = "2024"\n'
                '[dependencies]\nhelper = { path = "helper" }\n'
            ),
        },
    ),
    row(
        "a Cargo.lock that is not one",
        "failed to parse lock file at: ",
        "/source/Cargo.lock",
        "Help: cargo metadata --locked",
        files={"Cargo.lock": "<<<<<<< ours\n"},
    ),
    row(
        "a crate with a panic handler of its own",
        "the crate `greeter` has its own `#[panic_handler]` (`",
        "/source/src/lib.rs:3`)",
        "remove it, or put it behind a feature",
        files={"src/lib.rs": HANDLER},
    ),
    row(
        "a dependency with a panic handler of its own",
        "the crate `helper`, which `greeter` depends on, has its own `#[panic_handler]` (`",
        "/source/helper/src/lib.rs:3`)",
        files={
            **crate("helper", HANDLER, "", "helper"),
            **manifest(
                '[package]\nname = "greeter"\nversion = "0.1.0"\nedition = "2024"\n'
                '[dependencies]\nhelper = { path = "helper" }\n'
            ),
            "Cargo.lock": 'version = 4\n\n[[package]]\nname = "greeter"\nversion = "0.1.0"\n'
            'dependencies = ["helper"]\n\n'
            '[[package]]\nname = "helper"\nversion = "0.1.0"\n',
        },
    ),
    row(
        "a feature that the crate lacks",
        "the package `greeter` (`",
        "has no feature `loud`",
        "Help: leave it out",
        add="add_rust_library(greeter FEATURES loud)\n",
    ),
    row(
        "a profile that nobody defines",
        "has no profile `fsat`",
        "The known profiles are: ",
        add="add_rust_library(greeter PROFILE fsat)\n",
    ),
    # What is said in the call; it is read before anything is done.
    row(
        "an unknown argument",
        "add_rust_library(greeter) does not know the argument `FEATURE loud`",
        "it takes MANIFEST_PATH",
        add="add_rust_library(greeter FEATURE loud)\n",
        mend=False,
    ),
    *(
        row(
            f"{keyword} without a value",
            f"add_rust_library(greeter) has no value after `{keyword}`",
            "give one, or leave the keyword out",
            add=f"add_rust_library(greeter {keyword})\n",
            mend=False,
        )
        for keyword in ("MANIFEST_PATH", "PACKAGE", "HEADER", "PROFILE", "FEATURES")
    ),
    row(
        "the same name twice",
        "add_rust_library(greeter): there is a target `greeter` already",
        "another name",
        add=ADD + ADD,
        mend=False,
    ),
    row(
        "the name of an executable",
        "there is a target `main` already",
        "another name",
        add="add_executable(main main.c)\nadd_rust_library(main)\n",
        link="",
        mend=False,
    ),
    row(
        "a name that is no C identifier",
        "`my-greeter` is not a C identifier",
        "letters, digits and `_`",
        "PACKAGE",
        add="add_rust_library(my-greeter)\n",
        mend=False,
    ),
    row(
        "a header that is no file name",
        "HEADER is `../greeter.h`",
        "give a plain one, such as greeter.h",
        add="add_rust_library(greeter HEADER ../greeter.h)\n",
        mend=False,
    ),
    row(
        "a header that C has",
        "the C library has a header `limits.h` of its own",
        "such as HEADER rust_limits.h",
        add="add_rust_library(greeter HEADER limits.h)\n",
        mend=False,
    ),
    row(
        "two headers of one name in an executable",
        "`main` links `greeter` and `other`",
        "both called `greeter.h`",
        "add_rust_library(other HEADER other.h)",
        add=ADD + "add_rust_library(other MANIFEST_PATH other/Cargo.toml HEADER greeter.h)\n",
        link=LINK + "target_link_libraries(main PRIVATE other)\n",
        files=crate("other", "#![no_std]\n", "", "other"),
    ),
    row(
        "an executable that is added too late for an archive",
        "no_archive for the executable `main`: it links `greeter`",
        "add the executable before the project's CMakeLists.txt ends, and name the library",
        link=f"function(late)\n{LINK}endfunction()\ncmake_language(DEFER CALL late)\n",
    ),
    # What is chosen for the image.
    *(
        row(
            f"RUST_HEAP_BYTES `{value}`",
            f"RUST_HEAP_BYTES is `{value}`",
            "a number of bytes above 0",
            "-DRUST_HEAP_BYTES=262144",
            arguments=[f"-DRUST_HEAP_BYTES={value}"],
        )
        for value in ("0", "64k", "-1", "")
    ),
    row(
        "an unknown RUST_HEAP",
        "RUST_HEAP is `jemalloc`",
        "-DRUST_HEAP= one of: rlsf, linked-list, muslc",
        arguments=["-DRUST_HEAP=jemalloc"],
    ),
    row(
        "an unknown RUST_LOG_LEVEL",
        "RUST_LOG_LEVEL is `loud`",
        "one of: off, error, warn, info, debug, trace",
        arguments=["-DRUST_LOG_LEVEL=loud"],
    ),
    # What the kernel's configuration and the compiler say.
    row(
        "a project without a kernel",
        "KernelSel4Arch is not set",
        "call sel4_import_kernel() before",
        add="set(KernelSel4Arch)\n" + ADD,
    ),
    row(
        "an unknown architecture",
        "KernelSel4Arch=pdp11",
        "build for aarch64, aarch32",
        add="set(KernelSel4Arch pdp11)\n" + ADD,
    ),
    row(
        "a compiler for another architecture",
        "KernelSel4Arch=aarch64",
        "C compiler `",
        "with the compiler for it",
        add="set(KernelSel4Arch aarch64)\n" + ADD,
    ),
    row(
        "folders that disagree on the float ABI",
        "must agree on their target",
        "is compiled for `aarch64-unknown-none-softfloat`",
        "another folder for `aarch64-unknown-none`",
        "set the C flags that decide the float ABI at the top",
        add="set(KernelSel4Arch aarch64)\nadd_rust_library(other)\nadd_compile_options(-mgeneral-regs-only)\n" + ADD,
        arguments=["-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc"],
        mend=False,
    ),
)


@pytest.mark.parametrize(("cmake", "says", "files", "arguments", "mend"), REFUSED)
def test_add_rust_library_refuses(cmake, says, files, arguments, mend):
    project = Project("project", cmake, {**GOOD, **files})
    project.configure_fails(*arguments, says=says)
    if mend:
        # What the row changes is written anew; what it adds stays and harms nobody.
        project.write({**GOOD, "CMakeLists.txt": Project.text_of(ADD + LINK)})
        project.works(arguments=["-DRUST_HEAP_BYTES=65536", "-DRUST_HEAP=linked-list", "-DRUST_LOG_LEVEL=warn"])


def test_a_handler_and_an_allocator_count_if_a_feature_of_the_build_turns_them_on() -> None:
    source = GREETER + '#[cfg(feature = "alone")]\n' + HANDLER.removeprefix("#![no_std]\n")
    features = '[features]\ndefault = ["alone"]\nalone = []\n'
    helper = '#![no_std]\n#[cfg(feature = "alone")]\n#[global_allocator]\nstatic ALLOCATOR: Alone = Alone;\n'
    depends = '[dependencies]\nhelper = { path = "../helper", default-features = false FEATURES }\n'
    quiet, loud = (depends.replace(" FEATURES", more) for more in ("", ', features = ["alone"]'))
    project = Project(
        "features",
        ADD + LINK,
        {
            **crate("greeter", source, features),
            **crate("helper", helper, features, "helper"),
            **crate("quiet", "#![no_std]\n", quiet, "quiet"),
            **crate("loud", "#![no_std]\n", loud, "loud"),
            "main.c": MAIN,
        },
    )
    project.lock("quiet")
    project.lock("loud")
    project.configure_fails(says=("the crate `greeter` has its own `#[panic_handler]` (`", "/source/src/lib.rs:11`)"))
    without = "add_rust_library(greeter NO_DEFAULT_FEATURES)\nadd_rust_library(quiet MANIFEST_PATH quiet/Cargo.toml)\n"
    without += LINK + "target_link_libraries(main PRIVATE quiet)\n"
    project.write({"CMakeLists.txt": Project.text_of(without)})
    project.works()
    # The feature is another library's wish.
    project.write({"CMakeLists.txt": Project.text_of(without.replace("quiet", "loud"))})
    (project.build / "build.ninja").unlink()
    says = "the crate `helper`, which `loud` depends on, has its own `#[global_allocator]` (`"
    project.configure_fails(
        says=(says, "/source/helper/src/lib.rs:4`)", "put it behind a feature that is off in the image")
    )


@pytest.mark.parametrize("file", ["Findsel4_rust.cmake", "settings/settings.cmake"])
def test_an_old_CMake_is_told_the_way_out(file: str) -> None:
    """The variable says what the command cmake_minimum_required() would find by itself."""
    script = write(folder() / "old.cmake", f'set(CMAKE_VERSION 3.18.4)\ninclude("{KIT}/{file}")\n')
    says = ("CMake is of version 3.18.4, and sel4-rust-kit needs 3.22 or later", "Help: ", "pip install cmake")
    must_fail("cmake", "-P", script, says=says)
    write(script, script.read_text().replace("3.18.4", "3.22.0").replace(file, "cmake/version.cmake"))
    run("cmake", "-P", script)


def test_STD_over_an_old_muslc_is_refused() -> None:
    targets = "".join(f"add_library({name} INTERFACE)\n" for name in ("sel4muslcsys", "muslc", "sel4runtime"))
    there = 'set(MUSLLIBC_CURRENT_DIR "${CMAKE_CURRENT_SOURCE_DIR}")\nset(KernelRootCNodeSizeBits 20)\n'
    project = Project(
        "old-muslc", f"{there}{targets}add_rust_library(greeter STD)\n{LINK}", {**GOOD, "VERSION": "1.1.16\n"}
    )
    says = "add_rust_library(greeter STD): muslc is of version 1.1.16, and Rust's std needs 1.2.5"
    project.configure_fails(says=(says, "leave STD out"))
    project.edit("CMakeLists.txt", "greeter STD", "greeter")
    project.configure()


BINDINGS = f'''
[dependencies]
libsel4-kit-sys = {{ path = "{KIT}/rust/libsel4-sys" }}
'''


def test_bindings_of_a_kernel_without_its_configuration_in_JSON_are_refused() -> None:
    names = ("sel4", "sel4_autoconf", "kernel_Config", "sel4_Config")
    targets = "".join(f"add_library({name} INTERFACE)\n" for name in names)
    there = 'set(KERNEL_HELPERS_PATH "${CMAKE_CURRENT_SOURCE_DIR}/helpers.cmake")\n'
    files = {**GOOD, **crate("greeter", manifest=BINDINGS), "helpers.cmake": "# gen_config.h\n"}
    project = Project("old-kernel", there + targets + ADD + LINK, files)
    project.lock()
    says = ("reads gen_config.json, and the kernel of `", "helpers.cmake` does not write one", "seL4 13.0.0 or later")
    project.configure_fails(says=says)
