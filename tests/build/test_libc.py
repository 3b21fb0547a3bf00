# SPDX-License-Identifier: BSD-2-Clause
"""C's memcpy() and its like stay C's, in an image of a bare-metal target, wherever they stand on the command line."""

import re

import pytest
from build.project import Project, crate, exports, program

pytestmark = pytest.mark.needs("kernel", "rust", "aarch64", "x86_64")

# As musllibc's project has it: the target `muslc` links the archive that `muslc_gen` makes.
LISTS = """
set(KernelSel4Arch aarch64)
set(archive "${CMAKE_CURRENT_BINARY_DIR}/stage/libc.a")
add_library(stub STATIC EXCLUDE_FROM_ALL libc.c)
add_custom_command(OUTPUT "${archive}" COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:stub> "${archive}" DEPENDS stub)
add_custom_target(muslc_gen DEPENDS "${archive}")
add_library(muslc_imported STATIC IMPORTED GLOBAL)
set_target_properties(muslc_imported PROPERTIES IMPORTED_LOCATION "${archive}")
add_dependencies(muslc_imported muslc_gen)
add_library(muslc INTERFACE)
target_link_libraries(muslc INTERFACE muslc_imported)
add_compile_options(-ffreestanding -fno-builtin)
add_link_options(-nostdlib -static -Wl,--entry=main -Wl,-Map=${CMAKE_CURRENT_BINARY_DIR}/main.map)
add_rust_library(greeter)
add_executable(main main.c)
"""

# It is only linked, never run.
LIBC = """#include <stddef.h>
void *memcpy(void *to, const void *from, size_t size) { return to; }
void *memmove(void *to, const void *from, size_t size) { return to; }
void *memset(void *to, int byte, size_t size) { return to; }
int memcmp(const void *one, const void *other, size_t size) { return 0; }
size_t strlen(const char *text) { return 0; }
void *stdout;
int setvbuf(void *stream, char *buffer, int mode, size_t size) { return 0; }
long writev(int to, const void *pieces, int count) { return 0; }
int sched_yield(void) { return 0; }
int *__errno_location(void) { static int number; return &number; }
void abort(void) { for (;;); }
"""

SOURCE = """#![no_std]
extern crate alloc;
/// Copies, fills, compares, allocates: the compiler makes calls of C's functions of it.
#[unsafe(no_mangle)]
pub extern "C" fn busy(n: usize, to: &mut [u8; 999], from: &[u8; 999]) -> i32 {
    to.copy_within(0..n, n);
    to[..n].copy_from_slice(&from[..n]);
    to[n..].fill(7);
    let all: alloc::vec::Vec<u8> = to[..n].into();
    (all[..] == from[..n]) as i32
}
"""
MAIN = program("static uint8_t to[999], from[999]; memcpy(to, from, 9); busy(9, &to, &from);", "string.h", "greeter.h")
NAMES = ("memcpy", "memmove", "memset", "memcmp")


def places_in(map_file):
    """Which file each global symbol of a link map comes from."""
    place, places = "", {}
    for line in map_file.split("Linker script and memory map", 1)[1].splitlines():
        if section := re.search(r" 0x\w+ +0x\w+ (\S.*)$", line):
            place = section[1]
        elif symbol := re.match(r" +0x\w+ +(\w+)$", line):
            places.setdefault(symbol[1], place)
    return places


@pytest.mark.parametrize("build_type", ("Debug", "Release"))
@pytest.mark.parametrize("order", ("greeter muslc", "muslc greeter"))
def test_memcpy_of_C_stays_that_of_C(order, build_type):
    project = Project(
        "project",
        LISTS + f"target_link_libraries(main PRIVATE {order})\n",
        {**crate("greeter", SOURCE), "libc.c": LIBC, "main.c": MAIN},
    )
    project.configure(
        "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
        "-DCMAKE_SYSTEM_NAME=Generic",
        "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
        f"-DCMAKE_BUILD_TYPE={build_type}",
    )
    project.ninja()
    places = places_in((project.build / "main.map").read_text())
    for name in NAMES:
        assert "libc.a(" in places.get(name, ""), f"`{name}` comes from `{places.get(name)}`"
    unsealed, sealed = (
        exports(next(project.build.glob(pattern))) for pattern in ("rust/main/archive/*.a", "rust/main/*.a")
    )
    assert set(NAMES) <= unsealed, "the test shows nothing: Rust's archive has no such names"
    assert not set(NAMES) & sealed, f"the sealed archive has {set(NAMES) & sealed}"
