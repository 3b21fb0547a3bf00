/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <camkes.h>
#include <greeter.h>
#include <stdio.h>

int run(void)
{
    printf("%s: the sum is %d\n", "third", sums_add(40, 1) + greet());
    bell_emit();
    return 0;
}
