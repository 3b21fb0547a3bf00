/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Pages, page tables, address spaces and ASIDs.
 */
#include "subjects.h"

/* Two addresses that share no page table but the root; nothing is mapped near them. The second is so far away that all
 * tables are missing. */
#define NEAR 0x18000000ul
#define FAR 0x300000000000ul
#define ROOT seL4_CapInitThreadVSpace

/* Tries to map a page; says what is missing, if a table is. */
static seL4_Error map_page(const char *what, seL4_CPtr page, seL4_CPtr vspace, seL4_Word address,
                           seL4_CapRights_t rights)
{
    return attempt(what, page_map(page, vspace, address, rights));
}

/* What a thread of its own sees there, whose faults are answered by its end. */
static void reads(seL4_Word address, seL4_Word unused)
{
    (void)unused;
    say("has read %lx", probe_read(address));
}

static void writes(seL4_Word address, seL4_Word value)
{
    probe_write(address, value);
    say("has written %lx", value);
}

static void access(const char *what, thread_body body, seL4_Word address, seL4_Word value)
{
    seL4_CPtr faults = make(seL4_EndpointObject);
    struct thread *thread = thread_make(what, 150, body, address, value);
    thread_set_fault_handler(thread, mint(faults, seL4_AllRights, 99));
    seL4_TCB_Resume(thread->tcb);
    seL4_Word badge;
    nb_recv(faults, &badge);
    if (badge) {
        seL4_Word at = seL4_GetMR(seL4_VMFault_Addr), status = seL4_GetMR(seL4_VMFault_FSR);
        say("%s: fault at %lx, status %lx", what, at, status);
    }
    thread_end(thread);
}

static void tables_one_by_one(void)
{
    seL4_CPtr page = make(SMALL_PAGE), tables[TABLE_LEVELS];
    for (int level = 0; level < TABLE_LEVELS; level++) {
        tables[level] = make(table_types[level]);
        map_page("the page", page, ROOT, FAR, seL4_ReadWrite);
        if (level + 1 < TABLE_LEVELS && table_types[level] != table_types[level + 1]) {
            attempt("a table that comes later", table_map(level + 1, make(table_types[level + 1]), ROOT, FAR));
        }
        attempt("the table that is missing", table_map(level, tables[level], ROOT, FAR));
        attempt("the same again", table_map(level, tables[level], ROOT, FAR));
    }
    map_page("the page", page, ROOT, FAR, seL4_ReadWrite);
    attempt("a table where none is missing",
            table_map(TABLE_LEVELS - 1, make(table_types[TABLE_LEVELS - 1]), ROOT, FAR));
    access("write", writes, FAR, 0x11);
    access("read", reads, FAR, 0);
    for (int level = TABLE_LEVELS; level-- > 0;) {
        attempt("unmap a table", table_unmap(level, tables[level]));
        access("read", reads, FAR, 0);
        attempt("unmap it again", table_unmap(level, tables[level]));
    }
    attempt("unmap the page", page_unmap(page));
    map_page("the page", page, ROOT, FAR, seL4_ReadWrite);
}

static void tables_are_deleted(void)
{
    seL4_CPtr page = make(SMALL_PAGE), table = make(table_types[TABLE_LEVELS - 1]);
    attempt("a table", table_map(TABLE_LEVELS - 1, table, ROOT, NEAR));
    map_page("a page", page, ROOT, NEAR, seL4_ReadWrite);
    seL4_CPtr copy = slot();
    attempt("a copy of a table that is mapped", seL4_CNode_Copy(AT(copy), AT(table), seL4_AllRights));
    attempt("a copy of one that is not",
            seL4_CNode_Copy(AT(slot()), AT(make(table_types[TABLE_LEVELS - 1])), seL4_AllRights));
    seL4_CPtr moved = slot();
    attempt("it moves", seL4_CNode_Move(AT(moved), AT(table)));
    access("read", reads, NEAR, 0);
    attempt("delete it", seL4_CNode_Delete(AT(moved)));
    access("read", reads, NEAR, 0);
    attempt("delete the copy", seL4_CNode_Delete(AT(copy)));
    access("read", reads, NEAR, 0);
    map_page("the page", page, ROOT, NEAR, seL4_ReadWrite);
    seL4_CPtr other = make(table_types[TABLE_LEVELS - 1]);
    attempt("another table", table_map(TABLE_LEVELS - 1, other, ROOT, NEAR));
    access("read", reads, NEAR, 0);
    map_page("the page", page, ROOT, NEAR, seL4_ReadWrite);
    access("read", reads, NEAR, 0);
}

