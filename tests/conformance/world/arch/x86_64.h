/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#define SMALL_PAGE seL4_X86_4K
#define LARGE_PAGE seL4_X86_LargePageObject
#define VSPACE seL4_X64_PML4Object
#define TABLE_LEVELS 3
/* From the root to the pages. */
static const seL4_Word table_types[TABLE_LEVELS] = { seL4_X86_PDPTObject, seL4_X86_PageDirectoryObject,
                                                     seL4_X86_PageTableObject };

static inline seL4_Error page_map(seL4_CPtr page, seL4_CPtr vspace, seL4_Word address, seL4_CapRights_t rights)
{
    return seL4_X86_Page_Map(page, vspace, address, rights, seL4_X86_Default_VMAttributes);
}

static inline seL4_Error page_unmap(seL4_CPtr page)
{
    return seL4_X86_Page_Unmap(page);
}

static inline seL4_Error page_address(seL4_CPtr page, seL4_Word *address)
{
    seL4_X86_Page_GetAddress_t result = seL4_X86_Page_GetAddress(page);
    *address = result.paddr;
    return result.error;
}

static inline seL4_Error table_map(int level, seL4_CPtr table, seL4_CPtr vspace, seL4_Word address)
{
    switch (level) {
    case 0: return seL4_X86_PDPT_Map(table, vspace, address, seL4_X86_Default_VMAttributes);
    case 1: return seL4_X86_PageDirectory_Map(table, vspace, address, seL4_X86_Default_VMAttributes);
    default: return seL4_X86_PageTable_Map(table, vspace, address, seL4_X86_Default_VMAttributes);
    }
}

static inline seL4_Error table_unmap(int level, seL4_CPtr table)
{
    switch (level) {
    case 0: return seL4_X86_PDPT_Unmap(table);
    case 1: return seL4_X86_PageDirectory_Unmap(table);
    default: return seL4_X86_PageTable_Unmap(table);
    }
}

static inline seL4_Error asid_make_pool(seL4_CPtr untyped, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth)
{
    return seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, untyped, root, index, depth);
}

static inline seL4_Error asid_assign(seL4_CPtr pool, seL4_CPtr vspace)
{
    return seL4_X86_ASIDPool_Assign(pool, vspace);
}

static inline void context_enter(seL4_UserContext *context, seL4_Word entry, seL4_Word stack, seL4_Word argument)
{
    context->rip = entry;
    /* As if entry had been called. */
    context->rsp = stack - sizeof(seL4_Word);
    context->rdi = argument;
    context->rflags = 0x202;
}

/* Names for registers: instruction, stack, first argument, and one that functions keep. */
#define CONTEXT_IP rip
#define CONTEXT_SP rsp
#define CONTEXT_ARGUMENT rdi
#define CONTEXT_RESULT rax
#define CONTEXT_KEPT rbx

/* How far in probe_syscall the instruction after the system call is. */
#define AFTER_SYSCALL 9

/* How much further the instruction after probe_undefined's is. */
#define UNDEFINED_BYTES 2
#define FLAGS_OF_USER 0x202
