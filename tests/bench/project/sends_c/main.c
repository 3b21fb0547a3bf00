/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <sel4runtime.h>
#include <sends.h>

int main(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    printf("error %lu\n", (unsigned long)sends(info->untyped.end - 1, info->empty.end - 1, 7));
    return 0;
}
