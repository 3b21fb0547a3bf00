/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <camkes.h>
#include <stdio.h>

int run(void)
{
    int sum = near_add(near_add(1, 2), 4);
    printf("%s: the sum is %d\n", get_instance_name(), sum);
    printf("%s: the other sum is %d\n", get_instance_name(), far_add(10, 20));
    printf("%s: they took %d and %d calls\n", get_instance_name(), near_calls(), far_calls());
    return 0;
}
