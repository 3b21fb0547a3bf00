# SPDX-License-Identifier: BSD-2-Clause
"""One Rust world per executable, however its Rust libraries come into it."""

import re

import pytest
from build.project import ADD, MAIN, Project, crate, exports, one_library, program
from build.vendored import locked, vendored
from support import check, check_says, run

pytestmark = [pytest.mark.needs("kernel", "rust", "aarch64", "x86_64"), pytest.mark.weight(140)]

LOG = '[dependencies]\nlog = { version = "0.4", default-features = false }\n'


def function(name, body, manifest=""):
    """A crate in a folder of its own that exports one function called as it is."""
    source = f"""#![no_std]
#[unsafe(no_mangle)]
pub extern "C" fn {name}() -> i32 {{ {body} }}
"""
    return crate(name, source, manifest, name)


def prints(*functions):
    """A C program that prints what each function gives; it includes the header of each."""
    calls = " ".join(f'printf("%d\\n", {name}());' for name in functions)
    return program(calls, *(f"{name}.h" for name in functions))


# A C library that calls Rust, one that calls this, and the caller of both.
LIBRARIES = {
    "library.h": "int library(void);\nint outer(void);\n",
    "library.c": "#include <greeter.h>\n#include <library.h>\nint library(void) { return answer(); }\n",
    "outer.c": "#include <library.h>\nint outer(void) { return library(); }\n",
}
CALLS_LIBRARY = program('printf("%d\\n", library());', "library.h")
CALLS_OUTER = program('printf("%d\\n", outer());', "library.h")


LINKED = (
    pytest.param(
        program('printf("%d\\n", library() + answer() - 42);', "library.h", "greeter.h"),
        """
add_library(library STATIC library.c)
target_link_libraries(library PUBLIC greeter)
add_executable(main main.c)
target_link_libraries(main PRIVATE library)
""",
        id="through a static library, PUBLIC",
    ),
    pytest.param(
        CALLS_LIBRARY,
        """
add_library(library STATIC library.c)
target_link_libraries(library PRIVATE greeter)
add_executable(main main.c)
target_link_libraries(main PRIVATE library)
""",
        id="through a static library, PRIVATE",
    ),
    pytest.param(
        CALLS_OUTER,
        """
add_library(library STATIC library.c)
target_link_libraries(library PRIVATE greeter)
add_library(outer STATIC outer.c)
target_link_libraries(outer PRIVATE library)
add_executable(main main.c)
target_link_libraries(main PRIVATE outer)
""",
        id="through a chain of static libraries",
    ),
    pytest.param(
        CALLS_OUTER,
        """
add_library(library STATIC library.c)
add_library(outer STATIC outer.c)
target_link_libraries(library PRIVATE greeter outer)
target_link_libraries(outer PRIVATE library)
add_executable(main main.c)
target_link_libraries(main PRIVATE outer)
""",
        id="through two libraries that need each other",
    ),
    pytest.param(
        CALLS_LIBRARY,
        """
add_library(library OBJECT library.c)
target_link_libraries(library PUBLIC greeter)
add_executable(main main.c)
target_link_libraries(main PRIVATE library)
""",
        id="through an object library",
    ),
    pytest.param(
        MAIN,
        """
add_library(rust INTERFACE)
target_link_libraries(rust INTERFACE greeter)
add_executable(main main.c)
target_link_libraries(main PRIVATE rust)
""",
        id="through an interface library",
    ),
    pytest.param(
        MAIN,
        """
add_library(kit::rust ALIAS greeter)
add_executable(main main.c)
target_link_libraries(main PRIVATE kit::rust)
""",
        id="through an alias",
    ),
    pytest.param(
        MAIN,
        """
add_executable(main main.c)
target_link_libraries(main PRIVATE $<$<BOOL:ON>:$<TARGET_NAME_IF_EXISTS:greeter>> $<$<BOOL:OFF>:nothing>)
""",
        id="in a generator expression",
    ),
    pytest.param(
        MAIN,
        """
add_executable(main main.c)
target_link_libraries(main debug greeter optimized greeter general m)
""",
        id="for one configuration",
    ),
    pytest.param(
        MAIN,
        """
add_executable(main main.c)
target_link_libraries(main greeter)
""",
        id="with the plain signature",
    ),
    pytest.param(
        MAIN,
        """
link_libraries(greeter)
add_executable(main main.c)
""",
        id="by link_libraries()",
    ),
    pytest.param(
        MAIN,
        """
add_executable(main main.c)
set_property(TARGET main APPEND PROPERTY LINK_LIBRARIES greeter)
""",
        id="by a property",
    ),
    pytest.param(
        MAIN.replace("greeter.h", "later.h"),
        """
add_executable(main main.c)
target_link_libraries(main PRIVATE later)
add_rust_library(later)
""",
        id="that is added later",
    ),
    pytest.param(
        program('printf("%d\\n", answer() + static_cast<int>(std::string().size()));', "string", "greeter.h"),
        """
enable_language(CXX)
set_source_files_properties(main.c PROPERTIES LANGUAGE CXX)
add_executable(main main.c)
target_link_libraries(main PRIVATE greeter)
""",
        id="in C++",
    ),
)


