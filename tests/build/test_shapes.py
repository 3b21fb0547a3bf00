# SPDX-License-Identifier: BSD-2-Clause
"""Projects of other shapes: where the kit's folder lies, where the call is, and where C's flags are set."""

from build.project import ADD, HEAD, LINK, MAIN, Project, crate
from support import check, check_says, run

FILES = {**crate("greeter"), "main.c": MAIN}


def test_the_kits_own_CMakeLists_is_inert_in_another_project():
    # As tools/seL4/cmake-tool/all.cmake adds each projects/*/CMakeLists.txt.
    head = HEAD.split("list(APPEND")[0] + 'add_subdirectory("${KIT}" kit)\nadd_link_options(-no-pie)\n'
    project = Project("project", ADD + LINK, FILES, head=head)
    project.works()
    check(not (project.build / "simulate").exists(), "the demo project was configured")


def test_MANIFEST_PATH_is_relative_to_the_file_that_makes_the_call():
    project = Project(
        "project",
        "include(app/app.cmake)\n" + LINK,
        {**crate("greeter", folder="app"), "main.c": MAIN, "app/app.cmake": ADD},
    )
    project.works()


def test_libraries_in_a_property_of_another_target_are_found():
    # As CAmkES has it: a component is a custom target, and each instance of it an executable that links what a property
    # of the component names, here a C library that calls Rust.
    cmake = """add_library(between STATIC between.c)
target_link_libraries(between PUBLIC $<TARGET_PROPERTY:parts,RUST_PARTS>)
add_custom_target(parts)
set_target_properties(parts PROPERTIES RUST_PARTS greeter)
add_custom_target(component)
set_target_properties(component PROPERTIES COMPONENT_LIBS between)
add_executable(main main.c)
target_link_libraries(main PRIVATE "$<TARGET_PROPERTY:component,COMPONENT_LIBS>")
"""
    files = {
        "between.c": '#include "greeter.h"\nint between(void) { return answer(); }\n',
        "main.c": '#include <stdio.h>\nint between(void);\nint main(void) { printf("%d\\n", between()); return 0; }\n',
    }
    Project("project", ADD + cmake, {**FILES, **files}).works()


def test_the_flags_of_a_subfolder_choose_the_target():
    # As sel4test, which sets its flags in apps/sel4test-driver.
    project = Project(
        "project",
        "add_subdirectory(app)\n",
        {
            "app/CMakeLists.txt": 'set(CMAKE_C_FLAGS "${CMAKE_C_FLAGS} -mgeneral-regs-only")\n' + ADD + LINK,
            **crate("greeter", folder="app"),
            "app/main.c": MAIN,
        },
        head=HEAD.replace("x86_64", "aarch64"),
    )
    output = project.configure("-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc")
    check_says(output, "Rust in main: greeter")
    check_says((project.build / "rust/requests/sel4_rust_main.bundle.toml").read_text(), "-mgeneral-regs-only")
    check_says(
        run("ninja", "-t", "commands", "cargo-build_sel4_rust_main", cwd=project.build),
        "--target=aarch64-unknown-none-softfloat",
    )


def test_the_flags_of_a_single_target_choose_the_target():
    # As sel4bench, whose programs are compiled with -mgeneral-regs-only one by one.
    project = Project(
        "project",
        ADD + LINK + "target_compile_options(main PRIVATE -mgeneral-regs-only)\n",
        FILES,
        head=HEAD.replace("x86_64", "aarch64"),
    )
    project.configure("-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc")
    check_says(
        run("ninja", "-t", "commands", "cargo-build_sel4_rust_main", cwd=project.build),
        "--target=aarch64-unknown-none-softfloat",
    )


def test_executables_for_two_targets_are_refused_by_name():
    project = Project(
        "project",
        ADD + "add_subdirectory(soft)\n" + LINK,
        {
            **FILES,
            "soft/main.c": MAIN,
            "soft/CMakeLists.txt": "add_executable(soft main.c)\ntarget_link_libraries(soft PRIVATE greeter)\n"
            "target_compile_options(soft PRIVATE -mgeneral-regs-only)\n",
        },
        head=HEAD.replace("x86_64", "aarch64"),
    )
    project.configure_fails(
        "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
        says=(
            "Corrosion builds Rust for one target",
            "`soft` (`",
            "/source/soft`)",
            "is compiled for `aarch64-unknown-none-softfloat`",
            "`main` (`",
            "for `aarch64-unknown-none`",
        ),
    )
