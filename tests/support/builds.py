# SPDX-License-Identifier: BSD-2-Clause
"""Build folders: those of one test, and those that all tests on a configuration share."""

import fcntl
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import console
from configurations import CONFIGURATIONS, Configuration

from support import BUILD_TEST, KIT, Failure, check, folder, must_fail, run

# One line for each kernel and set of C libraries that was built: conftest.py counts them.
LOG = BUILD_TEST / "builds.log"
# Tests do not judge by the clock. A console that says nothing for so long hangs, also on a busy machine.
SILENCE = 300.0
LIMIT = 1800.0
# Time passes with instructions, whatever else the machine has to do, and at once where all threads sleep.
STEADY = ("./simulate", "--extra-qemu-args=-icount shift=0,sleep=off")


def note(kind: str, name: str) -> None:
    """Notes in the log that a build folder is configured for the first time."""
    BUILD_TEST.mkdir(exist_ok=True)
    with LOG.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        print(kind, name, sep="\t", file=log, flush=True)


class Build:
    """A build folder below the test's folder, configured by the kit's init-build.sh or by another's."""

    def __init__(self, name: str | Path, init_build: Path = KIT / "init-build.sh") -> None:
        self.path = folder() / name
        self.init_build = init_build
        self.path.mkdir(parents=True, exist_ok=True)

    def configure(self, *arguments: object, **options: Any) -> str:
        """Runs init-build.sh."""
        __tracebackhide__ = True
        if not (self.path / "CMakeCache.txt").exists() and not self.path.is_relative_to(BUILD_TEST / "shared"):
            note("own", str(self.path.relative_to(BUILD_TEST)))
        return run(self.init_build, *arguments, cwd=self.path, **options)

    def configure_fails(self, *arguments: object, says: Sequence[str], **options: Any) -> str:
        """Runs init-build.sh, which must fail and say these fragments."""
        __tracebackhide__ = True
        return must_fail(self.init_build, *arguments, says=says, cwd=self.path, **options)

    def ninja(self, *arguments: object, **options: Any) -> str:
        """Runs ninja."""
        __tracebackhide__ = True
        return run("ninja", *arguments, cwd=self.path, **options)

    def ninja_fails(self, *arguments: object, says: Sequence[str], **options: Any) -> str:
        """Runs ninja, which must fail and say these fragments."""
        __tracebackhide__ = True
        return must_fail("ninja", *arguments, says=says, cwd=self.path, **options)

    def boot(
        self, expected: str | Path | Sequence[str], command: Sequence[object] = ("./simulate",), **options: Any
    ) -> console.Outcome:
        """Boots; returns the console.Outcome. `expected` is a file (from the kit's root) or a list of its lines.

        Options are those of console.run(), such as linger=1 or forbidden=().
        """
        __tracebackhide__ = True
        if isinstance(expected, (str, Path)):
            lines = console.read_expected(KIT / expected)
        else:
            lines = console.expectations(expected)
        options = {"silence": SILENCE, "limit": LIMIT, **options}
        outcome = console.run([str(word) for word in command], lines, self.path, **options)
        check(outcome.passed, "\n".join([outcome.reason, "the console:", *outcome.lines]))
        return outcome


