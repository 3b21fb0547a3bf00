/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A root server that fails in the way that is written into its image, behind `case: `.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>

static volatile char text[32] = "case: nothing";
static seL4_CPtr untyped, slot;

static seL4_Error retype(seL4_Word type, seL4_Word bits, seL4_Word count)
{
    return seL4_Untyped_Retype(untyped, type, bits, seL4_CapInitThreadCNode, 0, 0, slot, count);
}

static int deeper(int depth)
{
    volatile char room[512];
    room[depth % 512] = depth;
    return deeper(depth + 1) + room[depth % 512];
}

static int is(const char *name)
{
    return strcmp((const char *)text + sizeof("case: ") - 1, name) == 0;
}

int main(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    while (info->untypedList[untyped].isDevice) {
        untyped++;
    }
    untyped += info->untyped.start;
    slot = info->empty.start;
    if (is("wild pointer")) {
        *(volatile int *)0x18 = 1;
    } else if (is("wild pointer in a call")) {
        retype(seL4_EndpointObject, 0, 1);
        seL4_Poll(slot, (seL4_Word *)0x28);
    } else if (is("wild jump")) {
        ((void (*)(void))0x38)();
    } else if (is("capability")) {
        seL4_Wait(SIZE_MAX, NULL);
    } else if (is("overflow")) {
        return deeper(0);
    } else if (is("sizes")) {
        printf("zero: %d, %d\n", retype(seL4_EndpointObject, 0, 0), retype(seL4_CapTableObject, 0, 1));
        printf("huge: %d, %d\n", retype(seL4_EndpointObject, 0, SIZE_MAX), retype(seL4_UntypedObject, 40, 1));
    } else if (is("heap")) {
        volatile size_t all = SIZE_MAX / 2;
        printf("memory: %p\n", malloc(all));
    } else if (is("abort")) {
        abort();
    } else if (is("deadlock")) {
        retype(seL4_EndpointObject, 0, 1);
        seL4_Wait(slot, NULL);
    } else if (is("spin")) {
        for (;;) {
        }
    } else {
        printf("nothing went wrong\n");
    }
    return 0;
}
