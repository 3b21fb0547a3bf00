# SPDX-License-Identifier: BSD-2-Clause
"""How long builds take, with Rust and without: zynqmp, Debug. The median of several runs, C and Rust in turn.

In seconds, and in seconds of a processor, all processes together, in which other work on the machine shows less. ccache is
off throughout: it would answer for the C compiler, and not for rustc.
"""

import os
import re
import resource
import shutil
import statistics

import support as kit
from bench.project import Build, muslc_cache
from bench.table import markdown, ratio, step, verdict

PLATFORM = "-DPLATFORM=zynqmp"
NO_CCACHE = {"CCACHE_DISABLE": "1"}
LIBRARIES = 10
# Seconds that `ninja` may take when there is nothing to do, with ten Rust libraries in the executable.
NO_OP_AIM = 0.15


class Times:
    """Seconds of one thing, taken several times, and those of the processors."""

    def __init__(self):
        self.seconds, self.processor = [], []

    def take(self, action, *arguments, **options):
        before = _processor_seconds()
        with kit.Stopwatch() as watch:
            action(*arguments, **options)
        self.seconds.append(watch.seconds)
        self.processor.append(_processor_seconds() - before)

    @property
    def median(self):
        return statistics.median(self.seconds)

    def __str__(self):
        if len(self.seconds) == 1:
            return f"{self.median:.2f}"
        return f"{self.median:.2f} ({min(self.seconds):.2f} to {max(self.seconds):.2f})"


