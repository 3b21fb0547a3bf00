# SPDX-License-Identifier: BSD-2-Clause
"""The generated header, and the keywords of add_rust_library()."""

import pytest
from build.project import ADD, GREETER, HEAD, LINK, MAIN, Project, crate, one_library, program, symbols
from support import check_says

pytestmark = [pytest.mark.needs("kernel", "rust", "aarch64", "x86_64"), pytest.mark.weight(80)]


def test_D2_the_header_is_generated_documented_and_read_by_C_and_Cxx():
    source = """#![no_std]
/// A point on the screen.
#[repr(C)]
pub struct Point { pub x: i32, pub y: i32 }
/// Kinds of moves.
#[repr(u8)]
pub enum Move { Left = 1, Right = 2 }
/// How far a move goes.
pub const STEP: i32 = 5;
/// Moves `point`, and says where it was.
#[unsafe(no_mangle)]
pub extern "C" fn move_point(point: &mut Point, by: Move) -> i32 {
    let before = point.x;
    point.x += match by { Move::Left => -STEP, Move::Right => STEP };
    before
}
"""
    use = program(
        'struct Point p = {7, 0}; int was = move_point(&p, Right); printf("%d %d %d\\n", was, p.x, STEP);',
        "greeter.h",
        "greeter.h",
    )
    project = Project(
        "D2",
        """
enable_language(CXX)
add_compile_options(-Wall -Wextra -Wpedantic -Werror)
add_rust_library(greeter)
add_executable(in_c main.c)
target_link_libraries(in_c PRIVATE greeter)
add_executable(in_cxx main.cpp)
target_link_libraries(in_cxx PRIVATE greeter)
""",
        {**crate("greeter", source), "main.c": use, "main.cpp": use},
    )
    project.works("7 12 5", "in_c")
    project.prints("7 12 5", "in_cxx")
    check_says(
        project.header(),
        "Generated from the Rust crate `greeter`",
        "A point on the screen.",
        "Kinds of moves.",
        "How far a move goes.",
        "Moves `point`, and says where it was.",
        '#ifdef __cplusplus extern "C" {',
    )


def test_an_export_that_C_cannot_have_fails_the_build_and_is_named():
    project = one_library(
        "unrepresentable",
        GREETER
        + """
/// Not for C.
#[unsafe(no_mangle)]
pub extern "C" fn pair(of: (i32, i32)) -> i32 { of.0 }
""",
    )
    project.configure()
    project.ninja_fails(says=("error: ", "`pair`", "src/lib.rs:12", "help: "))
    assert not list(project.build.rglob("greeter.h")), "there is a header after the failure"
    project.write({"src/lib.rs": GREETER})
    project.ninja()
    project.prints("42")


def test_an_error_in_the_Rust_code_is_told_by_rustc_and_once():
    project = one_library("rustc says", GREETER.replace("42", '"forty"'))
    project.configure()
    output = project.ninja_fails(says=("error[E0308]: mismatched types", "src/lib.rs:7"))
    assert output.count("E0308]") == 1, f"the error comes more than once:\n{output}"
    project.write(crate("greeter"))
    project.ninja()
    project.prints("42")


def test_a_source_that_does_not_parse_is_told_by_rustc():
    project = one_library("no parse", GREETER + "pub fn 9() {}\n")
    project.configure()
    project.ninja_fails(says=("error: expected identifier, found `9`", "src/lib.rs:9"))
    assert not list(project.build.rglob("greeter.h")), "there is a header after the failure"


def test_a_panic_handler_that_only_rustc_sees_is_told_with_both_crates():
    hidden = """#![no_std]
macro_rules! handler {
    () => { #[panic_handler] fn stop(_: &core::panic::PanicInfo) -> ! { loop {} } }
}
handler!();
"""
    project = one_library(
        "hidden handler",
        GREETER + "pub use hidden;\n",
        '[dependencies]\nhidden = { path = "hidden" }\n',
        files=crate("hidden", hidden, "", "hidden"),
    )
    project.lock()
    project.configure()
    project.ninja_fails(says=("E0152", "panic_impl", "hidden", "libsel4_rt"))


def test_two_crates_that_export_one_name_are_told():
    kit = "the crates `greeter` and `other` both export `answer`", "help: give one of the two another name"
    # Optimising both together, rustc meets the clash first.
    rustc = "'answer': symbol multiply defined", 'module "other-'
    for build_type, says in (("Debug", kit), ("Release", rustc)):
        project = Project(
            f"same export {build_type}",
            ADD
            + """
add_rust_library(other MANIFEST_PATH other/Cargo.toml)
add_executable(main main.c)
target_link_libraries(main PRIVATE greeter other)
""",
            {**crate("greeter"), **crate("other", folder="other"), "main.c": MAIN},
        )
        project.configure(f"-DCMAKE_BUILD_TYPE={build_type}")
        project.ninja_fails(says=says)