@pytest.mark.parametrize(("main", "cmake"), LINKED)
def test_an_executable_links_Rust(main, cmake):
    project = Project(
        "project", ADD + "include_directories(.)\n" + cmake, {**crate("greeter"), **LIBRARIES, "main.c": main}
    )
    project.works()


def test_an_executable_links_two_Rust_libraries_and_a_third_behind_one():
    project = Project(
        "two and one",
        """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_rust_library(three MANIFEST_PATH three/Cargo.toml)
target_link_libraries(two INTERFACE three)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""",
        {
            **function("one", "1"),
            **function("two", "2"),
            **function("three", "3"),
            "main.c": prints("one", "two", "three"),
        },
    )
    project.works("1\n2\n3")


def test_Rust_calls_a_C_library_that_calls_Rust():
    project = Project(
        "C behind Rust",
        """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_library(behind STATIC behind.c)
target_link_libraries(one INTERFACE behind)
target_link_libraries(behind PRIVATE one)
add_executable(main main.c)
target_link_libraries(main PRIVATE one)
""",
        {
            **crate(
                "one",
                """#![no_std]
unsafe extern "C" {
    safe fn behind() -> i32;
}
#[unsafe(no_mangle)]
pub extern "C" fn one() -> i32 { 2 * behind() }
#[unsafe(no_mangle)]
pub extern "C" fn base() -> i32 { 7 }
""",
                folder="one",
            ),
            "behind.c": "#include <one.h>\nint behind(void);\nint behind(void) { return 3 * base(); }\n",
            "main.c": prints("one"),
        },
    )
    project.works("42")


def test_a_static_of_a_crate_that_two_libraries_use_is_one():
    counter = (
        "#![no_std]\nuse core::sync::atomic::{AtomicI32, Ordering};\nstatic LAST: AtomicI32 = AtomicI32::new(0);\n"
        "pub fn next() -> i32 { LAST.fetch_add(1, Ordering::Relaxed) + 1 }\n"
    )
    depend = '[dependencies]\ncounter = { path = "../counter" }\n'
    for build_type in ("Debug", "Release"):
        project = Project(
            f"shared static {build_type}",
            """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""",
            {
                **crate("counter", counter, "", "counter"),
                **function("one", "counter::next()", depend),
                **function("two", "10 * counter::next()", depend),
                "main.c": prints("one", "two"),
            },
        )
        project.lock("one")
        project.lock("two")
        project.works("1\n20", arguments=[f"-DCMAKE_BUILD_TYPE={build_type}"])


