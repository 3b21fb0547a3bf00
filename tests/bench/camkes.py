# SPDX-License-Identifier: BSD-2-Clause
"""What Rust costs in CAmkES systems of 17 instances, the size of those that HAMR generates: qemu-arm-virt.

Each instance waits for an event, works on the number in a dataport, and passes it on. In one system a library in C does the
work, in one a library in Rust, and in one the whole component is in Rust, with libsel4-camkes. Seconds are those of a
processor, all processes together, without ccache.
"""

import os
import shutil
import statistics

import support as kit
from bench.table import markdown, ratio, step, verdict
from bench.times import NO_CCACHE, Times
from support.builds import Build

INSTANCES = 17
PLATFORM = "-DPLATFORM=qemu-arm-virt"
BUILDS = {"Debug": (), "Release": ("-DRELEASE=ON",)}
# Aims: seconds of `ninja` with nothing to do above C's, and times C's full build, Release image and Debug image.
AIMS = {"a library in Rust": (0.2, 1.2, 1.2, 2.0), "components in Rust": (1.0, 2.0, 1.2, 2.0)}

ASSEMBLY = """\
import <std_connector.camkes>;

component Node {
    include "counter.h";
    control;
    dataport counter_t input;
    dataport counter_t output;
    consumes Ready ready;
    emits Ready done;
    attribute int starts;
}

assembly {
    composition {
@COMPONENTS@
    }
    configuration {
@SETTINGS@
    }
}
"""
COUNTER = """\
#pragma once
#include <stdint.h>
typedef struct counter { uint32_t value; } counter_t;
"""
NODE = """\
#include <camkes.h>
#include <stdio.h>
#include <work.h>

int run(void)
{
    if (starts) {
        output->value = work(0);
        output_release();
        done_emit();
    }
    ready_wait();
    input_acquire();
    uint32_t value = input->value;
    if (starts) {
        printf("the counter is at %u\\n", (unsigned)value);
        return 0;
    }
    output->value = work(value);
    output_release();
    done_emit();
    return 0;
}
"""
WORK_H = "#include <stdint.h>\nuint32_t work(uint32_t value);\n"
WORK_C = """\
#include <stdlib.h>
#include <work.h>

uint32_t work(uint32_t value)
{
    uint32_t *box = malloc(sizeof(*box));
    *box = value + 1;
    uint32_t next = *box;
    free(box);
    return next;
}
"""
MANIFEST = """\
[package]
name = "work"
version = "0.1.0"
edition = "2024"

[dependencies]
"""
WORK_RS = """\
#![no_std]
extern crate alloc;
use alloc::boxed::Box;

#[unsafe(no_mangle)]
pub extern "C" fn work(value: u32) -> u32 {
    *Box::new(core::hint::black_box(value + 1))
}
"""
NODE_RS = """\
#![no_std]
extern crate alloc;
use alloc::boxed::Box;
use camkes::sys::counter_t;
use camkes::{attributes, done, input, output, ready};

fn work(value: u32) -> u32 {
    *Box::new(core::hint::black_box(value + 1))
}

#[unsafe(no_mangle)]
pub extern "C" fn run() -> core::ffi::c_int {
    let starts = attributes::starts() != 0;
    if starts {
        output::dataport().write(counter_t { value: work(0) });
        done::emit();
    }
    ready::wait();
    let value = input::dataport().read().value;
    if starts {
        log::info!("the counter is at {value}");
        return 0;
    }
    output::dataport().write(counter_t { value: work(value) });
    done::emit();
    0
}
"""
# Of each system: the lines of its CMakeLists.txt before the assembly's, and its own files.
SYSTEMS = {
    "in C": (
        "add_library(work STATIC work.c)\ntarget_include_directories(work PUBLIC include)\n"
        "target_link_libraries(work PUBLIC muslc)\n"
        "DeclareCAmkESComponent(Node SOURCES node.c INCLUDES include LIBS work)\n",
        {"work.c": WORK_C, "node.c": NODE, "include/work.h": WORK_H},
    ),
    "a library in Rust": (
        "add_rust_library(work)\nDeclareCAmkESComponent(Node SOURCES node.c INCLUDES include LIBS work)\n",
        {"node.c": NODE, "Cargo.toml": MANIFEST, "src/lib.rs": WORK_RS},
    ),
    "components in Rust": (
        "add_rust_library(work)\nDeclareCAmkESComponent(Node INCLUDES include LIBS work)\n",
        {
            "Cargo.toml": MANIFEST + f'libsel4-camkes = {{ path = "{kit.KIT}/rust/libsel4-camkes" }}\n'
            'log = { version = "0.4", default-features = false }\n',
            "src/lib.rs": NODE_RS,
        },
    ),
}


