# SPDX-License-Identifier: BSD-2-Clause
"""What the project gives the crate: variables, cfgs, folders of headers, the C compiler; and what it keeps from it."""

import json
import re
from pathlib import Path

import pytest
from build.project import ADD, GREETER, HEAD, LINK, MAIN, Project, corrosion, crate, one_library, steps
from build.project import program as c_program
from support import KIT, Failure, check, check_says, run, skip

pytestmark = pytest.mark.needs("kernel", "rust", "aarch64", "x86_64")

SHIM = """#include <limit.h>
#include <more.h>
#include <of_folder.h>
#include <of_sysroot.h>
#include <stdlib.h>
_Static_assert(sizeof(WORDS) == sizeof("it's \\"two\\" words"), "definitions of the folder");
_Static_assert(BY_LANGUAGE == 1 && BY_TYPE == 2 && OF_TARGET == 1, "generator expressions");
long shim(const char *text) { return strtol(text, 0, 10) + LIMIT + FROM_FLAGS; }
"""
BUILD = """fn main() {
    // As bindgen reads C.
    let given = std::env::var("BINDGEN_EXTRA_CLANG_ARGS_x86_64_unknown_linux_musl").unwrap();
    let clang = format!("clang -fsyntax-only shim.c {given}");
    assert!(std::process::Command::new("sh").args(["-c", &clang]).status().unwrap().success(), "{clang}");
    cc::Build::new().file("shim.c").compile("shim");
}
"""
SOURCE = """#![no_std]
include!(env!("MADE"));
unsafe extern "C" { fn shim(text: *const core::ffi::c_char) -> core::ffi::c_long; }
const BOARD: &str = env!("BOARD");
#[cfg(all(tracing, board = "zynqmp", sel4))]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    // SAFETY: the text ends with a zero.
    let number = unsafe { shim(c"40".as_ptr()) };
    if BOARD == "zynqmp" && made() { number as i32 } else { 0 }
}
"""
GIVEN = """
set(CMAKE_C_FLAGS "${CMAKE_C_FLAGS} -DFROM_FLAGS=1")
add_compile_definitions("WORDS=\\"it's \\\\\\"two\\\\\\" words\\"")
add_compile_options($<$<COMPILE_LANGUAGE:C>:-DBY_LANGUAGE=1> "$<$<COMPILE_LANGUAGE:CXX>:-DBY_LANGUAGE=2;-DBY_TYPE=2>")
add_compile_definitions($<IF:$<CONFIG:Debug>,BY_TYPE=1,BY_TYPE=2>)
include_directories("of the folder")
add_custom_command(OUTPUT made.rs COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/made.txt made.rs)
add_custom_target(made DEPENDS made.rs)
add_rust_library(greeter
    ENV "BOARD=$<IF:$<BOOL:ON>,zynqmp,none>" "MADE=${CMAKE_CURRENT_BINARY_DIR}/made.rs"
    CFG tracing "board=\\"$<LOWER_CASE:ZYNQMP>\\""
    INCLUDE_DIRECTORIES "the headers" $<$<BOOL:ON>:${CMAKE_SOURCE_DIR}/more> $<$<BOOL:OFF>:none>
    DEPENDS $<IF:$<BOOL:ON>,made,none> $<$<BOOL:OFF>:none>)
"""


def test_a_crate_gets_variables_cfgs_folders_and_C_compiled_for_the_image():
    manifest = '[build-dependencies]\ncc = "1"\n[lints.rust]\nunexpected_cfgs = "deny"\n'
    project = Project(
        "given",
        GIVEN + LINK + "target_compile_definitions(main PRIVATE $<$<C_COMPILER_ID:GNU,Clang>:OF_TARGET=1>)\n",
        {
            **crate("greeter", SOURCE, manifest),
            "build.rs": BUILD,
            "shim.c": SHIM,
            "the headers/limit.h": "#define LIMIT 1\n",
            "of the folder/of_folder.h": "",
            "more/more.h": "",
            "the sysroot/usr/include/of_sysroot.h": "",
            "toolchain.cmake": 'set(CMAKE_SYSROOT_COMPILE "${CMAKE_CURRENT_LIST_DIR}/the sysroot")\n',
            "made.txt": "fn made() -> bool { true }\n",
            "main.c": MAIN,
        },
    )
    for entry in Path("/usr/include").iterdir():
        (project.source / "the sysroot/usr/include" / entry.name).symlink_to(entry)
    try:
        run("cargo", "generate-lockfile", "--quiet", cwd=project.source)
        run("cargo", "fetch", "--quiet", cwd=project.source)
    except Failure as failure:
        skip(f"cargo cannot fetch the crate cc: {failure}")
    project.works(arguments=[f"-DCMAKE_TOOLCHAIN_FILE={project.source}/toolchain.cmake"])
    again = steps(project.ninja("-j1"))
    check(not again, f"a second build does {again}")
    # The flags of C's own objects, and not those that cc chooses.
    compiled = next(project.build.rglob("output")).read_text()
    check_says(compiled, "CRATE_CC_NO_DEFAULTS")
    project.edit("CMakeLists.txt", "ENV ", "ENV RUSTFLAGS=-g ")
    says = ("ENV sets `RUSTFLAGS=-g`", "Help: give the variable a name of your own")
    (project.build / "build.ninja").unlink()
    project.configure_fails(says=says)