class Shared(Build):
    """The one build folder of a configuration: the kernel and the C libraries in it are built once.

    app() makes another program the root server; only that is built then.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.path = BUILD_TEST / "shared" / configuration.name.replace(" ", "-")
        self.init_build = KIT / "init-build.sh"
        # Arguments of the last successful configuration.
        self._configured: tuple[str, ...] | None = None
        # Application options that an earlier test set, to be unset when another does not.
        self._set: set[str] = set()
        self._kernel: int | None = None
        self._lock: Any = None

    def start(self) -> None:
        """Empties the folder, unless this process has; a lock keeps other runs in this clone away."""
        if self._lock:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(self.path.with_suffix(".lock"), "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._lock = lock
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()
        note("shared", self.configuration.name)

    def stop(self, keep: bool) -> None:
        """Ends the use of the folder and removes it unless `keep` is set."""
        if not self._lock:
            return
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()
        self.__init__(self.configuration)  # type: ignore[misc]

    def select(self, app: str | Path, *options: str, **more: Any) -> str:
        """Configures for an application (a folder of apps/, or a path from the kit's root such as `tests/boot/overload`).

        `options` are those of the application; what another application's were is unset. Returns what CMake says.
        """
        __tracebackhide__ = True
        self.start()
        arguments = self.arguments(app, *options)
        self._configured = None
        # QEMU's device tree is dumped anew each time, and the kernel's headers are made from it.
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in self._generated()}
        output = self.configure(*arguments, **more)
        for path in self._generated():
            content, time = before.get(path, (b"", 0))
            if time and path.read_bytes() == content:
                os.utime(path, ns=(time, time))
        self._configured = arguments
        return output

    def _generated(self) -> list[Path]:
        """Returns what configuring writes for the kernel and its loader."""
        folders = ("kernel/gen_headers", "kernel/gen_config", "elfloader/gen_headers")
        return [path for folder in folders for path in (self.path / folder).rglob("*") if path.is_file()]

    def arguments(self, app: str | Path, *options: str) -> tuple[str, ...]:
        """Returns the arguments of init-build.sh for an application."""
        names = {_name(option) for option in options}
        path = KIT / app if str(app).startswith("tests/") else KIT / "apps" / app
        app = f"../{app}" if str(app).startswith("tests/") else str(app)
        # What the application presets stays in CMake's cache when another one follows.
        settings = path / "settings.cmake"
        presets = set(re.findall(r"^set\((\w+) .* CACHE ", settings.read_text(), re.M)) if settings.exists() else set()
        settled = {_name(option) for option in self.configuration.options} | {"KernelArmExportVCNTUser"}
        kernels = [name for name in names | presets if name.startswith("Kernel") and name not in settled]
        assert not kernels, f"{kernels} would build the kernel anew: they belong in tests/configurations.py"
        unset = tuple(f"-U{name}" for name in sorted(self._set - names))
        self._set |= names | presets - settled
        return (*unset, *self.configuration.options, *options, f"-DAPP={app}")

    def app(self, app: str | Path, *options: str) -> "Shared":
        """Makes an application the root server and builds the image; does nothing if it was the last one."""
        __tracebackhide__ = True
        return self._built(app, options)

    def program(self, app: str | Path, *options: str) -> "Shared":
        """Makes an application the root server and links it, without the image, which takes long on RISC-V."""
        __tracebackhide__ = True
        return self._built(app, options, "rootserver")

    def _built(self, app: str | Path, options: tuple[str, ...], *targets: str) -> "Shared":
        __tracebackhide__ = True
        self.start()
        if not self.is_selected(app, *options):
            self.select(app, *options)
        self.ninja(*targets)
        return self

    def is_selected(self, app: str | Path, *options: str) -> bool:
        """Returns whether the folder is configured for this application with these options."""
        return self._configured == self.arguments(app, *options)

    def ninja(self, *arguments: object, **options: Any) -> str:
        """Runs ninja; fails if the kernel is built a second time."""
        __tracebackhide__ = True
        output = super().ninja(*arguments, **options)
        kernel = self.path / "kernel" / "kernel.elf"
        if kernel.exists():
            built = kernel.stat().st_mtime_ns
            if self._kernel not in (None, built):
                self._kernel = built
                raise Failure(f"the kernel of `{self.configuration.name}` was built again:\n{output}")
            self._kernel = built
        return output

    @property
    def bindings(self) -> Path:
        """Folder of libsel4-sys's generated files."""
        return self.path / "rust" / "libsel4-sys"


def _name(option: str) -> str:
    """Returns the variable of an option `-DNAME=VALUE` or `-DNAME:TYPE=VALUE`."""
    return option.removeprefix("-D").partition("=")[0].partition(":")[0]


_shared: dict[str, Shared] = {}


def shared(name: str) -> Shared:
    """Returns the build folder of a configuration, by its name in configurations.py."""
    return _shared.setdefault(name, Shared(CONFIGURATIONS[name]))


def stop_shared(name: str, keep: bool) -> None:
    """Ends this process's use of a shared build folder, if it has one."""
    if name in _shared:
        _shared.pop(name).stop(keep)


def host() -> str:
    """Returns rustc's name of this machine."""
    output = run("rustc", "--version", "--verbose", cwd=KIT, env={"PATH": os.environ["PATH"]})
    return next(line.split()[1] for line in output.splitlines() if line.startswith("host: "))
