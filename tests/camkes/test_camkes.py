# SPDX-License-Identifier: BSD-2-Clause
"""CAmkES components that call Rust, and components in Rust: systems of them boot."""

import functools
import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from configurations import ARCHITECTURES
from support import KIT, check, folder, foreign, run, workspace
from support.builds import Build, Shared

HERE = "tests/camkes"
ALL = ("CAmkES qemu-arm-virt", *(f"CAmkES qemu-arm-virt {more}" for more in ("Release", "MCS", "aarch32")))
ALL += ("CAmkES qemu-riscv-virt", "CAmkES x86_64")


@pytest.mark.parametrize("configuration", ALL)
def test_a_component_in_C_calls_instances_of_one_in_Rust(configuration: str, build: Shared) -> None:
    # `post_init` is in a module of its own, and its line is there in each build type.
    lines = build.app("camkes-adder").boot("apps/camkes-adder/expected.txt").lines
    ready = [line for line in lines if line.endswith("an adder is ready")]
    check(len(ready) == 2, "post_init did not run in both instances:\n" + "\n".join(lines))


@pytest.mark.long
@pytest.mark.parametrize("configuration", ALL)
def test_G2_components_in_Rust_alone(configuration: str, build: Shared) -> None:
    build.app("camkes-pipeline").boot("apps/camkes-pipeline/expected.txt")
    if "aarch32" in configuration:
        # The bindings have the layout of a 32-bit machine, and clippy looks for this one.
        return
    for crate, instance in (("clerk", "clerk"), ("greeter", "morning"), ("press", "press")):
        bindings = build.path / "rust" / f"{instance}.instance.bin" / "camkes"
        check((bindings / "camkes.rs").exists(), f"no bindings in `{bindings}`")
        manifest = ("--manifest-path", KIT / "apps" / "camkes-pipeline" / "Cargo.toml", "--package", crate)
        run("cargo", "clippy", "--locked", *manifest, "--", "--deny", "warnings", env={"SEL4_CAMKES_DIR": bindings})


@pytest.mark.long
@pytest.mark.parametrize("configuration", [ALL[0], ALL[1], ALL[-1]])
def test_libraries_groups_and_weak_callbacks(configuration: str, build: Shared) -> None:
    build.app(f"{HERE}/system").boot(f"{HERE}/system/expected.txt")
    archives = {}
    for instance, size in (("first", 8192), ("second", 16384), ("listener", 262144)):
        linked = run("ninja", "-t", "query", f"{instance}.instance.bin", cwd=build.path)
        heap = re.findall(r"libsel4_rust_heap\w*_(\d+)\.a", linked)
        check(set(heap) == {str(size)}, f"the heap of `{instance}`:\n{linked}")
        archives[instance] = set(re.findall(r"rust/\S+\.a", linked))
    # Instances with the same libraries share an archive, whatever the size of their heaps.
    check(archives["first"] == archives["second"] != archives["listener"], f"archives of the instances: {archives}")


@pytest.mark.long
@pytest.mark.parametrize("configuration", [ALL[0], ALL[2], ALL[-1]])
def test_threads_of_several_priorities_allocate_and_a_panic_ends_one(configuration: str, build: Shared) -> None:
    # The heap's lock sleeps on a notification that the kit's template allocates. Without it, the interfaces wait in vain
    # while the control thread, of a lower priority, holds the lock.
    lines = build.app(f"{HERE}/threads").boot(f"{HERE}/threads/expected.txt").lines
    for ended in ("server: server] 20000 rounds", "one: client] 400 rounds", "two: client] 400 rounds"):
        found = [line for line in lines if line.endswith(f"{ended}, the sum is 4950")]
        check(len(found) == 1, f"no line `{ended}`:\n" + "\n".join(lines))
    # What the loader carries has no debug information. Debuggers find it beside the instance.
    sections = {
        name: run("readelf", "--section-headers", "--wide", next(build.path.rglob(name)))
        for name in ("server.instance.bin", "server.instance.bin.debug")
    }
    has = {name: ".debug_info" in text for name, text in sections.items()}
    check(has == {"server.instance.bin": False, "server.instance.bin.debug": True}, f"debug information: {has}")
    check(".gnu_debuglink" in sections["server.instance.bin"], "the instance does not name its debug information")


@pytest.mark.long
@pytest.mark.parametrize("configuration", [ALL[0], ALL[1], ALL[2], ALL[-1]])
def test_std_in_a_component(configuration: str, build: Shared) -> None:
    # The control thread, two interfaces and threads of std share locks, sleep, catch panics and make threads.
    build.app(f"{HERE}/std").boot(f"{HERE}/std/expected.txt", forbidden=())


@contextmanager
def edited(file: str, old: str, new: str) -> Iterator[str]:
    """Gives a copy of camkes-adder with an edit, as an app; undoes the edit."""
    app = folder() / "edited"
    shutil.rmtree(app, ignore_errors=True)
    shutil.copytree(KIT / "apps" / "camkes-adder", app)
    text = (app / file).read_text()
    assert old in text, f"`{file}` has no `{old}`"
    (app / file).write_text(text.replace(old, new))
    yield f"../{app.relative_to(KIT)}"
    (app / file).write_text(text)


