/* SPDX-License-Identifier: BSD-2-Clause */
#include <shim.h>
#include <stdio.h>
#ifdef WITH_STD
#include <database.h>
#else
#define sum_of_even_squares(limit) 0
#endif

int main(void)
{
    printf("%ld bytes, sum %ld\n", six_words(), (long)sum_of_even_squares(10));
    return 0;
}
