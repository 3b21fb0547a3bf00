# SPDX-License-Identifier: BSD-2-Clause
"""Floating-point numbers pass between C and Rust, both ways. On the other architectures the apps show it."""

import pytest
from build.project import one_library

pytestmark = [pytest.mark.needs("kernel", "rust", "aarch64", "x86_64"), pytest.mark.quick]

# Mixed with whole numbers, as far as the registers of the ABI reach and beyond.
SOURCE = """#![no_std]
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn mixed(
    a: f64, b: i32, c: f32, d: i64, e: f64, f: f32, g: f64, h: f64, i: f64, j: f64, k: f64, l: f32,
) -> f64 {
    a + 2.0 * f64::from(b) + 3.0 * f64::from(c) + 4.0 * d as f64 + 5.0 * e + 6.0 * f64::from(f)
        + 7.0 * g + 8.0 * h + 9.0 * i + 10.0 * j + 11.0 * k + 12.0 * f64::from(l)
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
/// `add` and `narrow` must be functions of these types.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn through_c(
    add: unsafe extern "C" fn(f32, i32, f64) -> f64, narrow: unsafe extern "C" fn(f64) -> f32,
) -> f64 {
    // SAFETY: as the caller promises.
    unsafe { add(0.5, 3, 0.25) + f64::from(narrow(1.0 / 3.0)) }
}
"""

# C computes the same itself, and prints where the results differ.
MAIN = """#include <stdio.h>
#include <greeter.h>

static double add(float a, int32_t b, double c) { return a + b + c; }
static float narrow(double a) { return (float)a; }

static void compare(const char *what, double rust, double c)
{
    if (rust != c) {
        printf("%s: Rust gives %.17g, C %.17g\\n", what, rust, c);
    }
}

int main(void)
{
    compare("mixed", mixed(1.5, 2, 3.25f, 4, 5.5, 6.75f, 7.5, 8.5, 9.5, 10.5, 11.5, 12.25f),
            1.5 + 2 * 2 + 3 * 3.25 + 4 * 4 + 5 * 5.5 + 6 * 6.75 + 7 * 7.5 + 8 * 8.5 + 9 * 9.5 + 10 * 10.5 + 11 * 11.5
            + 12 * 12.25);
    compare("half", half(0.1f), 0.1f / 2);
    struct Pair pair = swapped((struct Pair){1.5, 2.5f});
    compare("x of the pair", pair.x, 2.5);
    compare("y of the pair", pair.y, 1.5);
    compare("through C", through_c(add, narrow), 3.75 + (double)(float)(1.0 / 3.0));
    printf("compared\\n");
    return 0;
}
"""


@pytest.mark.parametrize("build_type", ("Debug", "Release"))
def test_doubles_and_floats_pass_both_ways(build_type):
    one_library("project", SOURCE, main=MAIN).works("compared", arguments=[f"-DCMAKE_BUILD_TYPE={build_type}"])