def test_of_the_alternatives_in_an_expression_the_one_that_is_taken_counts():
    project = Project(
        "alternatives",
        """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_rust_library(three MANIFEST_PATH three/Cargo.toml)
set(board zynqmp)
add_library(behind INTERFACE)
target_link_libraries(behind INTERFACE $<$<NOT:$<STREQUAL:${board},zynqmp>>:two> $<$<BOOL:${board}>:$<BUILD_INTERFACE:three>>)
add_executable(main main.c)
target_link_libraries(main PRIVATE $<IF:$<OR:$<CONFIG:debug>,$<TARGET_EXISTS:nothing>>,one,two> behind)
""",
        {
            **function("one", "1"),
            **function("two", "2"),
            **function("three", "3"),
            "main.c": prints("one", "three"),
        },
    )
    output = project.configure("-DCMAKE_BUILD_TYPE=Debug")
    check_says(output, "Rust in main: one, three\n")
    output = project.configure("-DCMAKE_BUILD_TYPE=Release")
    check_says(output, "Rust in main: three, two\n")
    project.works("1\n3", arguments=["-DCMAKE_BUILD_TYPE=Debug"])


def test_each_executable_gets_its_own_and_nothing_else():
    project = Project(
        "own bundles",
        """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_subdirectory(programs)
""",
        {
            **function("one", "1"),
            **function("two", "2"),
            "programs/one.c": prints("one"),
            "programs/two.c": prints("two"),
            "programs/none.c": program(""),
            "programs/CMakeLists.txt": """
foreach(name one two)
    add_executable(main_${name} ${name}.c)
    target_link_libraries(main_${name} PRIVATE ${name})
endforeach()
add_executable(main_none none.c)
""",
        },
    )
    project.works("1", "programs/main_one")
    project.prints("2", "programs/main_two")
    archives = {path.name: exports(path) for path in project.build.glob("rust/*/*.a")}
    assert sorted(archives) == ["libsel4_rust_main_one.a", "libsel4_rust_main_two.a"], (
        f"the archives are {sorted(archives)}"
    )
    assert {"one", "two"} & archives["libsel4_rust_main_one.a"] == {"one"}, "main_one's archive holds something else"
    assert {"one", "two"} & archives["libsel4_rust_main_two.a"] == {"two"}, "main_two's archive holds something else"


def test_executables_with_the_same_libraries_share_an_archive_and_have_heaps_of_their_own():
    """Five programs of two libraries: one run of cargo, five sizes. A sixth panics in another way."""
    room = """#![no_std]
extern crate alloc;
/// The largest of some blocks that the heap has room for, of the order of its size.
#[unsafe(no_mangle)]
pub extern "C" fn room() -> usize {
    let fits = |bytes: &usize| alloc::vec::Vec::<u8>::new().try_reserve_exact(*bytes).is_ok();
    (1..400).map(|n| n * 1000).take_while(fits).last().unwrap_or(0)
}
"""
    sizes = {"shell": 20000, "pager": 64000, "clock": 150000, "net": 250000, "files": 390000}
    names = " ".join(sizes)
    heaps = "".join(f"sel4_rust_heap({name} BYTES {size})\n" for name, size in sizes.items())
    project = Project(
        "shared archive",
        f"""
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
foreach(name {names} fault)
    add_executable(${{name}} main.c)
    target_link_libraries(${{name}} PRIVATE one two)
endforeach()
{heaps}set_target_properties(fault PROPERTIES RUST_PANIC fault)
add_subdirectory(other)
""",
        {
            **function("one", "1"),
            **crate("two", room, folder="two"),
            "main.c": program('printf("%zu\\n", room() + one() - 1);', "one.h", "two.h"),
            # A folder with flags of its own has its own archive and runtime.
            "other/CMakeLists.txt": "add_compile_options(-fno-omit-frame-pointer -DOTHER)\nadd_executable(other main.c)\n"
            "target_link_libraries(other PRIVATE one two)\n",
            "other/main.c": program('printf("%zu\\n", room());', "two.h"),
        },
    )
    project.configure()
    output = project.ninja("-j1", "-v")
    runs = re.findall(r"Compiling sel4_rust_(\w+) ", output)
    check(sorted(runs) == ["fault", "other", "shell"], f"cargo has compiled {runs}")
    archives = sorted(path.name for path in project.build.glob("rust/*/*.a"))
    check(archives == [f"libsel4_rust_{name}.a" for name in ("fault", "other", "shell")], f"the archives: {archives}")
    for name, size in sizes.items():
        found = int(run(project.build / name))
        check(size - 2000 <= found <= size, f"`{name}` has room for {found} of {size} bytes")
    # The runtime's C is compiled as its executable is.
    commands = [line for line in output.splitlines() if "libsel4-rt/c/lock.c" in line and " -c " in line]
    flagged = ["-DOTHER" in line and "-fno-omit-frame-pointer" in line for line in commands]
    check(sorted(flagged) == [False, True], f"the runtime is compiled by {commands}")
    project.edit("CMakeLists.txt", "net BYTES 250000", "net BYTES 2500")
    output = project.ninja("-j1")
    check("Compiling" not in output, f"another heap compiles Rust again:\n{output}")
    check(int(run(project.build / "net")) < 2500, "the heap has the old size")


