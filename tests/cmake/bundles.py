# SPDX-License-Identifier: BSD-2-Clause
"""One Rust world per executable, however its Rust libraries come into it."""

from kit import case, check, check_says, run
from project import MAIN, Project, crate, exports
from vendored import locked, vendored

FUNCTION = """#![no_std]
#[unsafe(no_mangle)]
pub extern "C" fn {name}() -> i32 {{ {body} }}
"""


def function(name, body, manifest=""):
    """A crate in a folder of its own that exports one function called as it is."""
    return crate(name, FUNCTION.format(name=name, body=body), manifest, name)


def prints(*functions):
    """A C program that prints what each function gives; it includes the header of each."""
    includes = "".join(f"#include <{name}.h>\n" for name in functions)
    calls = "".join(f'    printf("%d\\n", {name}());\n' for name in functions)
    return f"#include <stdio.h>\n{includes}int main(void)\n{{\n{calls}    return 0;\n}}\n"


LIBRARY = {"library.h": "int library(void);\n", "library.c": "#include <greeter.h>\n#include <library.h>\nint library(void) { return answer(); }\n"}
CALLER = '#include <stdio.h>\n#include <library.h>\nint main(void) { printf("%d\\n", library()); return 0; }\n'


def links(about, cmake, main):
    project = Project(f"links {about}", "add_rust_library(greeter)\ninclude_directories(.)\n" + cmake, {**crate("greeter"), **LIBRARY, "main.c": main})
    project.works()


def row(about, cmake, main=CALLER):
    case(links, about, cmake, main, name=f"an executable links Rust {about}")


row("through a static library, PUBLIC", "add_library(library STATIC library.c)\ntarget_link_libraries(library PUBLIC greeter)\n"
    "add_executable(main main.c)\ntarget_link_libraries(main PRIVATE library)\n", CALLER.replace("<library.h>", "<library.h>\n#include <greeter.h>"))
row("through a static library, PRIVATE", "add_library(library STATIC library.c)\ntarget_link_libraries(library PRIVATE greeter)\n"
    "add_executable(main main.c)\ntarget_link_libraries(main PRIVATE library)\n")
row("through a chain of static libraries", "add_library(library STATIC library.c)\ntarget_link_libraries(library PRIVATE greeter)\n"
    "add_library(outer STATIC outer.c)\ntarget_link_libraries(outer PRIVATE library)\nfile(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/outer.c "
    "\"int library(void); int outer(void) { return library(); }\n\")\nadd_executable(main main.c)\n"
    "target_link_libraries(main PRIVATE outer)\n", MAIN.replace("#include <greeter.h>", "int outer(void);").replace("answer", "outer"))
row("through two libraries that need each other", "add_library(library STATIC library.c)\nadd_library(base STATIC base.c)\n"
    "target_link_libraries(library PRIVATE greeter base)\ntarget_link_libraries(base PRIVATE library)\nfile(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/base.c "
    "\"int base;\\n\")\nadd_executable(main main.c)\ntarget_link_libraries(main PRIVATE base)\n")
row("through an object library", "add_library(library OBJECT library.c)\ntarget_link_libraries(library PUBLIC greeter)\n"
    "add_executable(main main.c)\ntarget_link_libraries(main PRIVATE library)\n")
row("through an interface library", "add_library(rust INTERFACE)\ntarget_link_libraries(rust INTERFACE greeter)\n"
    "add_executable(main main.c)\ntarget_link_libraries(main PRIVATE rust)\n", MAIN)
row("through an alias", "add_library(kit::greeter ALIAS greeter)\nadd_executable(main main.c)\ntarget_link_libraries(main PRIVATE kit::greeter)\n", MAIN)
row("in a generator expression", "add_executable(main main.c)\n"
    "target_link_libraries(main PRIVATE $<$<BOOL:ON>:$<TARGET_NAME_IF_EXISTS:greeter>> $<$<BOOL:OFF>:nothing>)\n", MAIN)
