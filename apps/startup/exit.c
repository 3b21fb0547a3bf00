/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens when main() of a root server returns. sel4runtime calls the exit callback, and without one it
 * jumps to address 0; this one says so and suspends the thread.
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>

static void suspend(int code)
{
    printf("Suspending current thread\n");
    if (code != 0) {
        /* ./simulate ends with the code that this line tells. */
        printf("The program ended with exit code %d\n", code);
    }
    fflush(stdout);
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    for (;;) {
        seL4_Yield();
    }
}

__attribute__((constructor)) void exit_suspends(void)
{
    sel4runtime_set_exit(suspend);
}
