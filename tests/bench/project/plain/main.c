/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>

int main(void)
{
    printf("Rust Routine: 10 + 20 = %d\n", 30);
    printf("Rust Routine: 1 + 20 = %d\n", 20);
    return 0;
}
