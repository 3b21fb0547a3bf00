/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * As plain/main.c; the first line is printed by Rust's std.
 */
#include <stdio.h>
#include <hello.h>

int main(void)
{
    hello(10, 20);
    printf("Rust Routine: 1 + 20 = %d\n", 20);
    return 0;
}
