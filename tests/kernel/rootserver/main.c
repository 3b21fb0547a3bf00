/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A root server that runs tests in Rust.
 */
#include <sel4runtime.h>
#include <kernel_tests.h>

int main(void)
{
    return kernel_tests(sel4runtime_bootinfo()) != 0;
}
