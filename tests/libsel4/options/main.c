/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tests of what only some configurations of the kernel have.
 */
#include <sel4runtime.h>
#include <options.h>

int main(void)
{
    return options_test(sel4runtime_bootinfo()) != 0;
}
