/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <tally.h>

static void show(const char *line)
{
    printf("%s\n", line);
}

int main(void)
{
    tally(20, show);
    return 0;
}
