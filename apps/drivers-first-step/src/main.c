/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver is in Rust; C passes it the boot information.
 */
#include <sel4runtime.h>
#include <driver.h>

int main(void)
{
    return driver_run(sel4runtime_bootinfo()) ? 0 : 1;
}
