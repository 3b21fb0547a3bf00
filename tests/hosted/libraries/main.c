/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What seL4_libs do with a kernel: allocman's objects, vka, address spaces, threads and processes of sel4utils. It says
 * what came of it, without addresses and without what depends on how much memory there is.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <sel4runtime.h>
#include <sel4utils/process.h>
#include <sel4utils/thread.h>
#include <sel4utils/vspace.h>
#include <simple-default/simple-default.h>
#include <vka/capops.h>

#define ROUNDS 8
#define OBJECTS 400
#define PAGES 700
#define THREADS 40
#define CALLS 500

static simple_t simple;
static vka_t vka;
static vspace_t vspace;
/* With MCS, what is answered by. */
static vka_object_t reply;
static sel4utils_alloc_data_t vspace_data;
static char pool[64 * BIT(seL4_PageBits)];

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("| ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

static void must(int error, const char *what)
{
    if (error) {
        say("%s: error %d", what, error);
        exit(1);
    }
}

/* The same numbers each time. */
static seL4_Word number(void)
{
    static seL4_Word state = 1;
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return state >> 33;
}

static void begin(void)
{
    /* What allocman gets to manage objects in, when the first of it is used up. */
    const size_t more = 16 * 1024 * 1024;
    seL4_BootInfo *info = sel4runtime_bootinfo();
    simple_default_init_bootinfo(&simple, info);
    allocman_t *allocman = bootstrap_use_current_simple(&simple, sizeof(pool), pool);
    must(allocman == NULL, "allocman");
    allocman_make_vka(&vka, allocman);
    must(sel4utils_bootstrap_vspace_with_bootinfo_leaky(&vspace, &vspace_data, simple_get_pd(&simple), &vka, info),
         "vspace");
    void *start;
    reservation_t reservation = vspace_reserve_range(&vspace, more, seL4_AllRights, 1, &start);
    must(reservation.res == NULL, "addresses for allocman");
    bootstrap_configure_virtual_pool(allocman, start, more, simple_get_pd(&simple));
    if (config_set(CONFIG_KERNEL_MCS)) {
        must(vka_alloc_reply(&vka, &reply), "a reply object");
    }
    say("allocman, vka and vspace are there");
}

static int make_any(vka_object_t *object)
{
    switch (number() % 7) {
    case 0: return vka_alloc_tcb(&vka, object);
    case 1: return vka_alloc_endpoint(&vka, object);
    case 2: return vka_alloc_notification(&vka, object);
    case 3: return vka_alloc_untyped(&vka, 4 + number() % 14, object);
    case 4: return vka_alloc_cnode_object(&vka, 1 + number() % 9, object);
    case 5: return vka_alloc_frame(&vka, number() % 16 == 0 ? seL4_LargePageBits : seL4_PageBits, object);
    default: return vka_alloc_page_table(&vka, object);
    }
}

/* Objects of all kinds come and go, in any order. */
static void objects(void)
{
    static vka_object_t made[OBJECTS];
    seL4_Word allocations = 0, frees = 0;
    for (int round = 0; round < ROUNDS * OBJECTS; round++) {
        vka_object_t *object = &made[number() % OBJECTS];
        if (object->cptr != 0) {
            vka_free_object(&vka, object);
            object->cptr = 0;
            frees++;
        } else {
            must(make_any(object), "an object");
            allocations++;
        }
    }
    for (int i = 0; i < OBJECTS; i++) {
        if (made[i].cptr != 0) {
            vka_free_object(&vka, &made[i]);
            made[i].cptr = 0;
            frees++;
        }
    }
    say("%lu objects made, %lu freed", allocations, frees);
}

/* Memory is used up and freed, and all of it is available again. */
static void exhaustion(void)
{
    static vka_object_t made[4096];
    int count[2];
    for (int round = 0; round < 2; round++) {
        int i = 0;
        while (i < 4096 && vka_alloc_untyped(&vka, 21, &made[i]) == 0) {
            i++;
        }
        count[round] = i;
        while (i-- > 0) {
            vka_free_object(&vka, &made[i]);
        }
    }
    say("memory ends: %d, and is the same again: %d", count[0] > 10 && count[0] < 4096, count[0] == count[1]);
}

static void capabilities(void)
{
    vka_object_t endpoint;
    must(vka_alloc_endpoint(&vka, &endpoint), "an endpoint");
    cspacepath_t source, copies[20];
    vka_cspace_make_path(&vka, endpoint.cptr, &source);
    for (int i = 0; i < 20; i++) {
        must(vka_cspace_alloc_path(&vka, &copies[i]), "a slot");
        must(vka_cnode_mint(&copies[i], &source, seL4_AllRights, i + 1), "a badge");
    }
    say("over a full slot: %d", vka_cnode_copy(&copies[0], &source, seL4_AllRights));
    must(vka_cnode_delete(&copies[0]), "delete");
    say("a badge on a badge: %d", vka_cnode_mint(&copies[0], &copies[1], seL4_AllRights, 7));
    must(vka_cnode_revoke(&source), "revoke");
    say("revoked, so empty: %d", vka_cnode_copy(&copies[0], &copies[1], seL4_AllRights));
    for (int i = 0; i < 20; i++) {
        vka_cspace_free_path(&vka, copies[i]);
    }
    vka_free_object(&vka, &endpoint);
}

static void pages(void)
{
    /* First, as page tables stay where small pages were. */
    char *large = vspace_new_pages(&vspace, seL4_AllRights, 2, seL4_LargePageBits);
    must(large == NULL, "large pages");
    memset(large, 5, BIT(seL4_LargePageBits + 1));
    say("large pages hold %d", large[BIT(seL4_LargePageBits)]);
    vspace_unmap_pages(&vspace, large, 2, seL4_LargePageBits, VSPACE_FREE);

    seL4_Word sum = 0;
    for (int round = 0; round < 3; round++) {
        seL4_Word *memory = vspace_new_pages(&vspace, seL4_AllRights, PAGES, seL4_PageBits);
        must(memory == NULL, "pages");
        for (size_t i = 0; i < PAGES * BIT(seL4_PageBits) / sizeof(seL4_Word); i++) {
            sum += memory[i];
            memory[i] = i;
        }
        for (size_t i = 0; i < PAGES * BIT(seL4_PageBits) / sizeof(seL4_Word); i++) {
            sum += memory[i] != i;
        }
        vspace_unmap_pages(&vspace, memory, PAGES, seL4_PageBits, VSPACE_FREE);
    }
    say("%d pages, three times: %lu words were not as they should be", PAGES, sum);

    /* The same memory at two places. */
    seL4_Word *page = vspace_new_pages(&vspace, seL4_AllRights, 1, seL4_PageBits);
    must(page == NULL, "a page");
    volatile seL4_Word *other = vspace_share_mem(&vspace, &vspace, page, 1, seL4_PageBits, seL4_AllRights, 1);
    must(other == NULL, "shared memory");
    page[3] = 42;
    say("what is written at one place is at the other: %lu", other[3]);
    vspace_unmap_pages(&vspace, (void *)other, 1, seL4_PageBits, VSPACE_FREE);
    vspace_unmap_pages(&vspace, page, 1, seL4_PageBits, VSPACE_FREE);
}

static sel4utils_thread_config_t configuration(seL4_CPtr faults, int priority)
{
    seL4_Word guard = api_make_guard_skip_word(seL4_WordBits - simple_get_cnode_size_bits(&simple));
    return thread_config_default(&simple, simple_get_cnode(&simple), guard, faults, priority);
}

static __thread seL4_Word own;
static vka_object_t never;

static void calls(void *endpoint, void *number, void *buffer)
{
    for (int i = 0; i < 20; i++) {
        own += (seL4_Word)number;
        seL4_SetMR(0, own);
        seL4_Call((seL4_CPtr)endpoint, seL4_MessageInfo_new(0, 0, 0, 1));
    }
    seL4_SetMR(0, seL4_GetIPCBuffer() == buffer);
    seL4_Send((seL4_CPtr)endpoint, seL4_MessageInfo_new(1, 0, 0, 1));
    seL4_Wait(never.cptr, NULL);
}

static void threads(void)
{
    static sel4utils_thread_t made[THREADS];
    vka_object_t endpoint;
    must(vka_alloc_endpoint(&vka, &endpoint), "an endpoint");
    must(vka_alloc_notification(&vka, &never), "a notification");
    for (int i = 0; i < THREADS; i++) {
        must(sel4utils_configure_thread_config(&vka, &vspace, &vspace, configuration(0, 100 + i), &made[i]),
             "a thread");
        must(sel4utils_start_thread(&made[i], calls, (void *)endpoint.cptr, (void *)(seL4_Word)(i + 1), 1),
             "its start");
    }
    seL4_Word ended = 0, sum = 0, own_buffers = 0;
    bool answer = false;
    while (ended < THREADS) {
        seL4_MessageInfo_t none = seL4_MessageInfo_new(0, 0, 0, 0);
        seL4_MessageInfo_t message = answer ? api_reply_recv(endpoint.cptr, none, NULL, reply.cptr)
                                            : api_recv(endpoint.cptr, NULL, reply.cptr);
        answer = seL4_MessageInfo_get_label(message) == 0;
        ended += !answer;
        *(answer ? &sum : &own_buffers) += seL4_GetMR(0);
    }
    say("%d threads sent %lu in all, each with variables of its own; own IPC buffers: %lu", THREADS, sum, own_buffers);
    for (int i = 0; i < THREADS; i++) {
        sel4utils_clean_up_thread(&vka, &vspace, &made[i]);
    }
    vka_free_object(&vka, &never);
    vka_free_object(&vka, &endpoint);
}

static void processes(void)
{
    vka_object_t endpoint;
    must(vka_alloc_endpoint(&vka, &endpoint), "an endpoint");
    cspacepath_t path;
    vka_cspace_make_path(&vka, endpoint.cptr, &path);
    for (int round = 1; round <= 3; round++) {
        sel4utils_process_t process;
        must(sel4utils_configure_process_custom(&process, &vka, &vspace,
                                                process_config_default_simple(&simple, "child", 200)),
             "a process");
        seL4_CPtr theirs = sel4utils_mint_cap_to_process(&process, path, seL4_AllRights, round);
        char text[24], *arguments[] = { "child", text };
        snprintf(text, sizeof(text), "%lu", (unsigned long)theirs);
        must(sel4utils_spawn_process_v(&process, &vka, &vspace, 2, arguments, 1), "its start");
        /* It waits for what has no badge, as this sends it. */
        seL4_Word sum = 0;
        for (seL4_Word i = 1; i <= CALLS; i++) {
            seL4_SetMR(0, i);
            seL4_Call(endpoint.cptr, seL4_MessageInfo_new(0, 0, 0, 1));
            sum += seL4_GetMR(0);
        }
        say("process %d answered %lu in all", round, sum);
        /* It writes where only this has memory. */
        seL4_SetMR(0, 0);
        seL4_SetMR(1, 0x50000000);
        seL4_Send(endpoint.cptr, seL4_MessageInfo_new(0, 0, 0, 2));
        seL4_MessageInfo_t message = api_recv(process.fault_endpoint.cptr, NULL, reply.cptr);
        say("its fault: label %lu, address %#lx", seL4_MessageInfo_get_label(message), seL4_GetMR(seL4_VMFault_Addr));
        sel4utils_destroy_process(&process, &vka);
    }
    vka_free_object(&vka, &endpoint);
}

int main(void)
{
    begin();
    objects();
    exhaustion();
    capabilities();
    pages();
    threads();
    processes();
    objects();
    say("end");
    return 0;
}