def test_every_keyword_does_what_it_says():
    source = """#![no_std]
/// Which features are on.
#[unsafe(no_mangle)]
pub extern "C" fn features() -> i32 {
    cfg!(feature = "one") as i32 + 10 * cfg!(feature = "two") as i32 + 100 * cfg!(feature = "usual") as i32
}
/// There with feature `two` alone.
#[cfg(feature = "two")]
#[unsafe(no_mangle)]
pub extern "C" fn two() -> i32 { 2 }
"""
    manifest = '[features]\ndefault = ["usual"]\nusual = []\none = []\ntwo = []\n'
    project = Project(
        "keywords",
        """
add_rust_library(both MANIFEST_PATH rust/Cargo.toml PACKAGE dash-ed
    FEATURES one two NO_DEFAULT_FEATURES HEADER api.v1.h)
add_executable(main main.c)
target_link_libraries(main PRIVATE both)
""",
        {
            "rust/Cargo.toml": '[workspace]\nmembers = ["a", "b"]\nresolver = "3"\n',
            **crate("dash-ed", source, manifest, "rust/a"),
            **crate("other", "#![no_std]\n", "", "rust/b"),
            "main.c": program('printf("%d %d\\n", features(), two());', "api.v1.h"),
        },
    )
    project.lock("rust")
    project.works("11 2")
    project.edit("CMakeLists.txt", " NO_DEFAULT_FEATURES", "")
    project.ninja()
    project.prints("111 2")


def test_one_crate_under_two_names_is_built_once():
    project = Project(
        "two names",
        """
add_rust_library(greeter)
add_rust_library(again)
add_executable(main main.c)
target_link_libraries(main PRIVATE greeter again)
""",
        {**crate("greeter"), "main.c": "#include <again.h>\n" + MAIN},
    )
    project.works()


CUSTOM = '[profile.quick]\ninherits = "release"\nopt-level = 2\n'
PROFILES = (
    *(
        pytest.param(build_type, profile, expected, "", "", id=f"D5 build type `{build_type}` makes {expected} Rust")
        for build_type, profile, expected in (
            ("Debug", "dev", "unoptimised"),
            ("", "dev", "unoptimised"),
            ("Release", "release", "optimised"),
            ("RelWithDebInfo", "relwithdebinfo", "optimised"),
            ("MinSizeRel", "minsizerel", "optimised"),
            ("Coverage", "release", "optimised"),
        )
    ),
    pytest.param(
        "Debug", "dev", "optimised", "", "PROFILE release", id="PROFILE release optimises a library in a Debug build"
    ),
    pytest.param(
        "Debug", "dev", "optimised", CUSTOM, "PROFILE quick", id="PROFILE takes a profile of the crate's workspace"
    ),
    pytest.param(
        "Release",
        "release",
        "unoptimised",
        "",
        "PROFILE dev",
        id="PROFILE dev keeps the checks of a library in a Release build",
    ),
)


@pytest.mark.parametrize(("build_type", "profile", "expected", "manifest", "command"), PROFILES)
def test_the_build_type_or_PROFILE_chooses_the_profile(build_type, profile, expected, manifest, command):
    source = """#![no_std]
#[unsafe(no_mangle)]
pub extern "C" fn checks() -> i32 { cfg!(debug_assertions) as i32 }
/// Optimised, this is a loop without a call.
#[unsafe(no_mangle)]
pub extern "C" fn sum(of: &[i32; 8]) -> i32 {
    of.iter().map(|n| n.wrapping_mul(3)).fold(0, |a, n| i32::wrapping_add(a, n))
}
"""
    main = program('int32_t all[8] = {1, 2, 3, 4, 5, 6, 7, 8}; printf("%d %d\\n", checks(), sum(&all));', "greeter.h")
    project = Project(
        "project",
        f"add_rust_library(greeter {command})\n" + LINK,
        {**crate("greeter", source, manifest), "main.c": main},
    )
    project.configure(f"-DCMAKE_BUILD_TYPE={build_type}")
    output = project.ninja("-v")
    check_says(output, f"--profile={profile}")
    optimised = expected == "optimised"
    project.prints("0 108" if optimised else "1 108")
    # Unoptimised code keeps the closures as functions of their own, unless the bundle is optimised as a whole.
    # `NCNv` in names of the form v0, which rustc 1.98 writes.
    closures = [
        name for name in symbols(project.build / "main") if "greeter" in name and ("closure" in name or "NCNv" in name)
    ]
    assert bool(closures) != optimised or profile != "dev", f"the code is not {expected}: {closures}"


def test_an_export_without_prototype_is_reported_when_the_archive_is_sealed():
    source = (
        GREETER
        + """
macro_rules! device {
    ($name:ident) => {
        #[unsafe(export_name = concat!("dev_", stringify!($name)))]
        pub extern "C" fn $name(n: u32) -> u32 { n }
    };
}
device!(open);
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "system" fn checksum(n: u32) -> u32 { n }
"""
    )
    main = program('printf("%d %u\\n", answer(), checksum(3));', "greeter.h")
    project = one_library("no prototype", source, main=main)
    named = "`dev_open` of the crate `greeter`"
    for build_type in ("Debug", "Release"):
        project.configure(f"-DCMAKE_BUILD_TYPE={build_type}", "-DRUST_EXPORT_CHECK=error")
        project.ninja_fails(says=("error: the generated headers have no prototype", named, "help: "))
        project.configure("-DRUST_EXPORT_CHECK=warn")
        said = project.ninja()
        assert said.count("has no prototype") + said.count(named) == 1, said
        assert "`answer`" not in said and "`checksum`" not in said, said
        project.prints("42 3")


