/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel objects, from a reservation made before main(), and frames of the image.
 */
#include "internal.h"

#include <sel4runtime.h>
#include <sel4std.h>

/* Each thread needs one object of each kind. The first thread and three locks need notifications, too. */
#define THREADS (MAX_THREADS + 1) /* with the ticker */
#define NOTIFICATIONS (THREADS + 4)

typedef struct {
    seL4_Word type, size_bits, count;
    seL4_CPtr first;
    seL4_Word used;
} stock_t;

/* Objects of at most a page come first, in decreasing size, and large pages last. The memory taken begins at a page boundary
 * and ends at that of a large page, so nothing is lost to alignment. */
static stock_t stocks[] = {
#if GROWTH_BYTES > 0 && defined(CONFIG_ARCH_AARCH64)
    { .type = seL4_ARM_PageTableObject, .size_bits = seL4_PageTableBits, .count = 2 },
#elif GROWTH_BYTES > 0
    { .type = seL4_X86_PDPTObject, .size_bits = seL4_PageTableBits, .count = 1 },
    { .type = seL4_X86_PageDirectoryObject, .size_bits = seL4_PageTableBits, .count = 1 },
#endif
    { .type = seL4_TCBObject, .size_bits = seL4_TCBBits, .count = THREADS },
#ifdef CONFIG_KERNEL_MCS
    { .type = seL4_SchedContextObject, .size_bits = seL4_MinSchedContextBits, .count = THREADS },
#endif
    { .type = seL4_NotificationObject, .size_bits = seL4_NotificationBits, .count = NOTIFICATIONS },
#if GROWTH_BYTES > 0
    { .type = GROWTH_PAGE, .size_bits = seL4_LargePageBits, .count = GROWTH_BYTES >> seL4_LargePageBits },
#endif
};

static seL4_Error retype(seL4_CPtr untyped, seL4_Word type, seL4_Word size_bits, seL4_CPtr slot, seL4_Word count)
{
    seL4_Error error = seL4_NoError;
    while (count > 0 && error == seL4_NoError) {
        seL4_Word some = MIN(count, (seL4_Word)CONFIG_RETYPE_FAN_OUT_LIMIT);
        error = seL4_Untyped_Retype(untyped, type, size_bits, seL4_CapInitThreadCNode, 0, 0, slot, some);
        slot += some;
        count -= some;
    }
    return error;
}

/* Returns the index of the smallest untyped of more than `bytes` bytes; the number of untypeds if there is none. */
static seL4_Word smallest_above(const seL4_BootInfo *info, seL4_Word bytes)
{
    seL4_Word count = info->untyped.end - info->untyped.start, best = count;
    for (seL4_Word i = 0; i < count; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        if (!untyped->isDevice && BIT(untyped->sizeBits) > bytes
            && (best == count || untyped->sizeBits < info->untypedList[best].sizeBits)) {
            best = i;
        }
    }
    return best;
}

static seL4_Error move(seL4_CPtr from, seL4_CPtr to)
{
    return seL4_CNode_Move(seL4_CapInitThreadCNode, to, seL4_WordBits, seL4_CapInitThreadCNode, from, seL4_WordBits);
}

/*
 * Takes `slots` slots below those of the untypeds, which move up. The BootInfo still describes untypeds followed by empty
 * slots, as the kernel makes it: libsel4simple assumes that each slot behind the last untyped is empty. Returns the first
 * slot, or seL4_CapNull.
 */
static seL4_CPtr take_slots(seL4_BootInfo *info, seL4_Word slots)
{
    seL4_CPtr first = info->untyped.start;
    if (info->untyped.end != info->empty.start || info->empty.end - info->empty.start < slots) {
        return seL4_CapNull;
    }
    for (seL4_CPtr at = info->untyped.end; at-- > first;) {
        if (move(at, at + slots) != seL4_NoError) {
            return seL4_CapNull;
        }
    }
    info->untyped.start += slots;
    info->untyped.end += slots;
    info->empty.start += slots;
    return first;
}

/*
 * Moves an untyped to `slot` and keeps its last `bytes`, a multiple of the page size. The memory before them stays in the
 * BootInfo as untypeds of the largest possible sizes: the first in the slot of the whole, the others behind all untypeds.
 */
static bool take_memory(seL4_BootInfo *info, seL4_Word bytes, seL4_CPtr slot)
{
    seL4_Word count = info->untyped.end - info->untyped.start, best = smallest_above(info, bytes);
    if (best == count) {
        return false;
    }
    seL4_UntypedDesc piece = info->untypedList[best];
    seL4_Word rest = BIT(piece.sizeBits) - bytes;
    seL4_Word others = __builtin_popcountl(rest) - 1;
    seL4_CPtr place = info->untyped.start + best;
    if (info->empty.end - info->empty.start < others || count + others > CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS
        || move(place, slot) != seL4_NoError) {
        return false;
    }
    for (seL4_Word bits = piece.sizeBits; bits-- > 0;) {
        if (rest & BIT(bits)) {
            if (retype(slot, seL4_UntypedObject, bits, place, 1) != seL4_NoError) {
                return false;
            }
            piece.sizeBits = bits;
            info->untypedList[place - info->untyped.start] = piece;
            piece.paddr += BIT(bits);
            if (place == info->untyped.end) {
                info->untyped.end++;
                info->empty.start++;
            }
            place = info->untyped.end;
        }
    }
    return true;
}

/* Makes the reservation. If that fails, std works in one thread and cannot make others. */
void objects_reserve(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word bytes = 0, objects = 0;
    for (size_t i = 0; i < ARRAY_SIZE(stocks); i++) {
        bytes += stocks[i].count << stocks[i].size_bits;
        objects += stocks[i].count;
    }
    seL4_CPtr untyped = info != NULL ? take_slots(info, objects + 1) : seL4_CapNull;
    if (untyped == seL4_CapNull || !take_memory(info, ROUND_UP(bytes, BIT(seL4_PageBits)), untyped)) {
        return;
    }
    seL4_CPtr slot = untyped + 1;
    for (size_t i = 0; i < ARRAY_SIZE(stocks); i++) {
        if (retype(untyped, stocks[i].type, stocks[i].size_bits, slot, stocks[i].count) != seL4_NoError) {
            return;
        }
        stocks[i].first = slot;
        slot += stocks[i].count;
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

seL4_CPtr new_object(seL4_Word type, seL4_Word size_bits)
{
    message_t message;
    assert_no_lock();
    message_keep(&message, FEW_WORDS);
    seL4_CPtr object = sel4std_new_object(type, size_bits);
    message_restore(&message);
    return object;
}

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
