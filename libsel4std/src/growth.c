/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory beyond the image: large pages from untyped memory, at addresses that neither the kernel nor libsel4utils chooses.
 * Pages stay mapped.
 */
#include "internal.h"

int growth_lacks = NOTHING;

#if GROWTH_BYTES > 0

#ifdef CONFIG_ARCH_AARCH64
#define LOWER_TABLE seL4_ARM_PageTableObject
#define UPPER_TABLE seL4_ARM_PageTableObject
#else
#define LOWER_TABLE seL4_X86_PageDirectoryObject
#define UPPER_TABLE seL4_X86_PDPTObject
#endif

/* A page, and the two tables above all pages, which lie in one. */
enum { FRAME, LOWER, UPPER };

typedef struct {
    seL4_Word type, size_bits;
    bool mapped; /* for tables */
    int spares;
    seL4_CPtr spare[MAX_THREADS + 2]; /* a thread brings one, and others may bring one meanwhile */
} kind_t;

static kind_t kinds[] = {
    [FRAME] = { .type = GROWTH_PAGE, .size_bits = seL4_LargePageBits },
    [LOWER] = { .type = LOWER_TABLE, .size_bits = seL4_PageTableBits },
    [UPPER] = { .type = UPPER_TABLE, .size_bits = seL4_PageTableBits },
};

/* Maps an object of this kind. The object stays a spare one if that fails. */
static bool use(int kind, seL4_Error (*map)(seL4_CPtr, seL4_Word), seL4_Word at)
{
    kind_t *all = &kinds[kind];
    if (all->mapped) {
        return true;
    }
    if (all->spares == 0) {
        growth_lacks = kind;
        return false;
    }
    if (map(all->spare[all->spares - 1], at) != seL4_NoError) {
        return false;
    }
    all->spares--;
    all->mapped = kind != FRAME;
    return true;
}

#ifdef CONFIG_ARCH_AARCH64
static seL4_Error map_page(seL4_CPtr frame, seL4_Word at)
{
    return seL4_ARM_Page_Map(frame, seL4_CapInitThreadVSpace, at, seL4_AllRights,
                             seL4_ARM_Default_VMAttributes | seL4_ARM_ExecuteNever);
}

static seL4_Error map_table(seL4_CPtr table, seL4_Word at)
{
    return seL4_ARM_PageTable_Map(table, seL4_CapInitThreadVSpace, at, seL4_ARM_Default_VMAttributes);
}

/* Each call for a table maps the next that is missing, from above. */
static bool map_with_tables(seL4_Word at)
{
    return use(LOWER, map_table, at)
           && (use(FRAME, map_page, at) || (use(UPPER, map_table, at) && use(FRAME, map_page, at)));
}
#else
static seL4_Error map_page(seL4_CPtr frame, seL4_Word at)
{
    return seL4_X86_Page_Map(frame, seL4_CapInitThreadVSpace, at, seL4_AllRights, seL4_X86_Default_VMAttributes);
}

static seL4_Error map_directory(seL4_CPtr table, seL4_Word at)
{
    return seL4_X86_PageDirectory_Map(table, seL4_CapInitThreadVSpace, at, seL4_X86_Default_VMAttributes);
}

static seL4_Error map_pointers(seL4_CPtr table, seL4_Word at)
{
    return seL4_X86_PDPT_Map(table, seL4_CapInitThreadVSpace, at, seL4_X86_Default_VMAttributes);
}

/* The image may have brought the upper table. */
static bool map_with_tables(seL4_Word at)
{
    bool mapped = use(LOWER, map_directory, at);
    if (!mapped && growth_lacks == NOTHING) {
        mapped = use(UPPER, map_pointers, at) && use(LOWER, map_directory, at);
    }
    return mapped && use(FRAME, map_page, at);
}
#endif

bool growth_map(void *address)
{
    seL4_Word at = (seL4_Word)address;
    message_t message;
    message_keep(&message, FEW_WORDS);
    growth_lacks = NOTHING;
    bool mapped = use(FRAME, map_page, at) || (growth_lacks == NOTHING && map_with_tables(at));
    message_restore(&message);
    return mapped;
}

seL4_CPtr growth_make(int kind)
{
    return new_object(kinds[kind].type, kinds[kind].size_bits);
}

void growth_put(int kind, seL4_CPtr object)
{
    kind_t *all = &kinds[kind];
    all->spare[all->spares++] = object;
}

#else

bool growth_map(void *address)
{
    (void)address;
    return false;
}

seL4_CPtr growth_make(int kind)
{
    (void)kind;
    return seL4_CapNull;
}

void growth_put(int kind, seL4_CPtr object)
{
    (void)kind;
    (void)object;
}

#endif
