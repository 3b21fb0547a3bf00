/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <greeter.h>
#include <sel4/sel4.h>
#include "sign.h"

int main(void)
{
    for (unsigned times = 1; times <= 4; times = greet(times)) {
        printf("Hello from C and Rust, %u\n", times);
    }
    sign();
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