def test_the_flags_of_the_kit_survive_those_of_the_environment():
    source = GREETER + "pub fn warned() { let unused = 1; }\n"
    environment = {
        "RUSTFLAGS": "-D warnings",
        "CARGO_PROFILE_DEV_PANIC": "unwind",
        "CARGO_BUILD_TARGET": "wasm32-unknown-unknown",
        "CARGO_TARGET_DIR": "elsewhere",
    }
    project = one_library("RUSTFLAGS", source)
    project.configure(env=environment)
    project.ninja_fails("-v", says=("unused variable", "src/lib.rs:9"), env=environment)
    project.edit("src/lib.rs", "let unused = 1;", "panic!();")
    project.ninja(env=environment)
    project.prints("42")
    check(not (project.source / "elsewhere").exists(), "CARGO_TARGET_DIR counts")
    program = project.build / "stripped"
    run("strip", "-o", program, project.build / "main")
    check(f"{project.source}/src/lib.rs".encode() not in program.read_bytes(), "a panic names the file as it lies here")


def test_a_toolchain_file_that_does_not_count_is_a_warning():
    toolchain = '[toolchain]\nchannel = "nightly"\n'
    files = {**crate("greeter", folder="lib"), "lib/rust-toolchain.toml": toolchain, "main.c": MAIN}
    project = Project("toolchain", "add_rust_library(greeter MANIFEST_PATH lib/Cargo.toml)\n" + LINK, files)
    said = project.configure()
    check_says(said, "warning: `", "lib/rust-toolchain.toml` does not count", "help: move the file there")


def test_libraries_that_share_a_type_agree_on_it_though_one_has_a_feature_more():
    conf = """#![no_std]
#[repr(C)]
pub struct Conf {
    #[cfg(feature = "big")]
    pub extra: u64,
    #[cfg(debug_assertions)]
    pub debug: u64,
    #[cfg(not(debug_assertions))]
    pub release: u64,
    pub n: u32,
}
#[repr(u8)]
pub enum Mode { Slow, Fast }
"""
    use = """#![no_std]
#[unsafe(no_mangle)]
pub extern "C" fn NAME(conf: &shared::Conf, mode: shared::Mode) -> u32 { conf.n + mode as u32 }
"""
    depends = '[dependencies]\nshared = { path = "../shared" FEATURES }\n'
    files = crate("shared", conf, "[features]\nbig = []\n", "shared")
    for name, features in (("one", ""), ("two", ', features = ["big"]')):
        manifest = depends.replace(" FEATURES", features)
        files.update(crate(name, use.replace("NAME", name), manifest, name))
    main = c_program(
        'Conf conf = {.debug = 1, .n = 20}; printf("%u %d\\n", one(&conf, Fast) + two(&conf, Fast), (int)sizeof conf);',
        "one.h",
        "two.h",
    )
    project = Project(
        "shared type",
        """
enable_language(CXX)
add_compile_options(-Wall -Wextra -Wpedantic -Werror)
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
add_executable(in_cxx main.cpp)
target_link_libraries(in_cxx PRIVATE one two)
""",
        {**files, "main.c": main, "main.cpp": main.replace("{.debug = 1, .n = 20}", "{0, 1, 20}")},
    )
    for name in ("one", "two"):
        project.lock(name)
    project.works("42 24")
    project.prints("42 24", "in_cxx")
    # Two executables with one header must agree.
    project.edit(
        "CMakeLists.txt", "target_link_libraries(in_cxx PRIVATE one two)", "target_link_libraries(in_cxx PRIVATE one)"
    )
    project.write({"main.cpp": c_program('Conf c = {0, 1, 42}; printf("%u\\n", one(&c, Slow));', "one.h")})
    project.ninja_fails(says=("share a header, and `shared` is built for one of them with the feature `big`", "help: "))


