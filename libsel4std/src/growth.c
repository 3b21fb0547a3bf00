/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory beyond the image: large pages from untyped memory, at addresses that neither the kernel nor libsel4utils chooses.
 * Pages stay mapped.
 */
#include "internal.h"

#if GROWTH_BYTES > 0

/* Makes and maps a page table, unless it exists. A mapping that failed is tried again. */
static seL4_Error use_table(seL4_CPtr *table, seL4_Word type, seL4_Error (*map)(seL4_CPtr, seL4_Word), seL4_Word at)
{
    if (*table == seL4_CapNull) {
        *table = new_object(type, seL4_PageTableBits);
    }
    return *table != seL4_CapNull ? map(*table, at) : seL4_NotEnoughMemory;
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

/* The tables above all pages, which lie in one: each call maps the next that is missing. */
static bool map_tables(seL4_CPtr frame, seL4_Word at)
{
    static seL4_CPtr tables[2];
    for (int i = 0; i < 2; i++) {
        if (use_table(&tables[i], seL4_ARM_PageTableObject, map_table, at) != seL4_NoError) {
            return false;
        }
        if (map_page(frame, at) == seL4_NoError) {
            return true;
        }
    }
    return false;
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

/* The tables above all pages, which lie in one. The image may have brought the upper. */
static bool map_tables(seL4_CPtr frame, seL4_Word at)
{
    static seL4_CPtr directory, pointers;
    if (use_table(&directory, seL4_X86_PageDirectoryObject, map_directory, at) != seL4_NoError
        && (use_table(&pointers, seL4_X86_PDPTObject, map_pointers, at) != seL4_NoError
            || map_directory(directory, at) != seL4_NoError)) {
        return false;
    }
    return map_page(frame, at) == seL4_NoError;
}
#endif

bool growth_map(void *address)
{
    static seL4_CPtr frame;
    seL4_Word at = (seL4_Word)address;
    if (frame == seL4_CapNull) {
        frame = new_object(GROWTH_PAGE, seL4_LargePageBits);
    }
    if (frame == seL4_CapNull) {
        return false;
    }
    message_t message;
    message_keep(&message);
    bool mapped = map_page(frame, at) == seL4_NoError || map_tables(frame, at);
    message_restore(&message);
    if (mapped) {
        frame = seL4_CapNull;
    }
    return mapped;
}

#else

bool growth_map(void *address)
{
    (void)address;
    return false;
}

#endif
