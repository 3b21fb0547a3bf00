/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls Rust that uses parts of std which seL4 has nothing for.
 */
#include <stdio.h>
#include <lacking.h>

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    printf("Wanting and not getting: %u\n", lacking_all());
    return 0;
}
