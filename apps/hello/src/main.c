/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <routine.h>

int main(void)
{
    printf("Rust Routine: 10 + 20 = %d\n", routine(10, 20));
    printf("Rust Routine: 1 + 20 = %d\n", routine(1, 20));
    return 0;
}
