/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program of the archive: Rust does the work, which the build names. The root server's endpoint is in the slot of the fault
 * endpoint.
 */
#include <sel4utils/process.h>
#include <program.h>

int main(void)
{
    WORK();
    seL4_Send(SEL4UTILS_ENDPOINT_SLOT, seL4_MessageInfo_new(program_done(), 0, 0, 0));
    for (;;) {
        seL4_Yield();
    }
}
