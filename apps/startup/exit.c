/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Exit callback, which sel4runtime calls when main() returns: prints a message and suspends the thread. Without a
 * callback, sel4runtime jumps to address 0.
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>

static void suspend(int code)
{
    printf("Suspending current thread\n");
    if (code != 0) {
        /* ./simulate exits with the code in this line. */
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
