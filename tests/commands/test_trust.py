# SPDX-License-Identifier: BSD-2-Clause
"""What the kit runs from the user's cache is the user's own, and what it fetches is what was pinned."""

import hashlib
import os
import shutil
import stat
import sys
import zipfile
from pathlib import Path

import pytest
from support import KIT, check_says, folder, must_fail, run, skip, write

pytestmark = pytest.mark.quick

CACHE_FOLDER = KIT / "tools" / "cache-folder"
CHECK_PATHS = KIT / "tools" / "check-paths"


def cache_of(name: str) -> tuple[Path, dict[str, str]]:
    """A place for the kit's cache, and the environment that names it."""
    home = folder() / name
    home.mkdir(parents=True, exist_ok=True)
    return home / "sel4-rust-kit", {"XDG_CACHE_HOME": str(home)}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_cache_is_made_for_its_user_alone() -> None:
    cache, env = cache_of("new")
    assert run(CACHE_FOLDER, env=env) == f"{cache}\n"
    assert mode_of(cache) == 0o700
    cache.chmod(0o755)
    run(CACHE_FOLDER, env=env)
    assert mode_of(cache) == 0o700, "a cache that others may read stays so"


# Each runs, or puts on PATH, what lies in the cache.
USERS = {
    "quickstart": (KIT / "quickstart", "--help"),
    "sources.py": (KIT / "tools" / "provision" / "sources.py", "--path"),
    "python": (KIT / "tools" / "provision" / "python",),
    "environment.sh": ("sh", "-ec", f'kit={KIT}; . "$kit/tools/environment.sh"'),
    "environment.sh in bash": ("bash", "-ec", f'. "{KIT}/tools/environment.sh"'),
}


@pytest.mark.parametrize("mode", (0o770, 0o757), ids=oct)
@pytest.mark.parametrize("user", USERS)
def test_a_cache_that_others_may_write_to_is_refused(user: str, mode: int) -> None:
    cache, env = cache_of(f"writable {user} {mode:o}")
    run(CACHE_FOLDER, env=env)
    cache.chmod(mode)
    must_fail(
        *USERS[user],
        env=env,
        says=(f"error: other users may write to the kit's cache `{cache}`", f"help: remove it: rm -rf '{cache}'"),
    )
    cache.rmdir()
    run(CACHE_FOLDER, env=env)


def test_a_cache_of_another_user_is_refused() -> None:
    cache, env = cache_of("foreign")
    run(CACHE_FOLDER, env=env)
    if os.geteuid() != 0:
        skip("only root may give a folder to another user")
    os.chown(cache, 12345, 12345)
    must_fail(
        CACHE_FOLDER,
        env=env,
        says=(f"error: the kit's cache `{cache}` belongs to another user", "help: remove it", "sudo -H"),
    )
    os.chown(cache, 0, 0)
    run(CACHE_FOLDER, env=env)


def test_without_a_folder_to_cache_in_the_variables_are_named() -> None:
    must_fail(
        CACHE_FOLDER,
        env={"XDG_CACHE_HOME": "relative", "HOME": ""},
        says=("no folder to cache in: HOME is ``, and XDG_CACHE_HOME `relative`", "help: set one of them"),
    )


REFUSED_PATHS = {
    "/a$b": "a `$`",
    "/a`b": "a backtick",
    "/a'b": "a quote",
    '/a"b': "a quote",
    "/a\\b": "a backslash",
    "/a%b": "a `%`",
    "/a;b": "a semicolon",
    "/a#b": "a `#`, `<` or `>`",
    "/a\nb": "a control character",
}


@pytest.mark.parametrize(("path", "what"), REFUSED_PATHS.items(), ids=REFUSED_PATHS.values())
def test_a_path_that_builds_cannot_take_is_refused(path: str, what: str) -> None:
    must_fail(
        CHECK_PATHS,
        "/fine",
        path,
        says=(f"a folder with {what} in its path, as in `{path}`", "help: move it to a path without one"),
    )


def test_white_space_in_a_path_is_refused_for_seL4s_build_alone() -> None:
    run(CHECK_PATHS, "/a b", "/a (b) & ü, @+=")
    must_fail(CHECK_PATHS, "--no-space", "/a", "/a b", says=("a space in its path, as in `/a b`", "quickstart hosted"))


