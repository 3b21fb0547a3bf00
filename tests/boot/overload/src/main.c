/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <overload.h>

int main(void)
{
    overload_log();
    printf("Asking politely for a gigabyte:\n");
    printf("%s\n", overload_may_have(1 << 30) ? "granted" : "refused");
    printf("Three boxes after that: %u\n", (unsigned)overload_boxes());
    ENDING();
    printf("WRONG: it came back\n");
    return 0;
}