static void addresses(void)
{
    seL4_CPtr page = make(SMALL_PAGE), large = make(LARGE_PAGE);
    static const seL4_Word wrong[] = { NEAR + 1,
                                       NEAR + 0x800,
                                       (seL4_Word)1 << 47,
                                       ((seL4_Word)1 << 47) - 0x1000,
                                       (seL4_Word)0xffffffff80000000,
                                       (seL4_Word)-1,
                                       (seL4_Word)1 << 48 };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        say("%lx", wrong[i]);
        map_page("a page", page, ROOT, wrong[i], seL4_ReadWrite);
        map_page("a large page", large, ROOT, wrong[i], seL4_ReadWrite);
        attempt("a table", table_map(0, make(table_types[0]), ROOT, wrong[i]));
    }
    map_page("a large page that is aligned as a small one", large, ROOT, NEAR + 0x1000, seL4_ReadWrite);
    map_page("a page to nowhere", page, slot(), NEAR, seL4_ReadWrite);
    map_page("a page to an endpoint", page, make(seL4_EndpointObject), NEAR, seL4_ReadWrite);
    map_page("a page to a page", page, page, NEAR, seL4_ReadWrite);
    map_page("a page to an address space without ASID", page, make(VSPACE), NEAR, seL4_ReadWrite);
    map_page("nothing", slot(), ROOT, NEAR, seL4_ReadWrite);
    attempt("unmap what is not mapped", page_unmap(page));
    attempt("unmap nothing", page_unmap(slot()));
}

static void remapping(void)
{
    seL4_CPtr page = make(SMALL_PAGE), other = make(SMALL_PAGE), copy = mint(page, seL4_AllRights, 0);
    map(page, NEAR);
    *(seL4_Word *)NEAR = 0x51;
    map_page("the same address again", page, ROOT, NEAR, seL4_ReadWrite);
    map_page("the same, to read", page, ROOT, NEAR, seL4_CanRead);
    access("read", reads, NEAR, 0);
    access("write", writes, NEAR, 1);
    map_page("the same, to write too", page, ROOT, NEAR, seL4_ReadWrite);
    access("write", writes, NEAR, 0x52);
    map_page("another address", page, ROOT, NEAR + 0x1000, seL4_ReadWrite);
    map_page("a copy there", copy, ROOT, NEAR + 0x1000, seL4_ReadWrite);
    access("read", reads, NEAR + 0x1000, 0);
    map_page("another page where one is", other, ROOT, NEAR, seL4_ReadWrite);
    access("read", reads, NEAR, 0);
    attempt("unmap the first", page_unmap(page));
    access("read", reads, NEAR, 0);
    access("read", reads, NEAR + 0x1000, 0);
    map_page("the first elsewhere", page, ROOT, NEAR + 0x2000, seL4_ReadWrite);
    access("read", reads, NEAR + 0x2000, 0);
    attempt("a copy of what is mapped", seL4_CNode_Copy(AT(slot()), AT(page), seL4_AllRights));
}

static void rights(void)
{
    seL4_CPtr page = make(SMALL_PAGE);
    map(page, NEAR);
    attempt("unmap", page_unmap(page));
    for (int bits = 0; bits < 4; bits++) {
        for (int asked = 0; asked < 4; asked++) {
            seL4_CPtr copy = mint(page, seL4_CapRights_new(0, 0, bits >> 1, bits & 1), 0);
            say("capability: read %d write %d; asked for: read %d write %d", bits >> 1, bits & 1, asked >> 1,
                asked & 1);
            map_page("map", copy, ROOT, NEAR, seL4_CapRights_new(0, 0, asked >> 1, asked & 1));
            access("read", reads, NEAR, 0);
            access("write", writes, NEAR, 1);
            attempt("delete", seL4_CNode_Delete(AT(copy)));
        }
    }
    access("read", reads, NEAR, 0);
}