def test_quickstart_and_init_build_refuse_such_a_path_at_once() -> None:
    clone = folder() / "a$b"
    for part in ("tools", "apps"):
        shutil.copytree(KIT / part, clone / part, ignore=shutil.ignore_patterns("target"))
    for script in ("quickstart", "init-build.sh"):
        shutil.copy(KIT / script, clone)
    says = ("a folder with a `$` in its path, as in `",)
    for platform in ("hosted", "zynqmp"):
        output = must_fail(clone / "quickstart", platform, says=says)
        assert "[1/6]" not in output, "it has begun"
        build = clone / "build"
        build.mkdir(exist_ok=True)
        must_fail(clone / "init-build.sh", f"-DPLATFORM={platform}", cwd=build, says=says)
        assert not list(build.iterdir()), "the build folder is not empty"


MODULES = ("bs4", "elftools", "jinja2", "jsonschema", "libarchive", "lxml", "ply", "pyfdt", "yaml",
           "aenum", "ordered_set", "plyplus", "sortedcontainers")  # fmt: skip


def wheel(place: Path) -> Path:
    """A package with all modules that seL4's build imports, and a command."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / "modules-1.0-py3-none-any.whl"
    info = "modules-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        for module in MODULES:
            file.writestr(f"{module}.py", "")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: modules\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/entry_points.txt", "[console_scripts]\nninja = yaml:main\n")
        file.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.quick(False)
def test_only_a_package_of_the_pinned_content_is_installed_and_only_python3_gets_on_PATH() -> None:
    kit, (cache, env) = folder() / "kit", cache_of("python-cache")
    shutil.copytree(KIT / "tools", kit / "tools")
    package = wheel(folder() / "wheels")
    pins = kit / "tools" / "provision" / "requirements.txt"
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    # The machine's python3 lacks the modules.
    fake = f'#!/bin/sh\n[ "$1" != -c ] || exit 1\nexec {Path(sys.executable).resolve()} "$@"\n'
    write(folder() / "machine" / "python3", fake).chmod(0o755)
    env |= {
        "PATH": f"{folder() / 'machine'}:/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(package.parent),
        "PYTHONPATH": "",
    }
    script = kit / "tools" / "provision" / "python"

    says = ("pip could not install the packages that `tools/provision/requirements.txt` pins", "help: ")
    write(pins, f"modules==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    must_fail(script, env=env, says=("DO NOT MATCH THE HASHES", *says))
    assert [path.suffix for path in cache.glob("python-*")] == [".part"], "something is installed"

    write(pins, f"modules==1.0 \\\n    --hash=sha256:{digest}\n")
    check_says(run(script, env=env), "installing the Python packages of tools/provision/requirements.txt")
    assert run(script, env=env) == "", "the second run does something"
    environment = cache / f"python-{hashlib.sha256(pins.read_bytes()).hexdigest()[:16]}"
    assert (environment / "bin" / "ninja").exists()
    found = run(
        "bash",
        "-c",
        '. "$0"; type -P python3; python3 -c "import pyfdt; print(pyfdt.__file__)"; type -P ninja || :; echo "$PATH"',
        kit / "tools" / "environment.sh",
        env=env,
    )
    lines = found.splitlines()
    assert lines[0] == f"{environment}/path/python3", found
    assert lines[1].startswith(f"{environment}/lib/"), found
    assert f"{environment}/bin" not in found, "more than python3 gets on PATH"


@pytest.mark.needs("hosted")
def test_a_Corrosion_that_the_kit_does_not_know_is_told() -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        skip("this system has no apt")
    tree, fakes, (_, env) = folder() / "corrosion", folder() / "fakes", cache_of("corrosion-cache")
    write(tree / "usr" / "lib" / "cmake" / "Corrosion" / "CorrosionConfig.cmake", "# not Debian's\n")
    write(
        tree / "DEBIAN" / "control",
        "Package: corrosion\nVersion: 99\nArchitecture: all\nMaintainer: nobody <no@example.org>\nDescription: none\n",
    )
    run("dpkg-deb", "--build", tree, folder() / "corrosion_99_all.deb")
    write(fakes / "apt-cache", "#!/bin/sh\necho Package: corrosion\n").chmod(0o755)
    write(fakes / "apt-get", f"#!/bin/sh\n[ $1 = download ] && cp {folder()}/corrosion_99_all.deb .\n").chmod(0o755)
    script = KIT / "tools" / "provision" / "corrosion"
    output = run(script, env={**env, "PATH": f"{fakes}:{os.environ['PATH']}"})
    if "fetching" not in output:
        skip("this machine has a Corrosion of its own")
    check_says(
        output,
        "note: corrosion_99_all.deb is not the package that the kit is tested with",
        "nothing but apt's signature says that it is genuine",
    )
