/* SPDX-License-Identifier: BSD-2-Clause */
#include <database.h>
#include <shim.h>
#include <stdio.h>

int main(void)
{
    printf("%ld bytes, sum %ld\n", six_words(), (long)sum_of_even_squares(10));
    return 0;
}