row("for one configuration", "add_executable(main main.c)\ntarget_link_libraries(main debug greeter optimized greeter general m)\n", MAIN)
row("with the plain signature", "add_executable(main main.c)\ntarget_link_libraries(main greeter)\n", MAIN)
row("by link_libraries()", "link_libraries(greeter)\nadd_executable(main main.c)\n", MAIN)
row("by a property", "add_executable(main main.c)\nset_property(TARGET main APPEND PROPERTY LINK_LIBRARIES greeter)\n", MAIN)
row("that is added later", "add_executable(main main.c)\ntarget_link_libraries(main PRIVATE later)\nadd_rust_library(later)\n",
    MAIN.replace("greeter.h", "later.h"))
row("in C++", "enable_language(CXX)\nconfigure_file(main.c main.cpp COPYONLY)\nadd_executable(main ${CMAKE_CURRENT_BINARY_DIR}/main.cpp)\n"
    "target_link_libraries(main PRIVATE greeter)\n", MAIN.replace("<stdio.h>", "<cstdio>\n#include <string>").replace("return 0", 'return std::string("x").size() - 1'))


@case
def an_executable_links_two_Rust_libraries_and_a_third_behind_one():
    project = Project("two and one", """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_rust_library(three MANIFEST_PATH three/Cargo.toml)
target_link_libraries(two INTERFACE three)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""", {**function("one", "1"), **function("two", "2"), **function("three", "3"), "main.c": prints("one", "two", "three")})
    project.works("1\n2\n3")


@case
def Rust_calls_a_C_library_that_calls_Rust():
    project = Project("C behind Rust", """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_library(behind STATIC behind.c)
target_link_libraries(one INTERFACE behind)
target_link_libraries(behind PRIVATE one)
add_executable(main main.c)
target_link_libraries(main PRIVATE one)
""", {**crate("one", """#![no_std]
unsafe extern "C" {
    safe fn behind() -> i32;
}
#[unsafe(no_mangle)]
pub extern "C" fn one() -> i32 { 2 * behind() }
#[unsafe(no_mangle)]
pub extern "C" fn base() -> i32 { 7 }
""", folder="one"), "behind.c": "#include <one.h>\nint behind(void);\nint behind(void) { return 3 * base(); }\n", "main.c": prints("one")})
    project.works("42")


@case
def a_static_of_a_crate_that_two_libraries_use_is_one():
    counter = '#![no_std]\nuse core::sync::atomic::{AtomicI32, Ordering};\nstatic LAST: AtomicI32 = AtomicI32::new(0);\n' \
              'pub fn next() -> i32 { LAST.fetch_add(1, Ordering::Relaxed) + 1 }\n'
    depend = '[dependencies]\ncounter = { path = "../counter" }\n'
    for build_type in ("Debug", "Release"):
        project = Project(f"shared static {build_type}", """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""", {**crate("counter", counter, "", "counter"), **function("one", "counter::next()", depend), **function("two", "10 * counter::next()", depend),
      "main.c": prints("one", "two")})
        project.lock("one")
        project.lock("two")
        project.works("1\n20", arguments=[f"-DCMAKE_BUILD_TYPE={build_type}"])


@case
def each_executable_gets_its_own_and_nothing_else():
    project = Project("own bundles", """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_subdirectory(programs)
""", {**function("one", "1"), **function("two", "2"), "programs/one.c": prints("one"), "programs/two.c": prints("two"), "programs/none.c": "int main(void) { return 0; }\n",
      "programs/CMakeLists.txt": "foreach(name one two)\nadd_executable(main_${name} ${name}.c)\n"
                                 "target_link_libraries(main_${name} PRIVATE ${name})\nendforeach()\nadd_executable(main_none none.c)\n"})
    project.works("1", "programs/main_one")
    project.prints("2", "programs/main_two")
    archives = {path.name: exports(path) for path in project.build.glob("rust/*/*.a")}
    check(sorted(archives) == ["libsel4_rust_main_one.a", "libsel4_rust_main_two.a"], f"the archives are {sorted(archives)}")
    check({"one", "two"} & archives["libsel4_rust_main_one.a"] == {"one"}, "main_one's archive holds something else")
    check({"one", "two"} & archives["libsel4_rust_main_two.a"] == {"two"}, "main_two's archive holds something else")


