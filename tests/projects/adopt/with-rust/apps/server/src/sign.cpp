/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <greeter.h>
#include "sign.h"

void sign()
{
    printf("Signed in C++, signature %u of Rust\n", (unsigned)greet_sign().number);
}
