/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <server.h>

int main(void)
{
    printf("The server has %s memory\n", server_memory(sel4runtime_bootinfo()) > 1024 ? "enough" : "little");
    for (unsigned round = 1; round <= 4; round = server_next(round)) {
        printf("Round %u, of C and Rust\n", round);
    }
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
