/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads of sel4utils, which muslc does not know, call Rust with std.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sel4utils/thread.h>
#include <vka/object.h>
#include <foreign.h>

#include "allocators.h"

#define PATTERN 0x5a5a5a5au

static vka_object_t done;

static void start(sel4utils_thread_entry_fn entry)
{
    /* The thread uses it as long as it runs. */
    sel4utils_thread_t *thread = calloc(1, sizeof(*thread));
    sel4utils_thread_config_t config = thread_config_default(&simple, simple_get_cnode(&simple),
                                                             api_make_guard_skip_word(0), seL4_CapNull, seL4_MaxPrio);
    require(!sel4utils_configure_thread_config(&vka, &vspace, &vspace, config, thread)
                && !sel4utils_start_thread(thread, entry, NULL, NULL, 1),
            "start a thread");
}

static void finish(void)
{
    seL4_Signal(done.cptr);
    for (;;) {
        seL4_Yield();
    }
}

/* The pattern covers the thread's stack down from its top, where muslc's errno would be. */
static void fails(void *first, void *second, void *ipc_buffer)
{
    volatile uint32_t stack[256];
    for (size_t i = 0; i < ARRAY_SIZE(stack); i++) {
        stack[i] = PATTERN;
    }
    bool known = foreign_fails();
    int changed = 0;
    for (size_t i = 0; i < ARRAY_SIZE(stack); i++) {
        changed += stack[i] != PATTERN;
    }
    printf("A call fails: %s, %d words of the stack changed\n", known ? "not found" : "for another reason", changed);
    finish();
}

static void allocates(void *first, void *second, void *ipc_buffer)
{
    foreign_allocate();
}

static void locks(void *first, void *second, void *ipc_buffer)
{
    foreign_lock();
    finish();
}

static void has_a_local(void *first, void *second, void *ipc_buffer)
{
    foreign_local();
    finish();
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    start_allocators();
    require(!vka_alloc_notification(&vka, &done), "make a notification");
    errno = EDOM;
    start(fails);
    seL4_Wait(done.cptr, NULL);
    printf("errno of the first thread is as before: %s\n", errno == EDOM ? "yes" : "no");
    foreign_keeps_the_lock();
    if (strcmp(CASE, "allocate") == 0) {
        start(allocates);
        start(allocates);
    } else {
        start(strcmp(CASE, "lock") == 0 ? locks : has_a_local);
    }
    seL4_Wait(done.cptr, NULL);
    printf("A thread that muslc does not know used std\n");
    return 0;
}
