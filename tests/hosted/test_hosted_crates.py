# SPDX-License-Identifier: BSD-2-Clause
"""Crates of the hosted platform: what cargo says of them, and libsel4 as C and crates of others see it."""

import re

import pytest
from support import KIT, check, check_says, folder, run, write
from support.hosted import CROSS, HOSTED, TARGETS
from support.rust import cargo

pytestmark = [pytest.mark.needs("rust", "hosted", "aarch64-linux"), pytest.mark.quick, pytest.mark.weight(140)]


def test_C_and_Rust_agree_on_layouts():
    """The headers are compiled; the numbers are those that Rust has, as the comparison above shows."""
    source = write(
        folder() / "layout.c",
        """#include <sel4/sel4.h>
#include <stddef.h>
_Static_assert(sizeof(seL4_IPCBuffer) == 1024 && offsetof(seL4_IPCBuffer, caps_or_badges) == 976, "");
_Static_assert(sizeof(seL4_BootInfo) == 3848 && offsetof(seL4_BootInfo, untypedList) == 168, "");
_Static_assert(sizeof(seL4_Error) == 4 && seL4_VMFault_Length == 4, "");
#ifdef CONFIG_ARCH_X86_64
_Static_assert(sizeof(seL4_UserContext) == 160 && offsetof(seL4_UserContext, gs_base) == 152, "");
_Static_assert(sizeof(seL4_Fault_t) == 160 && sizeof(seL4_X86_VMAttributes) == 8, "");
_Static_assert(seL4_ObjectTypeCount == 12 && nArchInvocationLabels == 53, "");
#else
_Static_assert(sizeof(seL4_UserContext) == 288 && offsetof(seL4_UserContext, tpidr_el0) == 272, "");
_Static_assert(sizeof(seL4_Fault_t) == 112 && sizeof(seL4_ARM_VMAttributes) == 8, "");
_Static_assert(seL4_ObjectTypeCount == 10 && nArchInvocationLabels == 51, "");
#endif
seL4_CapRights_t rights(void) { return seL4_AllRights; }
""",
    )
    for architecture in TARGETS:
        include = folder() / "include" / architecture
        cargo("run", "--quiet", "--package", "sel4-hosted-libsel4", "--", include, architecture)
        compiler = f"{architecture}-linux-gnu-"
        run(
            f"{compiler}gcc",
            "-std=gnu11",
            "-Wall",
            "-Wextra",
            "-Werror",
            f"-I{include}",
            "-c",
            source,
            "-o",
            folder() / "layout.o",
        )
        run(
            f"{compiler}g++",
            "-x",
            "c++",
            "-Wall",
            "-Werror",
            f"-I{include}",
            "-fsyntax-only",
            "-include",
            "sel4/sel4.h",
            "/dev/null",
        )


def test_P2_cargo_run_starts_a_root_server():
    # The last line is that of C's start code.
    expected = (KIT / "apps" / "root-server" / "expected.txt").read_text().splitlines()[1:-1]
    output = cargo("run", "--locked", cwd=KIT / "apps" / "root-server")
    for line in expected:
        pattern = line[1:-1] if line.startswith("/") else rf"^{re.escape(line)}$"
        check(re.search(pattern, output, re.MULTILINE), f"there is no line `{line}`:\n{output}")


def test_libsel4_needs_nothing_named():
    """In the folders of crates that use it, without CMake, environment or libclang."""
    for crate in ("rust/libsel4-sys", "rust/libsel4", "apps/objects"):
        cargo("test", "--locked", cwd=KIT / crate, env={"LIBCLANG_PATH": folder() / "nowhere"})
    cargo("doc", "--locked", "--no-deps", cwd=KIT / "rust" / "libsel4", env={"RUSTDOCFLAGS": "--deny warnings"})


def crate_of_ones_own():
    """The folder of a crate outside the kit, still without source, that depends on libsel4 and on the hosted platform."""
    crate = folder() / "crate"
    write(
        crate / "Cargo.toml",
        f"""[package]
name = "one"
edition = "2024"
[dependencies]
libsel4 = {{ path = "{KIT}/rust/libsel4" }}
[dev-dependencies]
sel4-hosted = {{ path = "{HOSTED}/process" }}
[workspace]
""",
    )
    return crate