LED = """#pragma once
#include <stdint.h>
#include <gen_config.h>
#define LED_STEP 2
#define LED_BIT(n) (1u << (n))
#define LED_NONE ((struct led *)0)
static inline int led_log(const char *format, ...) { return format[0]; }
extern __thread int led_mine;
struct led { uint8_t pin; uint32_t level; };
extern uint32_t led_count;
static inline uint32_t led_level(const struct led *led) { return led->level; }
void led_add(struct led *led, uint32_t n);
"""
USE = """#![no_std]
#[allow(nonstandard_style, unused)]
mod led {
    include!(env!("LED_BINDINGS"));
}
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    let mut led = led::led { pin: 1, level: 37 };
    // SAFETY: C's functions take any led.
    unsafe {
        led::led_add(&mut led, led::LED_STEP as u32);
        led::led_add(&mut led, led::LED_STEP as u32);
        #[cfg(CONFIG_LED_RED)]
        { (led::led_level(&led) + led::led_count) as i32 + 8 - led::CONFIG_LED_COUNT as i32 }
    }
}
"""
CONFIG = '{ "LED_RED": true, "LED_COUNT": "8" }'


def test_a_crate_calls_a_C_library_by_bindings_of_its_headers():
    project = Project(
        "binds",
        """
add_library(led STATIC led.c)
target_include_directories(led PUBLIC include)
# As add_config_library() of seL4's build makes one.
add_library(led_Config INTERFACE)
target_include_directories(led_Config INTERFACE ${CMAKE_SOURCE_DIR}/config)
target_link_libraries(led PUBLIC led_Config)
add_library(lamp INTERFACE)
target_include_directories(lamp INTERFACE lamp)
target_link_libraries(lamp INTERFACE led)
add_rust_library(greeter BINDS led)
"""
        + LINK,
        {
            **crate("greeter", USE, f'[build-dependencies]\nlibsel4-cfg = {{ path = "{KIT}/rust/libsel4-cfg" }}\n'),
            "build.rs": "fn main() { libsel4_cfg::emit(); }\n",
            "include/led.h": LED,
            # One that needs another, which comes later by its name, and one that no order helps.
            "include/early.h": "static inline uint32_t led_early(struct led *led) { return led->level; }\n",
            "include/old.h": "#error old\n",
            "config/gen_config.h": "#define CONFIG_LED_RED 1\n#define CONFIG_LED_COUNT 8\n",
            "config/led/gen_config.json": CONFIG,
            "lamp/lamp.h": "#include <led.h>\nstruct lamp { struct led led[2]; };\n",
            "led.c": """#include <led.h>
uint32_t led_count = 1;
void led_add(struct led *led, uint32_t n) { led->level += n; }
""",
            "main.c": MAIN,
        },
    )
    project.lock()
    project.works()
    bindings = (project.build / "rust" / "bindings" / "led" / "bindings.rs").read_text()
    check_says(
        bindings,
        "fn led_early",
        *(
            f"// * `{line}"
            for line in (
                "<old.h>` does not compile: ",
                "led_mine` is thread-local",
                "led_log()` is an inline function",
                "LED_BIT(…)` is a macro with arguments",
                "LED_NONE` is a macro, and its value is neither",
            )
        ),
    )
    project.edit("include/led.h", "LED_STEP 2", "LED_STEP 3")
    project.ninja()
    project.prints("44")
    # A library without a folder stands for those that it links: one module, and each type once.
    project.edit(
        "CMakeLists.txt",
        "BINDS led)",
        "BINDS both)\nadd_library(both INTERFACE)\ntarget_link_libraries(both INTERFACE led lamp)",
    )
    project.edit("src/lib.rs", "LED_BINDINGS", "BOTH_BINDINGS")
    project.edit(
        "src/lib.rs",
        "let mut led = led::led { pin: 1, level: 37 };",
        "let mut led = led::lamp { led: [led::led { pin: 1, level: 37 }; 2] }.led[0];",
    )
    project.ninja()
    project.prints("44")
    project.edit("CMakeLists.txt", "BINDS both", "BINDS lantern")
    project.ninja_fails(says=("BINDS `lantern`, which is not a target", "Help: name a C library of the project"))