static void shared(void)
{
    seL4_CPtr page = make(SMALL_PAGE), copy = mint(page, seL4_AllRights, 0);
    map(page, NEAR);
    map(copy, FAR);
    *(volatile seL4_Word *)(NEAR + 64) = 0xabc;
    say("at both addresses: %d", *(volatile seL4_Word *)(FAR + 64) == 0xabc);
    seL4_Word first = 0, second = 1;
    attempt("address", page_address(page, &first));
    attempt("address of the copy", page_address(copy, &second));
    say("they are equal: %d, aligned: %d", first == second, (first & 0xfff) == 0);
    attempt("revoke the first", seL4_CNode_Revoke(AT(page)));
    access("read", reads, FAR + 64, 0);
    access("read", reads, NEAR + 64, 0);
    attempt("delete the first", seL4_CNode_Delete(AT(page)));
    access("read", reads, NEAR + 64, 0);
    attempt("address of what is gone", page_address(copy, &second));
}

static void large_pages(void)
{
    seL4_CPtr large = make(LARGE_PAGE), page = make(SMALL_PAGE), table = make(table_types[TABLE_LEVELS - 1]);
    map_page("a large page", large, ROOT, NEAR, seL4_ReadWrite);
    access("write", writes, NEAR + 0x1ff000, 0x99);
    access("read beyond", reads, NEAR + 0x200000, 0);
    map_page("a page into it", page, ROOT, NEAR + 0x1000, seL4_ReadWrite);
    attempt("a table over it", table_map(TABLE_LEVELS - 1, table, ROOT, NEAR));
    attempt("unmap", page_unmap(large));
    access("read", reads, NEAR + 0x1ff000, 0);
    attempt("a table instead", table_map(TABLE_LEVELS - 1, table, ROOT, NEAR));
    map_page("the large page over it", large, ROOT, NEAR, seL4_ReadWrite);
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, seL4_LargePageBits - 1);
    attempt("a large page of half its memory",
            seL4_Untyped_Retype(untyped, LARGE_PAGE, 0, seL4_CapInitThreadCNode, 0, 0, slot(), 1));
}

static void spaces_and_asids(void)
{
    seL4_CPtr vspace = make(VSPACE), second = make(VSPACE), page = make(SMALL_PAGE), pool = slot();
    seL4_CPtr untyped = make_sized(seL4_UntypedObject, 12);
    attempt("map into a fresh one", page_map(page, vspace, NEAR, seL4_ReadWrite));
    attempt("an ASID", asid_assign(seL4_CapInitThreadASIDPool, vspace));
    attempt("another ASID", asid_assign(seL4_CapInitThreadASIDPool, vspace));
    attempt("map into it", page_map(page, vspace, NEAR, seL4_ReadWrite));
    attempt("an ASID for a page", asid_assign(seL4_CapInitThreadASIDPool, page));
    attempt("an ASID for nothing", asid_assign(seL4_CapInitThreadASIDPool, slot()));
    attempt("a copy of one with an ASID", seL4_CNode_Copy(AT(slot()), AT(vspace), seL4_AllRights));
    attempt("a copy of one without", seL4_CNode_Copy(AT(slot()), AT(second), seL4_AllRights));
    attempt("a pool of too little memory", asid_make_pool(make_sized(seL4_UntypedObject, 11), AT(pool)));
    attempt("a pool of too much memory", asid_make_pool(make_sized(seL4_UntypedObject, 13), AT(pool)));
    attempt("a pool of an endpoint", asid_make_pool(make(seL4_EndpointObject), AT(pool)));
    attempt("a pool into a taken slot", asid_make_pool(untyped, AT(page)));
    attempt("a pool at a wrong depth", asid_make_pool(untyped, seL4_CapInitThreadCNode, pool, 3));
    attempt("a pool", asid_make_pool(untyped, AT(pool)));
    attempt("another of the same memory", asid_make_pool(untyped, AT(slot())));
    attempt("an ASID of it", asid_assign(pool, second));
    attempt("a copy of the pool", seL4_CNode_Copy(AT(slot()), AT(pool), seL4_AllRights));
    attempt("delete the pool", seL4_CNode_Delete(AT(pool)));
    attempt("map into the one that had an ASID of it", page_map(make(SMALL_PAGE), second, NEAR, seL4_ReadWrite));
    seL4_CPtr tcb = make(seL4_TCBObject);
    attempt("a thread in it", seL4_TCB_SetSpace(tcb, 0, seL4_CapInitThreadCNode, 0, second, 0));
    attempt("a thread in the other", seL4_TCB_SetSpace(tcb, 0, seL4_CapInitThreadCNode, 0, vspace, 0));
    attempt("a new pool of the memory", asid_make_pool(untyped, AT(pool)));
    attempt("an ASID of it", asid_assign(pool, second));
    attempt("of an endpoint", asid_assign(make(SMALL_PAGE), second));
}