@pytest.mark.long
@pytest.mark.on(ALL[0])
def test_a_function_with_another_signature_than_the_procedure_is_an_error(build: Shared) -> None:
    old, new = (
        "sums_add(a: c_int, b: c_int) -> c_int {",
        "sums_add(a: i64, b: c_int) -> c_int {\n    let a = a as c_int;",
    )
    with edited("components/Adder/src/lib.rs", old, new) as app:
        build.select(app)
        build.ninja_fails(
            "one.instance.bin", says=["conflicting types for", "sums_add", "camkes-component-one.h", "adder.h"]
        )
    build.ninja("one.instance.bin")


@pytest.mark.long
@pytest.mark.on(ALL[0])
def test_std_is_refused_in_a_group_and_with_options_of_a_root_server(build: Shared) -> None:
    with edited("CMakeLists.txt", "Cargo.toml)", "Cargo.toml STD)") as app:
        assembly = folder() / "edited" / "adder.camkes"
        instances = "component Adder one;\n        component Adder two;"
        text = assembly.read_text()
        assert instances in text
        assembly.write_text(
            text.replace(instances, f"group pair {{ {instances} }}")
            .replace("to one.", "to pair.one.")
            .replace("to two.", "to pair.two.")
        )
        build.start()
        build.configure_fails(
            *build.arguments(app),
            says=["the instance `one` of a CAmkES component links `adder`, which uses Rust's std", "out of its group"],
        )
    build.configure_fails(
        *build.arguments(f"{HERE}/std", "-DRUST_STD_GROWTH=2097152"),
        says=["RUST_STD_GROWTH (`2097152`)", "configure with -DRUST_STD_GROWTH=0"],
    )
    build.select(f"{HERE}/std")


@functools.cache
def stock(parent: Path) -> Path:
    """Returns a workspace in `parent` with seL4/camkes, unmodified, and the kit beside it."""
    root = parent / "workspace"
    more = Path(run(KIT / "tools" / "provision" / "sources.py", "--path", "--manifest", KIT / "camkes.xml").strip())
    for source in (workspace(), more):
        for part in ("kernel", "tools/seL4", "tools/corrosion"):
            if (source / part).exists() and not (root / part).exists():
                shutil.copytree(source / part, root / part, symlinks=True)
        for project in (source / "projects").iterdir():
            if project.name != "sel4-rust-kit" and not (root / "projects" / project.name).exists():
                shutil.copytree(project, root / "projects" / project.name, symlinks=True)
    foreign.fetch(KIT / HERE / "manifest.xml", root)
    (root / "projects" / "sel4-rust-kit").symlink_to(KIT)
    (root / "init-build.sh").symlink_to("tools/seL4/cmake-tool/init-build.sh")
    (root / "easy-settings.cmake").symlink_to("projects/camkes/easy-settings.cmake")
    # Where the builds of muslc and capDL-tool are kept.
    cache = workspace() / ".sel4_cache"
    cache.mkdir(exist_ok=True)
    (root / ".sel4_cache").symlink_to(cache)
    return root


# seL4/camkes has other options than the kit.
STOCK = {
    "aarch64": ("-DPLATFORM=qemu-arm-virt", "-DAARCH64=ON"),
    "x86_64": ("-DPLATFORM=x86_64",),
}


@pytest.mark.long
@pytest.mark.needs("camkes", "rust", "aarch64", "x86_64")
@pytest.mark.weight(200)
@pytest.mark.parametrize(
    ("architecture", "app", "says"),
    [
        pytest.param(architecture, app, says, id=f"{ids}{app} on {architecture}")
        for architecture in STOCK
        for ids, app, says in (("R4 ", "hellorust", "Hello, world!!"), ("", "adder", "client: result was 1270"))
    ],
)
def test_systems_of_camkes_boot_unmodified_beside_the_kit(architecture: str, app: str, says: str) -> None:
    root = stock(folder())
    build = Build(f"{architecture}-{app}", root / "init-build.sh")
    build.configure(
        *STOCK[architecture],
        f"-DCROSS_COMPILER_PREFIX={ARCHITECTURES[architecture][0]}",
        "-DSIMULATION=ON",
        f"-DCAMKES_APP={app}",
        f"-DCMAKE_PROJECT_camkes_INCLUDE={KIT}/Findsel4_rust.cmake",
    )
    build.ninja()
    build.boot([says])


@pytest.mark.long
@pytest.mark.needs("camkes", "rust", "aarch64")
def test_the_kernel_of_a_system_of_camkes_is_the_same_with_and_without_Rust() -> None:
    root = stock(folder())
    digests = {}
    # The same folder, as a kernel's build may name it.
    for app, kit in (("adder", ()), ("hellorust", (f"-DCMAKE_PROJECT_camkes_INCLUDE={KIT}/Findsel4_rust.cmake",))):
        build = Build("kernel", root / "init-build.sh")
        shutil.rmtree(build.path)
        build.path.mkdir()
        build.configure(
            *STOCK["aarch64"],
            f"-DCROSS_COMPILER_PREFIX={ARCHITECTURES['aarch64'][0]}",
            "-DSIMULATION=ON",
            "-DRELEASE=ON",
            f"-DCAMKES_APP={app}",
            *kit,
        )
        build.ninja("kernel.elf")
        digests[app] = hashlib.sha256((build.path / "kernel" / "kernel.elf").read_bytes()).hexdigest()
    check(len(set(digests.values())) == 1, f"kernel.elf differs: {digests}")
