/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One executable with Rust libraries of both kinds, and C that takes all memory which the boot information shows.
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <plain.h>
#include <rich.h>

/* Takes each untyped whole, in two halves. If std had used a part of one, its second half would not be there. */
static void take_all_memory(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word count = info->untyped.end - info->untyped.start;
    seL4_CPtr slot = info->empty.start;
    int refused = 0, taken = 0;
    for (seL4_Word i = 0; i < count; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        for (int half = 0; half < 2 && !untyped->isDevice && untyped->sizeBits > seL4_MinUntypedBits; half++) {
            seL4_Error error = seL4_Untyped_Retype(info->untyped.start + i, seL4_UntypedObject, untyped->sizeBits - 1,
                                                   seL4_CapInitThreadCNode, 0, 0, slot++, 1);
            refused += error != seL4_NoError;
            taken++;
        }
    }
    printf("Memory taken: %s, refused %d\n", taken > 0 ? "some" : "none", refused);
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    take_all_memory();
    printf("The sum is %u\n", rich_sum());
    printf("A panic without std is caught: %s\n", rich_catches() ? "yes" : "no");
    printf("The library without std was called %u times\n", plain_calls());
    printf("Threads: %u\n", rich_crowd());
    printf("And again: %u\n", rich_crowd());
    return 0;
}
