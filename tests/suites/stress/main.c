/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lets Rust put std under stress, and counts the kernel objects that it asked for.
 */
#include <stdio.h>
#include <stress.h>
#include <sel4runtime.h>
#include <sel4std.h>

/* By the numbers of their types. */
static unsigned made[seL4_ObjectTypeCount];

/* Any thread asks, and some before main(): each takes a slot of its own, and the kernel does the rest. */
seL4_CPtr sel4std_new_object(seL4_Word type, seL4_Word size_bits)
{
    static seL4_Word slots;
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word untyped = 0;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        if (!info->untypedList[i].isDevice && info->untypedList[i].sizeBits > info->untypedList[untyped].sizeBits) {
            untyped = i;
        }
    }
    seL4_CPtr slot = info->empty.start + __atomic_fetch_add(&slots, 1, __ATOMIC_SEQ_CST);
    if (slot >= info->empty.end
        || seL4_Untyped_Retype(info->untyped.start + untyped, type, size_bits, seL4_CapInitThreadCNode, 0, 0, slot,
                               1)) {
        return seL4_CapNull;
    }
    __atomic_fetch_add(&made[type], 1, __ATOMIC_SEQ_CST);
    return slot;
}

/* Those of std's threads and the ticker; the first thread has its own. */
static int one_set_for_each_thread(void)
{
    unsigned threads = MAX_THREADS + 1;
#ifdef CONFIG_KERNEL_MCS
    printf("scheduling contexts: %u\n", made[seL4_SchedContextObject]);
    if (made[seL4_SchedContextObject] != threads) {
        return 0;
    }
#endif
    printf("TCBs: %u, notifications: %u\n", made[seL4_TCBObject], made[seL4_NotificationObject]);
    /* A few notifications are for locks. */
    return made[seL4_TCBObject] == threads && made[seL4_NotificationObject] > threads
           && made[seL4_NotificationObject] <= threads + 8;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    if (stress(STRESS_SECONDS, MAX_THREADS) != 0) {
        return 1;
    }
    printf("Kernel objects: %s\n", one_set_for_each_thread() ? "one set for each thread" : "WRONG");
    return 0;
}