@pytest.mark.long
def test_the_compilers_judge_the_header_in_builds_without_debug_information():
    source = (
        GREETER
        + """
mod inner {
    #[repr(C)]
    pub struct Pair { pub a: u8, pub b: u64 }
    #[unsafe(no_mangle)]
    pub extern "C" fn second(pair: &Pair) -> u64 { pair.b }
}
const fn square(n: u64) -> u64 { n * n }
pub const AREA: u64 = square(1 << 20);
"""
    )
    main = program('struct Pair p = {1, AREA}; printf("%llu\\n", (unsigned long long)second(&p) >> 38);', "greeter.h")
    packed = {"cbindgen.toml": 'after_includes = "#pragma pack(1)"\n'}
    project = one_library("judged", source, main=main, files=packed)
    for build_type in ("Release", "MinSizeRel"):
        project.write(packed)
        project.configure(f"-DCMAKE_BUILD_TYPE={build_type}")
        differs = "the field `b` of `Pair` is at byte 8 in Rust and at byte 1 in C"
        project.ninja_fails(says=("wrong about `second` (`", "src/lib.rs:14", differs, "help: "))
        project.write({"cbindgen.toml": ""})
        said = project.ninja()
        assert "not compared" not in said and "is not in the header" not in said, said
        project.prints("4")


@pytest.mark.long
def test_crate_types_for_C_are_left_out():
    project = one_library("crate types", manifest='[lib]\ncrate-type = ["lib", "staticlib", "cdylib"]\n')
    project.works()
    again = project.ninja("-v")
    assert "Compiling" not in again, f"the second build is one:\n{again}"


@pytest.mark.long
def test_constructors_and_parts_of_arrays_are_linked_in_each_build_type():
    source = """#![no_std]
mod state { pub static STARTED: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0); }
mod constructor {
    #[used]
    #[unsafe(link_section = ".init_array.00200")]
    static START: extern "C" fn() = start;
    extern "C" fn start() { crate::state::STARTED.store(40, core::sync::atomic::Ordering::Relaxed); }
}
mod element {
    #[used]
    #[unsafe(link_section = "drivers")]
    static ELEMENT: u32 = 2;
}
#[unsafe(no_mangle)]
pub extern "C" fn started() -> u32 { state::STARTED.load(core::sync::atomic::Ordering::Relaxed) }
"""
    main = program('extern uint32_t __start_drivers[]; printf("%u\\n", started() + __start_drivers[0]);', "greeter.h")
    project = one_library("constructors", source, main=main)
    for build_type in ("Debug", "Release"):
        project.works(
            "42", arguments=(f"-DCMAKE_BUILD_TYPE={build_type}", "-DCMAKE_EXE_LINKER_FLAGS=-Wl,--gc-sections")
        )


@pytest.mark.long
@pytest.mark.needs("aarch32")
def test_enums_for_aarch32_have_the_size_in_C_that_Rust_gives_them():
    source = """#![no_std]
#[repr(C)]
pub enum Kind { Near = 3, Far = 200 }
#[repr(C)]
pub enum Shape { Dot, Circle(u8) }
#[repr(C)]
pub struct Kinds { pub before: u8, pub kinds: [Kind; 3], pub wide: Wide, pub shape: Shape }
#[repr(C)]
pub enum Wide { One = -300, Two }
#[unsafe(no_mangle)]
pub extern "C" fn far(kinds: &Kinds, kind: Kind) -> Kind { Kind::Far }
"""
    sizes = "sizeof(enum Kind) == 1 && sizeof(enum Wide) == 2 && sizeof(struct Shape) == 2 && sizeof(struct Kinds) == 8"
    main = f'#include "greeter.h"\n_Static_assert({sizes}, "");\nint main(void) {{ return 0; }}\n'
    files = {**crate("greeter", source), "main.c": main}
    project = Project("short enums", ADD + LINK, files, head=HEAD.replace("x86_64", "aarch32"))
    for build_type in ("Debug", "Release"):
        project.configure(
            f"-DCMAKE_BUILD_TYPE={build_type}",
            "-DCMAKE_SYSTEM_NAME=Generic",
            "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
            "-DCMAKE_C_COMPILER=arm-linux-gnueabi-gcc",
            "-DCMAKE_C_FLAGS=-march=armv7-a -mfloat-abi=soft",
        )
        # The compilers' views are compared with each other.
        said = project.ninja("CMakeFiles/main.dir/main.c.obj")
        assert "not compared" not in said, said
