/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "counter.h"
#include "counts.h"

int main(void)
{
    counter_start();
    count_calls();
    count_heaps();
    return 0;
}