def test_executables_with_similar_names_keep_apart():
    project = Project(
        "similar names",
        """
add_rust_library(greeter)
foreach(name a-b a_b a.b)
    add_executable(${name} main.c)
    target_link_libraries(${name} PRIVATE greeter)
endforeach()
""",
        {**crate("greeter"), "main.c": MAIN},
    )
    project.works("42", "a-b")
    project.prints("42", "a_b")
    project.prints("42", "a.b")


def test_a_library_that_nobody_links_builds_nothing():
    project = Project(
        "nobody", ADD + "add_executable(main main.c)\n", {**crate("greeter"), "main.c": program('puts("alone");')}
    )
    project.configure()
    output = project.ninja()
    assert "Rust" not in output and "Compiling" not in output, f"something of Rust is built:\n{output}"
    project.prints("alone")


def test_an_executable_that_all_does_not_build_costs_nothing():
    project = Project(
        "not in all",
        """
add_rust_library(greeter)
add_executable(main EXCLUDE_FROM_ALL main.c)
target_link_libraries(main PRIVATE greeter)
""",
        {**crate("greeter"), "main.c": MAIN},
    )
    project.configure()
    output = project.ninja()
    assert "Compiling" not in output, f"something of Rust is built:\n{output}"
    project.ninja("main")
    project.prints("42")


def with_versions(name, one, two):
    """Two libraries, each with a lock of its own that takes `little` at another version."""
    sources = {
        "1.0.1": "#![no_std]\npub const NUMBER: i32 = 1;\n",
        "1.0.2": "#![no_std]\npub const NUMBER: i32 = 2;\n",
        "2.0.3": "#![no_std]\npub const NUMBER: i32 = 3;\n",
    }
    project = Project(
        name,
        """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""",
        {
            **vendored({"little": sources}),
            **function("one", "little::NUMBER", f'[dependencies]\nlittle = "{one}"\n'),
            **function("two", "10 * little::NUMBER", f'[dependencies]\nlittle = "{two}"\n'),
            "main.c": prints("one", "two"),
        },
    )
    project.lock("one")
    project.lock("two")
    return project


def test_locks_with_compatible_versions_of_a_crate_agree_on_the_higher():
    project = with_versions("compatible", "1", "1")
    project.edit("one/Cargo.lock", locked("little", "1.0.2"), locked("little", "1.0.1"))
    project.works("2\n20")


def test_locks_with_incompatible_versions_of_a_crate_keep_both():
    with_versions("incompatible", "1", "2").works("2\n30")


def test_versions_that_cannot_be_joined_are_an_error_that_names_the_libraries():
    project = with_versions("contradiction", "=1.0.1", "=1.0.2")
    project.configure_fails(
        says=("the Rust libraries `one`, `two` cannot be built together", "little", "make the requirements")
    )


def test_two_packages_of_one_name_in_one_executable_are_refused():
    project = Project(
        "namesakes",
        """
add_rust_library(one MANIFEST_PATH a/Cargo.toml)
add_rust_library(two MANIFEST_PATH b/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""",
        {**crate("same", folder="a"), **crate("same", folder="b"), "main.c": program("")},
    )
    project.configure_fails(
        says=("two packages are called `same` 0.1.0", "/a/Cargo.toml", "/b/Cargo.toml", "another name or version")
    )


