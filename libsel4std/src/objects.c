/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel objects, from a reservation made before main(), and frames of the image.
 */
#include "internal.h"

#include <stdio.h>
#include <sel4runtime.h>
#include <sel4std.h>

/* Each thread needs one object of each kind. The first thread and three locks need notifications, too. */
#define THREADS (MAX_THREADS + SERVICES)
#define NOTIFICATIONS (THREADS + 4)
/* The watcher's, and one for each thread that it watches. */
#ifdef CONFIG_PLAT_HOSTED
#define ENDPOINTS 0
#else
#define ENDPOINTS (MAX_THREADS + 2)
#endif

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
#if ENDPOINTS > 0
    { .type = seL4_EndpointObject, .size_bits = seL4_EndpointBits, .count = ENDPOINTS },
#endif
#if GROWTH_BYTES > 0
    { .type = GROWTH_PAGE, .size_bits = seL4_LargePageBits, .count = GROWTH_BYTES >> seL4_LargePageBits },
#endif
};

/* Objects of all stocks, the untyped that they are made of, and at most one untyped of each size that is left of it. */
#define COUNT_OF_PAGES (GROWTH_BYTES >> seL4_LargePageBits)
#ifdef CONFIG_KERNEL_MCS
#define COUNT_OF_OBJECTS (2 * THREADS + NOTIFICATIONS + ENDPOINTS + (COUNT_OF_PAGES > 0 ? 2 : 0) + COUNT_OF_PAGES)
#else
#define COUNT_OF_OBJECTS (THREADS + NOTIFICATIONS + ENDPOINTS + (COUNT_OF_PAGES > 0 ? 2 : 0) + COUNT_OF_PAGES)
#endif
#define MOST_SLOTS (COUNT_OF_OBJECTS + 1 + seL4_MaxUntypedBits - seL4_PageBits)

/* Tells the check after linking (rust/tool), by the value of a symbol, how many slots objects_reserve() takes. */
static void __attribute__((used, noinline)) tell_slots(void)
{
    asm volatile(".globl sel4std_slots\n.set sel4std_slots, %c0" ::"i"(MOST_SLOTS));
}

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

/* Failure of the reservation, with what it needs and what there is. */
static struct {
    const char *of, *option;
    seL4_Word needed, found;
} lack;

static void fail(const char *of, seL4_Word needed, seL4_Word found, const char *option)
{
    lack.of = of;
    lack.option = option;
    lack.needed = needed;
    lack.found = found;
}

/* Makes the reservation. If that fails, std works in one thread and cannot make others, and objects_report() says why. */
void objects_reserve(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word bytes = 0, found = 0;
    for (size_t i = 0; i < ARRAY_SIZE(stocks); i++) {
        bytes += stocks[i].count << stocks[i].size_bits;
    }
    if (info == NULL) {
        fail("BootInfo", 1, 0, "sel4std_new_object()");
        return;
    }
    seL4_Word slots = info->empty.end - info->empty.start;
    seL4_CPtr untyped = take_slots(info, COUNT_OF_OBJECTS + 1);
    if (untyped == seL4_CapNull) {
        fail("empty slots in the root CNode", MOST_SLOTS, slots, "a larger KernelRootCNodeSizeBits");
        return;
    }
    if (!take_memory(info, ROUND_UP(bytes, BIT(seL4_PageBits)), untyped)) {
        for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
            const seL4_UntypedDesc *piece = &info->untypedList[i];
            found = !piece->isDevice && BIT(piece->sizeBits) > found ? BIT(piece->sizeBits) : found;
        }
        fail("bytes, and one more, of one untyped", bytes, found, "a smaller RUST_STD_THREADS or RUST_STD_GROWTH");
        return;
    }
    seL4_CPtr slot = untyped + 1;
    for (size_t i = 0; i < ARRAY_SIZE(stocks); i++) {
        if (retype(untyped, stocks[i].type, stocks[i].size_bits, slot, stocks[i].count) != seL4_NoError) {
            fail("objects of a type", stocks[i].count, 0, "a smaller RUST_STD_THREADS or RUST_STD_GROWTH");
            return;
        }
        stocks[i].first = slot;
        slot += stocks[i].count;
    }
}

void objects_report(void)
{
    if (lack.of != NULL) {
        char line[256];
        snprintf(
            line, sizeof(line),
            "sel4std: there are no kernel objects for threads: %lu %s are needed, and there are %lu; configure %s\n",
            (unsigned long)lack.needed, lack.of, (unsigned long)lack.found, lack.option);
        say(line);
        lack.of = NULL;
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
