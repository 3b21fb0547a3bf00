/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tells the root server what Rust says of the heap.
 */
#include <sel4utils/process.h>
#include <siblings.h>

int main(void)
{
    seL4_SetMR(0, siblings_room());
    seL4_Send(SEL4UTILS_ENDPOINT_SLOT, seL4_MessageInfo_new(0, 0, 0, 1));
    return 0;
}