@case
def executables_with_similar_names_keep_apart():
    project = Project("similar names", """
add_rust_library(greeter)
foreach(name a-b a_b a.b)
add_executable(${name} main.c)
target_link_libraries(${name} PRIVATE greeter)
endforeach()
""", {**crate("greeter"), "main.c": MAIN})
    project.works("42", "a-b")
    project.prints("42", "a_b")
    project.prints("42", "a.b")


@case
def a_library_that_nobody_links_builds_nothing():
    project = Project("nobody", "add_rust_library(greeter)\nadd_executable(main main.c)\n", {
        **crate("greeter"), "main.c": '#include <stdio.h>\nint main(void) { puts("alone"); return 0; }\n'})
    project.configure()
    output = project.ninja()
    check("Rust" not in output and "Compiling" not in output, f"something of Rust is built:\n{output}")
    project.prints("alone")


@case
def an_executable_that_all_does_not_build_costs_nothing():
    project = Project("not in all", """
add_rust_library(greeter)
add_executable(main EXCLUDE_FROM_ALL main.c)
target_link_libraries(main PRIVATE greeter)
""", {**crate("greeter"), "main.c": MAIN})
    project.configure()
    output = project.ninja()
    check("Compiling" not in output, f"something of Rust is built:\n{output}")
    project.ninja("main")
    project.prints("42")


def with_versions(name, one, two):
    """Two libraries, each with a lock of its own that takes `little` at another version."""
    sources = {"1.0.1": "#![no_std]\npub const NUMBER: i32 = 1;\n", "1.0.2": "#![no_std]\npub const NUMBER: i32 = 2;\n",
               "2.0.3": "#![no_std]\npub const NUMBER: i32 = 3;\n"}
    project = Project(name, """
add_rust_library(one MANIFEST_PATH one/Cargo.toml)
add_rust_library(two MANIFEST_PATH two/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""", {**vendored({"little": sources}), **function("one", "little::NUMBER", f'[dependencies]\nlittle = "{one}"\n'),
      **function("two", "10 * little::NUMBER", f'[dependencies]\nlittle = "{two}"\n'), "main.c": prints("one", "two")})
    project.lock("one")
    project.lock("two")
    return project


@case
def locks_with_compatible_versions_of_a_crate_agree_on_the_higher():
    project = with_versions("compatible", "1", "1")
    project.edit("one/Cargo.lock", locked("little", "1.0.2"), locked("little", "1.0.1"))
    project.works("2\n20")


@case
def locks_with_incompatible_versions_of_a_crate_keep_both():
    with_versions("incompatible", "1", "2").works("2\n30")


@case
def versions_that_cannot_be_joined_are_an_error_that_names_the_libraries():
    project = with_versions("contradiction", "=1.0.1", "=1.0.2")
    project.configure_fails(says=("the Rust libraries `one`, `two` cannot be built together", "little", "make the requirements"))


@case
def two_packages_of_one_name_in_one_executable_are_refused():
    project = Project("namesakes", """
add_rust_library(one MANIFEST_PATH a/Cargo.toml)
add_rust_library(two MANIFEST_PATH b/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE one two)
""", {**crate("same", folder="a"), **crate("same", folder="b"), "main.c": "int main(void) { return 0; }\n"})
    project.configure_fails(says=("two packages are called `same` 0.1.0", "/a/Cargo.toml", "/b/Cargo.toml", "another name or version"))


@case
def Rust_and_C_share_no_more_than_the_runtime_says():
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
    project = Project("runtime", "add_rust_library(greeter)\nadd_executable(main main.c)\ntarget_link_libraries(main PRIVATE greeter)\n", {
        **crate("greeter", source, '[dependencies]\nlog = { version = "0.4", default-features = false }\n'),
        "main.c": '#include <stdio.h>\n#include <greeter.h>\nint main(void) { printf("C first\\n"); return runtime(10); }\n'})
    project.lock()
    project.configure()
    project.ninja()
    output = run(project.build / "main", status=-6)
    check_says(output, "C first", "10 numbers", "Rust panicked at src/lib.rs:8", "index out of bounds: the len is 10 but the index is 10")
    check(output.index("C first") < output.index("10 numbers") < output.index("Rust panicked"), f"the order is wrong:\n{output}")