BOXED = f"""{GREETER}
extern crate alloc;

/// A number from the heap.
#[unsafe(no_mangle)]
pub extern "C" fn boxed() -> i32 {{
    *alloc::boxed::Box::new(42)
}}
"""
PRESETS = """{
  "version": 3,
  "configurePresets": [
    {
      "name": "unity", "generator": "Ninja", "binaryDir": "${sourceDir}/../build",
      "cacheVariables": {
        "KIT": "%s", "CMAKE_BUILD_TYPE": "Debug", "CMAKE_UNITY_BUILD": "ON", "CMAKE_EXPORT_COMPILE_COMMANDS": "ON"
      }
    }
  ]
}
"""


def test_presets_unity_builds_and_a_list_of_commands():
    project = Project(
        "presets",
        "add_rust_library(greeter)\nadd_executable(main main.c other.c)\ntarget_link_libraries(main PRIVATE greeter)\n",
        {
            **crate("greeter", BOXED),
            "main.c": MAIN.replace("answer()", "answer() + boxed() - other()"),
            "other.c": "#include <greeter.h>\nint other(void) { return answer(); }\n",
            "CMakePresets.json": PRESETS % KIT,
        },
    )
    project.edit("main.c", "int main", "int other(void);\nint main")
    run("cmake", "--preset", "unity", corrosion(), cwd=project.source)
    project.ninja()
    project.prints("42")
    check(list(project.build.rglob("main.dir/Unity/*.c")), "the executable is not built as one")
    # Each command of the list works as it stands, for tools that read it.
    commands = json.loads((project.build / "compile_commands.json").read_text())
    ours = [entry for entry in commands if "libsel4-rt" in entry["command"] or "sel4_rust" in entry["command"]]
    check(ours, f"there is no command of the runtime: {commands}")
    for entry in commands:
        run("sh", "-c", f"{entry['command']} -fsyntax-only", cwd=entry["directory"])


def test_cargos_own_settings_leave_what_the_kit_needs():
    """Files and variables of cargo, which the user's other projects need."""
    project = one_library(
        "settings",
        files={
            ".cargo/config.toml": "[build]\ntarget-dir = 'elsewhere'\nrustflags = ['--cfg=general']\n"
            "[target.x86_64-unknown-linux-musl]\nrustflags = ['--cfg=special']\n"
            "[profile.dev]\npanic = 'unwind'\nopt-level = 1\n",
            "wrapper": '#!/bin/sh\necho "$@" >> "${0%/*}/wrapped"\nexec "$@"\n',
        },
    )
    (project.source / "wrapper").chmod(0o755)
    for name, value in (
        ("CARGO_BUILD_RUSTFLAGS", "--cfg one"),
        ("RUSTFLAGS", "--cfg two"),
        ("CARGO_ENCODED_RUSTFLAGS", "--cfg\x1fthree"),
    ):
        project.configure(env={name: value})
        config = (project.build / "rust" / "main" / ".cargo" / "config.toml").read_text()
        cfg = re.split("[ \x1f]", value)[1]
        check(f'"--cfg", "{cfg}", "--cfg=sel4"' in config, f"{name} in:\n{config}")
    project.configure()
    variables = {
        "RUSTC_WRAPPER": str(project.source / "wrapper"),
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS": "--cfg=late",
        "CARGO_PROFILE_DEV_OPT_LEVEL": "z",
        "CARGO_PROFILE_DEV_DEBUG_ASSERTIONS": "false",
        "CARGO_BUILD_TARGET_DIR": "elsewhere",
    }
    project.ninja(env=variables)
    project.prints("42")
    calls = (project.source / "wrapped").read_text()
    call = next(line for line in calls.splitlines() if "--crate-name greeter" in line)
    check_says(call, "panic=abort", "opt-level=1", "--cfg=special", "--cfg=sel4", "relocation-model=static")
    wrong = [flag for flag in ("=late", "opt-level=z", "debug-assertions=off", "elsewhere") if flag in call]
    check(not wrong, f"{wrong} of the environment in:\n{call}")
    check(not (project.source / "elsewhere").exists(), "`target-dir` counts")


def test_clang_compiles_for_the_target_that_CMake_gives_it():
    head = HEAD.replace("KernelSel4Arch x86_64", "KernelSel4Arch aarch64")
    project = Project("clang", ADD, {**crate("greeter"), "main.c": MAIN}, head)
    clang = ["-DCMAKE_C_COMPILER=clang", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"]
    project.configure(*clang, "-DCMAKE_C_COMPILER_TARGET=aarch64-linux-gnu")
    request = (project.build / "rust" / "requests" / "greeter.crate.toml").read_text()
    check_says(request, "--target=aarch64-linux-gnu")
