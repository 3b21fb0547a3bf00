/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <greeter.h>
#include <sel4/sel4.h>

int main(void)
{
    printf("Hello from C, error %d\n", (int)greet());
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
