/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <inlined.h>

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    inlined_in_threads();
    return 0;
}