@case
def options_take_effect_in_a_build_folder_that_is_configured_already():
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
    project = Project("options", "add_rust_library(greeter)\nadd_executable(main main.c)\ntarget_link_libraries(main PRIVATE greeter)\n", {
        **crate("greeter", source, '[dependencies]\nlog = { version = "0.4", default-features = false }\n'),
        "main.c": '#include <stdio.h>\n#include <greeter.h>\nint main(void) { printf("%zu\\n", room(100000)); return 0; }\n'})
    project.lock()
    asked = "[INFO  greeter] asked for 100000\n"
    project.works(asked + "100000")
    project.works(asked + "0", arguments=["-DRUST_HEAP_BYTES=50000"])
    project.works("0", arguments=["-DRUST_LOG_LEVEL=warn"])
    project.works("0", arguments=["-DRUST_HEAP=rlsf"])
    project.works("100000", arguments=["-DRUST_HEAP=muslc"])
    project.works(asked + "100000", arguments=["-DRUST_HEAP=rlsf", "-DRUST_HEAP_BYTES=200000", "-DRUST_LOG_LEVEL=trace"])


@case
def doubles_and_floats_pass_both_ways():
    source = """#![no_std]
//! Floating-point numbers between whole ones, as far as the registers of an ABI reach and beyond.
#[unsafe(no_mangle)]
pub extern "C" fn mixed(a: f64, b: i32, c: f32, d: i64, e: f64, f: f32, g: f64, h: f64, i: f64, j: f64, k: f64, l: f32) -> f64 {
    a + 2.0 * f64::from(b) + 3.0 * f64::from(c) + 4.0 * d as f64 + 5.0 * e + 6.0 * f64::from(f) + 7.0 * g + 8.0 * h + 9.0 * i + 10.0 * j + 11.0 * k
        + 12.0 * f64::from(l)
}
#[unsafe(no_mangle)]
pub extern "C" fn half(of: f32) -> f32 { of / 2.0 }
/// Two numbers in one structure.
#[repr(C)]
pub struct Pair { pub x: f64, pub y: f32 }
#[unsafe(no_mangle)]
pub extern "C" fn swapped(pair: Pair) -> Pair { Pair { x: f64::from(pair.y), y: pair.x as f32 } }
/// Calls C.
///
/// # Safety
///
/// `add` must be a function of this type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn through_c(add: unsafe extern "C" fn(f32, i32, f64) -> f64, narrow: unsafe extern "C" fn(f64) -> f32) -> f64 {
    // SAFETY: as the caller promises.
    unsafe { add(0.5, 3, 0.25) + f64::from(narrow(1.0 / 3.0)) }
}
"""
    main = """#include <stdio.h>
#include <greeter.h>
static double add(float a, int32_t b, double c) { return a + b + c; }
static float narrow(double a) { return (float)a; }
int main(void)
{
    struct Pair pair = swapped((struct Pair){1.5, 2.5f});
    printf("%.17g\\n", mixed(1.5, 2, 3.25f, 4, 5.5, 6.75f, 7.5, 8.5, 9.5, 10.5, 11.5, 12.25f));
    printf("%.17g\\n", (double)half(0.1f));
    printf("%.17g %.17g\\n", pair.x, (double)pair.y);
    printf("%.17g\\n", through_c(add, narrow));
    return 0;
}
"""
    # The same sums in C's own arithmetic.
    total = 1.5 + 2 * 2 + 3 * 3.25 + 4 * 4 + 5 * 5.5 + 6 * 6.75 + 7 * 7.5 + 8 * 8.5 + 9 * 9.5 + 10 * 10.5 + 11 * 11.5 + 12 * 12.25
    for build_type in ("Debug", "Release"):
        project = Project(f"floats {build_type}", "add_rust_library(greeter)\nadd_executable(main main.c)\ntarget_link_libraries(main PRIVATE greeter)\n",
                          {**crate("greeter", source), "main.c": main})
        project.works(f"{total:.17g}\n0.05000000074505806\n2.5 1.5\n{3.75 + 0.3333333432674408:.17g}", arguments=[f"-DCMAKE_BUILD_TYPE={build_type}"])
