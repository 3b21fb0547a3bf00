/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel objects: a reservation made before main(), and the frames of the image itself.
 */
#include "internal.h"

#include <sel4runtime.h>
#include <utils/util.h>
#include <sel4std.h>

/* Of each kind the threads take one; notifications serve the first thread and three locks, too. */
#define THREADS (MAX_THREADS + 1) /* and the ticker */
#define NOTIFICATIONS (THREADS + 4)

typedef struct {
    seL4_Word type, size_bits, count;
    seL4_CPtr first;
    seL4_Word used;
} stock_t;

/* The largest first, so that nothing is lost to alignment. */
static stock_t stocks[] = {
    { .type = seL4_TCBObject, .size_bits = seL4_TCBBits, .count = THREADS },
#ifdef CONFIG_KERNEL_MCS
    { .type = seL4_SchedContextObject, .size_bits = seL4_MinSchedContextBits, .count = THREADS },
#endif
    { .type = seL4_NotificationObject, .size_bits = seL4_NotificationBits, .count = NOTIFICATIONS },
};

static seL4_Error retype(seL4_CPtr untyped, seL4_Word type, seL4_Word size_bits, seL4_CPtr slot, seL4_Word count)
{
    return seL4_Untyped_Retype(untyped, type, size_bits, seL4_CapInitThreadCNode, 0, 0, slot, count);
}

/* An untyped of 2^`bits` bytes or more that the boot information does not show any more, or seL4_CapNull. One half of the
 * smallest that is larger takes the place of the whole. */
static seL4_CPtr take_untyped(seL4_BootInfo *info, seL4_Word bits)
{
    seL4_Word count = info->untyped.end - info->untyped.start;
    seL4_Word best = count;
    for (seL4_Word i = 0; i < count; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        if (!untyped->isDevice && untyped->sizeBits > bits
            && (best == count || untyped->sizeBits < info->untypedList[best].sizeBits)) {
            best = i;
        }
    }
    if (best == count || info->empty.end - info->empty.start < 2) {
        return seL4_CapNull;
    }
    seL4_UntypedDesc *split = &info->untypedList[best];
    seL4_CPtr place = info->untyped.start + best;
    seL4_CPtr whole = info->empty.start++;
    seL4_CPtr half = info->empty.start++;
    if (seL4_CNode_Move(seL4_CapInitThreadCNode, whole, seL4_WordBits, seL4_CapInitThreadCNode, place, seL4_WordBits)
        || retype(whole, seL4_UntypedObject, split->sizeBits - 1, half, 1)
        || retype(whole, seL4_UntypedObject, split->sizeBits - 1, place, 1)) {
        return seL4_CapNull;
    }
    split->sizeBits--;
    split->paddr += BIT(split->sizeBits);
    return half;
}

void objects_reserve(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word bytes = 0, objects = 0, bits = 0;
    for (size_t i = 0; i < ARRAY_SIZE(stocks); i++) {
        bytes += stocks[i].count << stocks[i].size_bits;
        objects += stocks[i].count;
    }
    while (BIT(bits) < bytes) {
        bits++;
    }
    seL4_CPtr untyped = info != NULL ? take_untyped(info, bits) : seL4_CapNull;
    /* Without them std works in one thread; a second one is refused. */
    if (untyped == seL4_CapNull || info->empty.end - info->empty.start < objects) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(stocks); i++) {
        stock_t *stock = &stocks[i];
        if (retype(untyped, stock->type, stock->size_bits, info->empty.start, stock->count) != seL4_NoError) {
            return;
        }
        stock->first = info->empty.start;
        info->empty.start += stock->count;
    }
}

seL4_CPtr object_from_reservation(seL4_Word type, seL4_Word size_bits)
{
    (void)size_bits;
    for (size_t i = 0; i < ARRAY_SIZE(stocks); i++) {
        stock_t *stock = &stocks[i];
        if (stock->type == type && stock->first != seL4_CapNull) {
            seL4_Word number = __atomic_fetch_add(&stock->used, 1, __ATOMIC_SEQ_CST);
            return number < stock->count ? stock->first + number : seL4_CapNull;
        }
    }
    return seL4_CapNull;
}

seL4_CPtr sel4std_new_object(seL4_Word type, seL4_Word size_bits)
__attribute__((weak, alias("object_from_reservation")));

/* The kernel lists the frames of the image in the order of their addresses. */
seL4_CPtr image_frame(const void *page)
{
    extern const char __ehdr_start[];
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word number = ((uintptr_t)page >> seL4_PageBits) - ((uintptr_t)__ehdr_start >> seL4_PageBits);
    if (info == NULL || number >= info->userImageFrames.end - info->userImageFrames.start) {
        return seL4_CapNull;
    }
    return info->userImageFrames.start + number;
}
