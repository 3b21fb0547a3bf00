/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <kernel_tests.h>
#include <sel4runtime.h>

int main(void)
{
    return kernel_tests(sel4runtime_bootinfo()) != 0;
}
