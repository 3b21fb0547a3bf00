# SPDX-License-Identifier: BSD-2-Clause
"""Builds are locked, need no network, write nothing beside the sources, and follow the user's cargo configuration."""

import re
import shutil
import subprocess

import pytest
from build.project import GREETER, crate, one_library
from build.vendored import vendored
from support import KIT, check_says, run, skip

pytestmark = pytest.mark.needs("kernel", "rust", "aarch64", "x86_64")

LOGS = GREETER.replace("    42", '    log::debug!("asked");\n    42')
DEPENDS = '[dependencies]\nlog = { version = "0.4", default-features = false }\n'


def without_network():
    """Words before a command that take the network away, where that is possible."""
    words = ["unshare", "-rn"]
    return words if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode == 0 else []


def test_a_build_from_scratch_needs_no_network_once_the_crates_are_there():
    project = one_library("offline", LOGS, DEPENDS)
    project.lock()
    project.works()
    shutil.rmtree(project.build)
    words = without_network()
    run(*words, *project.cmake(), env={"CARGO_NET_OFFLINE": "true"})
    run(*words, "ninja", "-C", project.build, env={"CARGO_NET_OFFLINE": "true"})
    project.prints("42")


def test_nothing_is_written_into_the_source_tree_or_the_kit():
    def kit():
        ignored = {"target", "build-test", ".git", "__pycache__"}
        return sorted(
            str(path)
            for folder in ("cmake", "rust", "apps")
            for path in (KIT / folder).rglob("*")
            if not ignored & set(path.parts)
        )

    project = one_library("clean", LOGS, DEPENDS)
    project.lock()
    before = project.tree(), kit()
    project.works()
    project.ninja("-t", "clean")
    project.ninja()
    assert (project.tree(), kit()) == before, "files have come, gone or changed"


def test_every_cargo_of_a_build_is_locked():
    project = one_library("locked")
    project.configure()
    ninja = (project.build / "build.ninja").read_text()
    commands = [line for line in ninja.splitlines() if re.search(r"bin/cargo (rustc|build)", line)]
    assert len(commands) == 1, f"there is not one cargo command but: {commands}"
    assert " --locked" in commands[0], f"it is not locked: {commands[0]}"


def test_a_lock_that_goes_stale_stops_the_build():
    project = one_library("stale", files=crate("helper", "#![no_std]\n", "", "helper"))
    project.works()
    project.edit("Cargo.toml", 'edition = "2024"\n', 'edition = "2024"\n[dependencies]\nhelper = { path = "helper" }\n')
    before = project.tree()
    project.ninja_fails(says=("the Cargo.lock of `", "does not match the manifest", "cargo update --workspace"))
    assert project.tree() == before, "the source folder has changed"
    project.lock()
    project.ninja()
    project.prints("42")


def test_vendored_sources_are_used():
    number = "#![no_std]\npub const NUMBER: i32 = 42;\n"
    project = one_library(
        "vendored",
        LOGS.replace("    42", "    little::NUMBER"),
        DEPENDS + 'little = "1"\n',
        files=vendored({"little": {"1.0.1": number}}),
    )
    project.lock()
    # A registry of nothing: what is not vendored cannot come from anywhere.
    project.works(env={"CARGO_HOME": str(project.folder / "cargo-home")})


def test_sources_vendored_without_the_runtime_are_an_error_that_says_how():
    files = vendored({"little": {"1.0.1": "#![no_std]\npub const NUMBER: i32 = 42;\n"}})
    files = {path: text for path, text in files.items() if "/linked_list_allocator/" not in path}
    project = one_library(
        "half vendored", GREETER.replace("    42", "    little::NUMBER"), '[dependencies]\nlittle = "1"\n', files=files
    )
    project.lock()
    project.configure_fails(
        says=("cannot be built together", "linked_list_allocator", "cargo vendor --sync ", "/libsel4-rt/Cargo.toml")
    )


def test_environment_and_flags_of_the_users_cargo_configuration_count():
    source = GREETER.replace("    42", '    40 + option_env!("ONE").is_some() as i32 + cfg!(one) as i32')
    config = '[env]\nONE = "1"\n[target.x86_64-unknown-linux-musl]\nrustflags = ["--cfg", "one"]\n'
    project = one_library(
        "configuration", source, '[lints.rust]\nunexpected_cfgs = "allow"\n', files={".cargo/config.toml": config}
    )
    project.works()


def test_variables_that_steer_cargo_do_not_derail_a_build():
    project = one_library("environment")
    elsewhere = str(project.folder / "elsewhere")
    project.works(
        env={
            "CARGO_TARGET_DIR": elsewhere,
            "CARGO_BUILD_TARGET_DIR": elsewhere,
            "RUSTFLAGS": "-Cdebuginfo=1",
            "CARGO_BUILD_TARGET": "aarch64-unknown-none",
            "CARGO_TERM_COLOR": "always",
        }
    )


def test_a_toolchain_file_of_the_project_counts_wherever_the_build_folder_lies():
    if run("rustc", "--print", "sysroot", env={"RUSTUP_TOOLCHAIN": None}).strip() == "/usr":
        skip("this rustc does not come with rustup")
    project = one_library(
        "toolchain file", files={"rust-toolchain.toml": '[toolchain]\nchannel = "no-such-toolchain"\n'}
    )
    project.configure_fails(env={"RUSTUP_TOOLCHAIN": None}, says=("rustc --print sysroot` failed", "no-such-toolchain"))


def test_colours_of_rustc_are_kept_for_a_terminal():
    project = one_library("colours", GREETER + "fn unused() {}\n")
    project.configure()
    shown = run(
        "script",
        "--quiet",
        "--return",
        "--command",
        f"ninja -C {project.build}",
        "/dev/null",
        env={"TERM": "xterm", "NO_COLOR": None},
    )
    assert re.search(r"\x1b\[[0-9;]*mwarning", shown), f"no colours:\n{shown!r}"
    check_says(re.sub(r"\x1b\[[0-9;]*m", "", shown), "warning: function `unused` is never used")
