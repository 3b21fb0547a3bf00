# SPDX-License-Identifier: BSD-2-Clause
"""Rust-sel4's crate `sel4` in a library of this kit, beside C's libsel4."""

import pytest
from support import KIT, check_says, folder, foreign, headers, must_fail, run, workspace, write

HERE = KIT / "tests" / "projects" / "rust-sel4"

MANIFEST = """[package]
name = "visitor"
version = "0.1.0"
edition = "2024"
[dependencies]
sel4 = {{ path = "{sel4}/crates/sel4", default-features = false, features = ["state", "extern-state", "tls"] }}
[workspace]
"""
SOURCE = """#![no_std]
use sel4::{CPtr, cap, cap_type, init_thread};

#[unsafe(no_mangle)]
pub extern "C" fn visitor_register(index: usize) -> usize {
    sel4::with_ipc_buffer(|buffer| buffer.msg_regs()[index] as usize)
}

#[unsafe(no_mangle)]
pub extern "C" fn visitor_set_register(index: usize, value: usize) {
    sel4::with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[index] = value as sel4::Word);
}

#[unsafe(no_mangle)]
pub extern "C" fn visitor_make_notification(untyped: usize, slot: usize) -> bool {
    let untyped: cap::Untyped = CPtr::from_bits(untyped as sel4::Word).cast::<cap_type::Untyped>();
    let root = init_thread::slot::CNODE.cap().absolute_cptr_for_self();
    untyped.untyped_retype(&sel4::ObjectBlueprint::Notification, &root, slot, 1).is_ok()
}

fn notification(slot: usize) -> cap::Notification {
    CPtr::from_bits(slot as sel4::Word).cast::<cap_type::Notification>()
}

#[unsafe(no_mangle)]
pub extern "C" fn visitor_signal(slot: usize) {
    notification(slot).signal();
}

#[unsafe(no_mangle)]
pub extern "C" fn visitor_wait(slot: usize) -> bool {
    notification(slot).wait();
    true
}
"""


def configure(build):
    """Configures `build` for a root server in C that links a library with their crate."""
    theirs = folder() / "rust-sel4"
    if not (theirs / "crates").exists():
        foreign.fetch(HERE / "manifest.xml", folder())
    visitor = folder() / "visitor"
    write(visitor / "Cargo.toml", MANIFEST.format(sel4=theirs))
    write(visitor / "src" / "lib.rs", SOURCE)
    run("cargo", "generate-lockfile", cwd=visitor)
    # It has system calls of its own, and of seL4.
    allowed = "-DRUST_TRAP_CRATES=sel4;sel4-sys"
    build.select("tests/projects/rust-sel4/rootserver", f"-DVISITOR={visitor}", allowed)


@pytest.mark.on("zynqmp")
def test_X1_their_crate_goes_into_our_bundle(build):
    configure(build)
    lock = (build.path / "rust" / "rootserver" / "Cargo.lock").read_text()
    for package in ("visitor", "sel4", "sel4-sys", "libsel4-rt"):
        assert f'\nname = "{package}"\n' in lock, f"the bundle lacks `{package}`:\n{lock}"


# Building their crate takes as long as twenty other tests.
@pytest.mark.long
@pytest.mark.on("zynqmp")
def test_X1_their_crate_works_in_our_library_and_shares_Cs_IPC_buffer(build):
    configure(build)
    build.ninja("sel4_generated")
    kernel = workspace() / "kernel"
    configs = [
        build.path / "kernel/gen_config/kernel/gen_config.json",
        build.path / "libsel4/gen_config/sel4/gen_config.json",
    ]
    sel4 = headers.of_build(kernel, build.path / "libsel4", configs)
    theirs_wants = {"SEL4_INCLUDE_DIRS": ":".join(map(str, sel4.include_dirs + sel4.system_include_dirs))}
    # Their crate needs a nightly compiler. Stable says so, and takes the crate when it is told to be one.
    check_says(
        must_fail("ninja", cwd=build.path, env=theirs_wants, says=["E0554"]),
        "may not be used on the stable release channel",
    )
    build.ninja(env={**theirs_wants, "RUSTC_BOOTSTRAP": "1"})
    build.boot("tests/projects/rust-sel4/rootserver/expected.txt", linger=0.5)
