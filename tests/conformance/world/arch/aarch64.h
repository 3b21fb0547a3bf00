/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#define SMALL_PAGE seL4_ARM_SmallPageObject
#define LARGE_PAGE seL4_ARM_LargePageObject
#define VSPACE seL4_ARM_VSpaceObject
#define TABLE_LEVELS 3
/* From the root to the pages. */
static const seL4_Word table_types[TABLE_LEVELS] = { seL4_ARM_PageTableObject, seL4_ARM_PageTableObject,
                                                     seL4_ARM_PageTableObject };

static inline seL4_Error page_map(seL4_CPtr page, seL4_CPtr vspace, seL4_Word address, seL4_CapRights_t rights)
{
    return seL4_ARM_Page_Map(page, vspace, address, rights, seL4_ARM_Default_VMAttributes);
}

static inline seL4_Error page_unmap(seL4_CPtr page)
{
    return seL4_ARM_Page_Unmap(page);
}

static inline seL4_Error page_address(seL4_CPtr page, seL4_Word *address)
{
    seL4_ARM_Page_GetAddress_t result = seL4_ARM_Page_GetAddress(page);
    *address = result.paddr;
    return result.error;
}

static inline seL4_Error table_map(int level, seL4_CPtr table, seL4_CPtr vspace, seL4_Word address)
{
    (void)level;
    return seL4_ARM_PageTable_Map(table, vspace, address, seL4_ARM_Default_VMAttributes);
}

static inline seL4_Error table_unmap(int level, seL4_CPtr table)
{
    (void)level;
    return seL4_ARM_PageTable_Unmap(table);
}

static inline seL4_Error asid_make_pool(seL4_CPtr untyped, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth)
{
    return seL4_ARM_ASIDControl_MakePool(seL4_CapASIDControl, untyped, root, index, depth);
}

static inline seL4_Error asid_assign(seL4_CPtr pool, seL4_CPtr vspace)
{
    return seL4_ARM_ASIDPool_Assign(pool, vspace);
}

static inline void context_enter(seL4_UserContext *context, seL4_Word entry, seL4_Word stack, seL4_Word argument)
{
    context->pc = entry;
    context->sp = stack;
    context->x0 = argument;
}

/* Names for registers: instruction, stack, first argument, and one that functions keep. */
#define CONTEXT_IP pc
#define CONTEXT_SP sp
#define CONTEXT_ARGUMENT x0
#define CONTEXT_RESULT x0
#define CONTEXT_KEPT x19

/* How far in probe_syscall the instruction after the system call is. */
#define AFTER_SYSCALL 8

/* How much further the instruction after probe_undefined's is. */
#define UNDEFINED_BYTES 4
#define FLAGS_OF_USER 0
