/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver is in Rust; C hands it what the kernel gave to the root server.
 */
#include <sel4runtime.h>
#include <driver.h>

int main(void)
{
    return driver_run(sel4runtime_bootinfo()) ? 0 : 1;
}
