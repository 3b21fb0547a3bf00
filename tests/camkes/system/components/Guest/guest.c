/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <camkes.h>
#include <stdio.h>

int between(void);

int run(void)
{
    int one = between();
    printf("%s: greetings %d and %d\n", get_instance_name(), one, between());
    return 0;
}