def write(name):
    """Writes a system; returns what `-DAPP=` calls it."""
    app = kit.folder() / f"camkes-{name.replace(' ', '-').lower()}"
    shutil.rmtree(app, ignore_errors=True)
    cmake, files = SYSTEMS[name]
    components, settings = [], []
    for number in range(INSTANCES):
        components.append(f"component Node n{number};")
        settings.append(f"n{number}.starts = {int(number == 0)};")
    for number in range(INSTANCES):
        after = (number + 1) % INSTANCES
        components.append(f"connection seL4SharedData data{number}(from n{number}.output, to n{after}.input);")
        components.append(f"connection seL4Notification event{number}(from n{number}.done, to n{after}.ready);")
    assembly = ASSEMBLY.replace("@COMPONENTS@", "\n".join(components)).replace("@SETTINGS@", "\n".join(settings))
    files = {
        **files,
        "ring.camkes": assembly,
        "include/counter.h": COUNTER,
        "CMakeLists.txt": f"{cmake}DeclareCAmkESRootserver(ring.camkes)\n",
        "expected.txt": f"the counter is at {INSTANCES}\n",
    }
    for path, text in files.items():
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_text(text)
    if "Cargo.toml" in files:
        kit.run("cargo", "generate-lockfile", "--offline", cwd=app)
    return f"../{app.relative_to(kit.KIT)}"


def _image(build):
    return next((build.path / "images").iterdir()).stat().st_size


def measure(arguments):
    """Builds each system; returns the table."""
    load = f"{os.getloadavg()[0]:.1f}"
    figures = {}
    for name in SYSTEMS:
        app = write(name)
        for kind, options in BUILDS.items():
            step(f"camkes: {name}, {kind}")
            build = Build(f"{app.rsplit('/', 1)[-1]}-{kind.lower()}")
            shutil.rmtree(build.path)
            build.path.mkdir()
            build.configure(PLATFORM, f"-DAPP={app}", *options, env=NO_CCACHE)
            full, nothing = Times(), Times()
            full.take(build.ninja, env=NO_CCACHE)
            build.ninja()
            for _ in range(arguments.runs if kind == "Debug" else 0):
                nothing.take(build.ninja, env=NO_CCACHE)
            if kind == "Debug":
                build.boot([f"/the counter is at {INSTANCES}$/"])
            figures[name, kind] = full, nothing, _image(build)
    rows = []
    for name, (no_op, full, release, debug) in AIMS.items():
        rows += _rows(figures, name, no_op, full, release, debug)
    return markdown(
        f"CAmkES systems of {INSTANCES} instances, qemu-arm-virt",
        ["", "in C", "with Rust", "ratio", "aim"],
        rows,
        f"Seconds of a processor; one full build, without ccache, and the median of {arguments.runs} runs of `ninja` with "
        f"nothing to do. Load average {load} before and {os.getloadavg()[0]:.1f} after.",
    )


def _rows(figures, name, no_op, full, release, debug):
    def of(kind, part):
        return [figures[system, kind][part] for system in ("in C", name)]

    builds = [statistics.median(times.processor) for times in of("Debug", 0)]
    nothing = [statistics.median(times.processor) for times in of("Debug", 1)]
    images = {kind: of(kind, 2) for kind in BUILDS}
    rows = [
        (f"{name}: full build, Debug", *(f"{seconds:.1f}" for seconds in builds), ratio(*reversed(builds)),
         verdict(round(builds[1], 1), round(full * builds[0], 1))),
        (f"{name}: `ninja`, nothing to do", *(f"{seconds:.2f}" for seconds in nothing), ratio(*reversed(nothing)),
         verdict(round(nothing[1], 2), round(nothing[0] + no_op, 2))),
    ]  # fmt: skip
    for kind, aim in (("Release", release), ("Debug", debug)):
        sizes = images[kind]
        rows.append(
            (
                f"{name}: image, {kind}",
                *(f"{size:,}" for size in sizes),
                ratio(*reversed(sizes)),
                verdict(sizes[1], round(aim * sizes[0])),
            )
        )
    return rows