/* A whole pool: as many as its index has. */
static void all_asids_of_a_pool(void)
{
    seL4_CPtr pool = slot(), memory = make_sized(seL4_UntypedObject, 22), space = slot();
    attempt("a pool", asid_make_pool(make_sized(seL4_UntypedObject, 12), AT(pool)));
    /* Spaces live on after their capability moved into a CNode. */
    seL4_CPtr node = make_sized(seL4_CapTableObject, 10);
    unsigned count = 0;
    seL4_Error error = seL4_NoError;
    while (!error && count < 600) {
        error = seL4_Untyped_Retype(memory, VSPACE, 0, seL4_CapInitThreadCNode, 0, 0, space, 1);
        if (!error) {
            error = asid_assign(pool, space);
        }
        if (!error) {
            error = seL4_CNode_Move(node, count, 10, AT(space));
            count++;
        }
    }
    attempt("the first that fails", error);
    say("after %u", count);
    attempt("delete one", seL4_CNode_Delete(node, 5, 10));
    attempt("again", asid_assign(pool, space));
}

/* A thread in an address space of its own, with one page of code that the main thread wrote: it faults at once. */
static void thread_in_another_space(void)
{
    seL4_CPtr vspace = make(VSPACE), page = make(SMALL_PAGE), tcb = make(seL4_TCBObject),
              faults = make(seL4_EndpointObject);
    attempt("an ASID", asid_assign(seL4_CapInitThreadASIDPool, vspace));
    for (int level = 0; level < TABLE_LEVELS; level++) {
        attempt("a table", table_map(level, make(table_types[level]), vspace, NEAR));
    }
    map_page("a page", page, vspace, NEAR, seL4_ReadWrite);
    seL4_CPtr handler = mint(faults, seL4_AllRights, 7);
#ifdef CONFIG_KERNEL_MCS
    seL4_CPtr context = thread_make("its time", 50, reads, 0, 0)->sched_context;
    attempt("its time", seL4_SchedContext_Unbind(context));
    attempt("the thread", seL4_TCB_Configure(tcb, seL4_CapInitThreadCNode, 0, vspace, 0, 0, 0));
    attempt("its handler", seL4_TCB_SetSpace(tcb, handler, seL4_CapInitThreadCNode, 0, vspace, 0));
    attempt("its priority", seL4_TCB_SetSchedParams(tcb, seL4_CapInitThreadTCB, 0, 150, context, handler));
#else
    attempt("the thread", seL4_TCB_Configure(tcb, handler, seL4_CapInitThreadCNode, 0, vspace, 0, 0, 0));
    attempt("its priority", seL4_TCB_SetPriority(tcb, seL4_CapInitThreadTCB, 150));
#endif
    seL4_UserContext context_of_it = { 0 };
    /* The page holds zeros; the next one is not there. */
    context_enter(&context_of_it, NEAR + 0x1000, NEAR + 0x800, 0);
    attempt("its registers", seL4_TCB_WriteRegisters(tcb, 1, 0, CONTEXT_WORDS, &context_of_it));
    seL4_Word badge;
    nb_recv(faults, &badge);
    seL4_Word ip = seL4_GetMR(seL4_VMFault_IP), at = seL4_GetMR(seL4_VMFault_Addr);
    seL4_Word instruction = seL4_GetMR(seL4_VMFault_PrefetchFault), status = seL4_GetMR(seL4_VMFault_FSR);
    say("badge %lu, ip %lx, address %lx, instruction %lu, status %lx", badge, ip, at, instruction, status);
    attempt("delete its address space", seL4_CNode_Delete(AT(vspace)));
    attempt("let it run", seL4_TCB_Resume(tcb));
    nb_recv(faults, &badge);
    say("badge %lu", badge);
}

const struct scenario memory_scenarios[] = {
    { "page tables one by one", tables_one_by_one },
    { "page tables are deleted", tables_are_deleted },
    { "addresses that are refused", addresses },
    { "remapping", remapping },
    { "rights", rights },
    { "shared pages", shared },
    { "large pages", large_pages },
    { "address spaces and ASIDs", spaces_and_asids },
    { "all ASIDs of a pool", all_asids_of_a_pool },
    { 0 },
};

const struct scenario space_scenarios[] = {
    { "a thread in another address space", thread_in_another_space },
    { 0 },
};
