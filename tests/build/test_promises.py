# SPDX-License-Identifier: BSD-2-Clause
"""What the kit and its apps do without."""

import hashlib
import re
import shutil

import pytest
from build.project import ADD, GREETER, LINK, MAIN, Project, crate, one_library, program
from support import KIT

pytestmark = [pytest.mark.needs("kernel", "rust", "aarch64", "x86_64"), pytest.mark.quick]


def files(*patterns):
    found = [
        path
        for pattern in patterns
        for path in sorted(KIT.glob(pattern))
        if path.is_file() and "target" not in path.relative_to(KIT).parts
    ]
    assert found, f"no file matches {patterns}"
    return found


def check_absent(pattern, paths, finding):
    lines = [
        f"{path.relative_to(KIT)}:{number}: {line}"
        for path in paths
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if re.search(pattern, line) and not re.match(r"\s*(#(?!!)|//)", line)
    ]
    assert not lines, "\n".join([finding, *lines])


def what_builds():
    """Everything that configures, builds or sets up."""
    return files(
        "CMakeLists.txt",
        "*.cmake",
        "cmake/**/*",
        "settings/*",
        "tools/**/*",
        "init-build.sh",
        "quickstart",
        "test",
        ".ci/*",
        "apps/**/CMakeLists.txt",
        "apps/**/*.toml",
        "*.toml",
        "rust/**/*.toml",
        "rust/tool/src/*.rs",
    )


def test_D3_no_Rust_target_triple_is_in_a_users_CMake():
    users = files("CMakeLists.txt", "apps/**/CMakeLists.txt", "settings/*", "tests/**/CMakeLists.txt")
    check_absent(r"(aarch64|armv7\w*|riscv\w+|x86_64|i686)-(unknown|none)", users, "a Rust target in a user's CMake:")


def test_A12_no_cargo_subcommand_is_needed_and_no_target_description():
    own = "add|bench|build|check|clippy|doc|fetch|fmt|generate-lockfile|init|metadata|rustc|test|update|vendor"
    # `cargo-build` and `cargo-prebuild` begin the names of targets that Corrosion makes.
    others = rf"\bcargo (?!(?:{own})\b)[a-z]+ +--?[a-z]|\bcargo install\b|\bcargo-(?!(?:pre)?build)[a-z]|\bxargo\b"
    check_absent(others, what_builds(), "a cargo subcommand that does not come with cargo:")
    check_absent(r"--target[= ]\S*\.json|RUST_TARGET_PATH|build-std", what_builds(), "a custom target:")
    descriptions = [path for path in KIT.glob("rust/*/**/*.json") if "target" not in path.relative_to(KIT).parts]
    assert not descriptions, f"there may be a target description among these: {descriptions}"


def test_X2_nothing_asks_for_a_nightly_compiler():
    check_absent(
        r"RUSTC_BOOTSTRAP|\+nightly|channel *= *\"nightly|(?<![\w-])-Z ?[a-z]", what_builds(), "an unstable compiler:"
    )
    check_absent(r"#!\[feature\(", files("rust/**/*.rs", "apps/**/*.rs"), "an unstable feature:")


def test_A12_X2_a_build_runs_only_cargo_itself_on_stable():
    """On what ninja is told to run, since Corrosion has a say in it too."""
    project = one_library("commands")
    project.configure()
    project.ninja()
    commands = project.ninja("-t", "commands", "main")
    asked = set(re.findall(r"/cargo ([a-z]\S*)", commands))
    assert asked == {"rustc"}, f"cargo is asked to {asked}"
    for word in ("RUSTC_BOOTSTRAP", "nightly", "xargo", " -Z", ".json"):
        assert word not in commands, f"`{word}` is in the commands:\n{commands}"


def test_CMake_has_nothing_to_warn_about():
    project = Project(
        "warnings",
        """
add_rust_library(one FEATURES loud)
add_rust_library(two NO_DEFAULT_FEATURES PROFILE release)
add_library(kept STATIC kept.c)
target_link_libraries(kept PRIVATE one)
add_executable(main main.c)
target_link_libraries(main PRIVATE kept two)
""",
        {**crate("greeter", manifest="[features]\nloud = []\n"), "kept.c": "int kept;\n", "main.c": program("")},
    )
    output = project.configure("-Wdev", "-Wdeprecated", "--warn-uninitialized")
    assert "CMake Warning" not in output and "CMake Deprecation" not in output, f"CMake warns:\n{output}"


def in_folder(name):
    project = one_library("odd folder")
    folder = project.folder.with_name(name)
    shutil.rmtree(folder, ignore_errors=True)
    project.folder.rename(folder)
    project.folder, project.source, project.build = folder, folder / "source", folder / "build"
    return project


@pytest.mark.parametrize("name", ("spaces, a+b and @signs@", "signs & ()"))
def test_a_project_builds_in_a_folder_called(name):
    project = in_folder(name)
    project.works()
    project.works(arguments=["-DCMAKE_BUILD_TYPE=release"])


@pytest.mark.parametrize(
    ("name", "what"),
    (("a $(date)", "a `$`"), ("a 'b'", "a quote"), ('a "b"', "a quote"), ("a `b`", "a backtick"), ("100 %", "a `%`")),
)
def test_a_project_is_refused_in_a_folder_whose_name_a_shell_reads(name, what):
    project = in_folder(name)
    project.configure_fails(
        says=(f"a build cannot take a folder with {what} in its path, as in `{project.source}`", "move it to a path")
    )
    elsewhere = project.folder.with_name("plain")
    shutil.rmtree(elsewhere, ignore_errors=True)
    project.folder.rename(elsewhere)
    project.folder, project.source, project.build = elsewhere, elsewhere / "source", elsewhere / "build"
    shutil.rmtree(project.build, ignore_errors=True)
    project.works()


PANICKING = GREETER.replace("42", 'if core::hint::black_box(true) { 42 } else { panic!("no answer") }')


# At another place they differ: docs/sealing.md says why.
@pytest.mark.parametrize("build_type", ("Release", "Debug"))
def test_archive_and_executable_are_the_same_when_built_again_from_nothing(build_type):
    project = Project("again", ADD + LINK, {**crate("greeter", PANICKING), "main.c": MAIN})
    files = [project.build / "rust" / "main" / "libsel4_rust_main.a", project.build / "main"]
    found = []
    for _ in range(2):
        shutil.rmtree(project.build, ignore_errors=True)
        project.works(arguments=[f"-DCMAKE_BUILD_TYPE={build_type}"])
        found.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert found[0] == found[1], "archive or executable differ"