def _processor_seconds():
    """What all processes that have ended took that were started from here."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(arguments):
    load = f"{os.getloadavg()[0]:.1f}"
    programs = _write_programs()
    rows = _builds(programs, arguments.runs) + _no_ops(programs, arguments.runs) + _edits(programs, arguments.runs)
    return markdown(
        "Seconds of a build, zynqmp, Debug",
        ["", "in C", "with Rust", "ratio", "processor: C", "with Rust", "ratio", "aim", "before: C, Rust"],
        rows,
        f"Medians of {arguments.runs} runs with the least and the most, four times as many of `ninja` with nothing to do; "
        f"without ccache; noisy. Load average {load} before and {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores.",
    )


def _row(what, c, rust, before, aim=None):
    work = [statistics.median(times.processor) for times in (c, rust)]
    return (
        what,
        c,
        rust,
        ratio(rust.median, c.median),
        *(f"{seconds:.2f}" for seconds in work),
        ratio(*reversed(work)),
        verdict(rust.median, aim) if aim else "",
        before,
    )


def _builds(programs, runs):
    """Configure and build from an empty folder."""
    rows = []
    shutil.rmtree(muslc_cache(), ignore_errors=True)
    # Where the host tool would be found if it were there.
    cold_cache = kit.folder() / "cold-cache"
    shutil.rmtree(cold_cache, ignore_errors=True)
    cold = {**NO_CCACHE, "XDG_CACHE_HOME": str(cold_cache)}
    figures = {}
    for name in ("c", "rust"):
        step(f"times: {name}, nothing cached")
        configure, build = Times(), Times()
        folder = Build(f"times-{name}")
        configure.take(folder.configure, [programs[name]], PLATFORM, cache=kit.folder() / f"muslc-{name}", env=cold)
        shutil.rmtree(kit.folder() / f"muslc-{name}", ignore_errors=True)
        build.take(folder.ninja, env=cold)
        figures[name] = configure, build
    shutil.rmtree(cold_cache, ignore_errors=True)
    # Fills the cache of muslc, which all the rest uses; the host tool is in the user's own cache from now on.
    step("times: filling the caches")
    for name in ("c", "rust"):
        folder = Build(f"times-{name}")
        folder.configure([programs[name]], PLATFORM, env=NO_CCACHE)
        folder.ninja(env=NO_CCACHE)
    rows.append(
        _row("configure, nothing cached: the host tool is built", figures["c"][0], figures["rust"][0], "4.4, –")
    )
    rows.append(_row("full build, nothing cached: muslc is built", figures["c"][1], figures["rust"][1], "36.0, –"))

    figures = {name: (Times(), Times()) for name in ("c", "rust")}
    for run in range(runs):
        for name, (configure, build) in figures.items():
            step(f"times: {name}, caches filled, run {run + 1} of {runs}")
            folder = Build(f"times-{name}")
            configure.take(folder.configure, [programs[name]], PLATFORM, env=NO_CCACHE)
            build.take(folder.ninja, env=NO_CCACHE)
    rows.append(_row("configure, host tool and muslc cached", figures["c"][0], figures["rust"][0], "3.8, 3.7"))
    rows.append(_row("full build, muslc cached", figures["c"][1], figures["rust"][1], "9.2, 8.6"))
    return rows


def _no_ops(programs, runs):
    """`ninja` with nothing to do."""
    names = ("c", "rust", "ten_in_one", "ten_in_ten")
    folders = {}
    for name in names:
        step(f"times: a finished build of {name}")
        folders[name] = Build(f"times-{name}")
        boots = "ten_01" if name == "ten_in_ten" else None
        folders[name].configure([programs[name]], PLATFORM, boots=boots, env=NO_CCACHE)
        folders[name].ninja(env=NO_CCACHE)
    times = {name: Times() for name in names}
    step("times: ninja with nothing to do")
    # Once more than is counted: the first run settles ninja's log.
    for run in range(4 * runs + 1):
        for name in names:
            taken = Times()
            taken.take(folders[name].ninja, env=NO_CCACHE)
            times[name].seconds += taken.seconds if run else []
            times[name].processor += taken.processor if run else []
    return [
        _row("`ninja`, nothing to do, 1 Rust library", times["c"], times["rust"], "0.01, 0.09"),
        _row(f"… {LIBRARIES} in one executable", times["c"], times["ten_in_one"], "", NO_OP_AIM),
        _row(f"… {LIBRARIES} in {LIBRARIES} executables", times["c"], times["ten_in_ten"], ""),
    ]


def _edits(programs, runs):
    """From a changed line to the image. The folders are those of the builds before."""
    times = {"c": Times(), "rust": Times()}
    sources = {"c": programs["c"] / "routine.c", "rust": programs["rust"] / "src" / "lib.rs"}
    for run in range(runs):
        for name, source in sources.items():
            step(f"times: edit one line of {name}, run {run + 1} of {runs}")
            folder = kit.folder() / f"times-{name}"
            image = next((folder / "images").iterdir())
            before = image.read_bytes()
            source.write_text(re.sub(r"a == \d+ ", f"a == {run + 2} ", source.read_text()))
            times[name].take(kit.run, "ninja", cwd=folder, env=NO_CCACHE)
            kit.check(image.read_bytes() != before, f"an edit of `{source}` did not reach `{image}`")
    return [_row("one line edited → image", times["c"], times["rust"], "0.58, 0.74")]


def _write_programs():
    """Programs of the benchmark's own folder, for their sources are edited. {name: folder}"""
    home = kit.folder() / "programs"
    shutil.rmtree(home, ignore_errors=True)
    hello = kit.KIT / "apps" / "hello"
    programs = {
        "c": home / "edited_c",
        "rust": home / "edited_rust",
        "ten_in_one": home / "ten_in_one",
        "ten_in_ten": home / "ten_in_ten",
    }
    shutil.copytree(kit.KIT / "tests" / "bench" / "project" / "routine_c", programs["c"])
    shutil.copytree(hello, programs["rust"])
    for name, libraries, add in (("c", "", ""), ("rust", "LIBRARIES routine", "add_rust_library(routine)\n")):
        shutil.copy(hello / "src" / "main.c", programs[name] / "main.c")
        source = "routine.c" if name == "c" else ""
        kit.write(
            programs[name] / "CMakeLists.txt",
            f"{add}bench_program(edited_{name} main.c {source} {libraries})\n"
            f"target_include_directories(edited_{name} PRIVATE .)\n",
        )

    numbers = [f"{number:02}" for number in range(1, LIBRARIES + 1)]
    for program in ("ten_in_one", "ten_in_ten"):
        for number in numbers:
            _write_crate(programs[program] / number, f"part_{number}")
    libraries = "".join(f"add_rust_library(part_{n} MANIFEST_PATH {n}/Cargo.toml)\n" for n in numbers)
    parts = " ".join(f"part_{n}" for n in numbers)
    _write_main(programs["ten_in_one"] / "main.c", numbers)
    kit.write(
        programs["ten_in_one"] / "CMakeLists.txt", f"{libraries}bench_program(ten_in_one main.c LIBRARIES {parts})\n"
    )
    for number in numbers:
        _write_main(programs["ten_in_ten"] / f"main_{number}.c", [number])
    kit.write(
        programs["ten_in_ten"] / "CMakeLists.txt",
        libraries + "".join(f"bench_program(ten_{n} main_{n}.c LIBRARIES part_{n})\n" for n in numbers),
    )
    return programs


def _write_crate(folder, name):
    kit.write(folder / "Cargo.toml", f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n')
    kit.write(folder / "Cargo.lock", f'version = 4\n\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n')
    kit.write(
        folder / "src" / "lib.rs",
        f'#![no_std]\n\n#[unsafe(no_mangle)]\npub extern "C" fn {name}(a: i32) -> i32 {{\n    a.wrapping_add(1)\n}}\n',
    )


def _write_main(path, numbers):
    includes = "".join(f"#include <part_{n}.h>\n" for n in numbers)
    prints = "".join(f'    printf("%d\\n", part_{n}({int(n)}));\n' for n in numbers)
    kit.write(path, f"#include <stdio.h>\n{includes}\nint main(void)\n{{\n{prints}    return 0;\n}}\n")