def test_a_crate_of_ones_own_is_tested_as_the_docs_show():
    """A test that passes, one that a deadlock ends, and two that panic."""
    shown = re.search(r"```rust\n(.*?)```", (KIT / "docs" / "hosted-tests.md").read_text(), re.DOTALL)[1]
    crate = crate_of_ones_own()
    write(
        crate / "src" / "lib.rs",
        f"""#![no_std]
#[cfg(test)]
mod tests {{
{shown}
    #[sel4_hosted::test]
    fn nobody_sends(info: &seL4_BootInfo) {{
        let info = unsafe {{ BootInfo::from_ptr(info) }};
        let endpoint: Cap<Endpoint> = unsafe {{ Allocator::new(&info) }}.make().unwrap();
        let _ = endpoint.recv(());
    }}
    #[sel4_hosted::test]
    fn sums() {{
        assert_eq!(1 + 1, 3); // here
    }}
    #[sel4_hosted::test]
    #[should_panic(expected = "as it should")]
    fn panics() {{
        panic!("as it should");
    }}
}}
""",
    )
    lines = (crate / "src" / "lib.rs").read_text().splitlines()
    here = next(number for number, line in enumerate(lines, 1) if "// here" in line)
    output = cargo("test", cwd=crate, status=101)
    check_says(
        output,
        f"panicked at src/lib.rs:{here}:9:",
        "test tests::sums ... FAILED",
        "test tests::panics - should panic ... ok",
        "2 passed; 2 failed",
    )
    check_says(
        output,
        "test tests::an_endpoint_is_made ... ok",
        "deadlock: no thread can run",
        "test tests::nobody_sends ... FAILED",
    )


def test_a_test_cannot_keep_the_boot_info():
    """The kernel takes it along. A module without unsafe code could read freed memory otherwise."""
    crate = crate_of_ones_own()
    safe = """#![forbid(unsafe_code)]
#[cfg(test)]
mod tests {
    use libsel4::libsel4_sys::seL4_BootInfo;
    #[sel4_hosted::test]
    fn reads(info: &KEPT seL4_BootInfo) {
        assert_eq!(info.numNodes, 1);
    }
}
"""
    write(crate / "src" / "lib.rs", safe.replace("KEPT", "'static"))
    check_says(cargo("test", cwd=crate, status=101), "borrowed data escapes outside of closure")
    # The attribute says so by itself, and the function by its own type.
    returns = "#![forbid(unsafe_code)]\n#[test]\nfn returns() {\n    let _ = sel4_hosted::run(|info| info);\n}\n"
    write(crate / "src" / "lib.rs", returns)
    check_says(cargo("test", cwd=crate, status=101), "lifetime may not live long enough")
    write(crate / "src" / "lib.rs", safe.replace("KEPT ", ""))
    check_says(cargo("test", cwd=crate), "test tests::reads ... ok")


def test_libsel4_has_the_labels_of_MCS():
    cargo(
        "test",
        "--locked",
        "--package",
        "sel4-hosted-kernel",
        "--test",
        "labels",
        "--features",
        "sel4-hosted-libsel4/mcs",
    )


@pytest.mark.quick(False)
def test_aarch64_has_the_labels_of_libsel4_and_threads_with_all_their_registers():
    for features in (), ("--features", "sel4-hosted-libsel4/mcs"):
        cargo(
            "test",
            "--locked",
            "--package",
            "sel4-hosted-kernel",
            "--test",
            "labels",
            "--target",
            TARGETS["aarch64"],
            *features,
            env=CROSS,
        )
    # Each in the process that QEMU runs: it cannot start another one.
    for test in (
        "a_thread_goes_on_when_its_fault_is_mended",
        "exceptions_are_told_by_their_numbers",
        "registers_written_from_outside_are_what_a_thread_goes_on_with",
        "address_spaces_are_apart",
    ):
        output = cargo(
            "test",
            "--locked",
            "--package",
            "sel4-hosted",
            "--test",
            "threads",
            "--target",
            TARGETS["aarch64"],
            test,
            "--",
            "--exact",
            env={**CROSS, "SEL4_HOSTED_TEST": test},
        )
        check_says(output, f"test {test} ... ok")
    cargo("test", "--locked", "--package", "sel4-hosted", "--features", "mcs", "--test", "time", "--test", "ends")


# Package: the targets of it that have MCS.
MCS_TARGETS = {
    "sel4-hosted-libsel4": (),
    "sel4-hosted": ("--lib", "--test", "time", "--test", "ends"),
    "sel4-hosted-rt": (),
}


@pytest.mark.parametrize("package", MCS_TARGETS)
def test_clippy_has_no_warning_with_MCS(package):
    cargo(
        "clippy",
        "--locked",
        "--package",
        package,
        "--features",
        "mcs",
        *MCS_TARGETS[package],
        "--",
        "--deny",
        "warnings",
    )