def test_Rust_and_C_share_no_more_than_the_runtime_says():
    """Panics, the heap and the log work in an ordinary program too: they call C's library only."""
    source = """#![no_std]
extern crate alloc;
/// Uses the heap and the log, and panics.
#[unsafe(no_mangle)]
pub extern "C" fn runtime(n: u32) -> u32 {
    let all: alloc::vec::Vec<u32> = (0..n).collect();
    log::warn!("{} numbers", all.len());
    all[n as usize]
}
"""
    project = one_library("runtime", source, LOG, program('printf("C first\\n"); runtime(10);', "greeter.h"))
    project.lock()
    project.configure()
    project.ninja()
    output = run(project.build / "main", status=-6)
    check_says(output, "Rust panicked at src/lib.rs:8", "index out of bounds: the len is 10 but the index is 10")
    said = [output.find(words) for words in ("C first", "10 numbers", "Rust panicked")]
    assert -1 not in said and said == sorted(said), f"the order is wrong:\n{output}"


def test_Rust_touches_no_stream_of_C():
    """C locks its streams only in programs with pthread_create, so a flush by Rust would race with another thread's printf."""
    source = """#![no_std]
/// Logs.
#[unsafe(no_mangle)]
pub extern "C" fn tell() {
    log::info!("by Rust");
}
"""
    body = 'static char room[4096]; setvbuf(stdout, room, _IOFBF, sizeof room); printf("by C\\n"); tell();'
    project = one_library("streams", source, LOG, program(body, "greeter.h"))
    project.lock()
    # What C buffers by its own will stays in C's buffer.
    project.works("[INFO  greeter] by Rust\nby C")
    listing = run("nm", "--undefined-only", project.build / "rust" / "main" / "libsel4_rust_main.a")
    assert "sel4_rust_rt_write" in listing and "fflush" not in listing, listing


def test_options_take_effect_in_a_build_folder_that_is_configured_already():
    source = """#![no_std]
extern crate alloc;
/// As many bytes as asked for, 0 if there is no room.
#[unsafe(no_mangle)]
pub extern "C" fn room(n: usize) -> usize {
    log::info!("asked for {n}");
    let mut all = alloc::vec::Vec::<u8>::new();
    all.try_reserve_exact(n).map_or(0, |()| all.capacity())
}
"""
    project = one_library("options", source, LOG, program('printf("%zu\\n", room(100000));', "greeter.h"))
    project.lock()
    asked = "[INFO  greeter] asked for 100000\n"
    project.works(asked + "100000")
    project.works(asked + "0", arguments=["-DRUST_HEAP_BYTES=50000"])
    project.works("0", arguments=["-DRUST_LOG_LEVEL=warn"])
    project.works("100000", arguments=["-DRUST_HEAP=muslc"])
    project.works("0", arguments=["-DRUST_HEAP=linked-list"])
    project.works(
        asked + "100000", arguments=["-DRUST_HEAP=rlsf", "-DRUST_HEAP_BYTES=200000", "-DRUST_LOG_LEVEL=trace"]
    )


def test_a_crate_may_install_its_own_logger():
    source = """#![no_std]
use core::ffi::{CStr, c_char, c_int};
unsafe extern "C" {
    fn puts(text: *const c_char) -> c_int;
}
struct Logger;
impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }
    fn log(&self, record: &log::Record) {
        let line: &CStr = if record.level() == log::Level::Info { c"mine: info" } else { c"mine: another" };
        // SAFETY: the text ends in a 0.
        unsafe { puts(line.as_ptr()) };
    }
    fn flush(&self) {}
}
/// Installs the logger, and logs.
#[unsafe(no_mangle)]
pub extern "C" fn start() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    log::info!("hello");
    log::debug!("below the level");
}
"""
    project = one_library("own logger", source, LOG, program("start();", "greeter.h"))
    project.lock()
    # The panic, where the runtime's logger is there first, is what the option is for.
    project.configure()
    project.ninja()
    check_says(run(project.build / "main", status=-6), "Rust panicked at src/lib.rs:", "SetLoggerError")
    project.works("mine: info", arguments=["-DRUST_LOGGER=none"])
