/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parent: starts a child with three threads, and waits for the end of its test or for a fault.
 */
#include <sel4utils/helpers.h>
#include <vka/capops.h>
#include <vka/object.h>

#include "allocators.h"
#include "child.h"

/* Priorities of the child's threads. */
enum { LOW = 100, HIGH = 150 };

static sel4utils_process_t child;

/* Starts a thread of the child at `entry`, with `tls` as thread pointer. */
static void start_thread(seL4_CPtr endpoint, uint8_t priority, seL4_Word entry, seL4_Word tls)
{
    seL4_Word guard = api_make_guard_skip_word(seL4_WordBits - child.cspace_size);
    sel4utils_thread_config_t config = thread_config_default(&simple, child.cspace.cptr, guard, endpoint, priority);
    sel4utils_thread_t thread;
    require(!sel4utils_configure_thread_config(&vka, &vspace, &child.vspace, config, &thread), "make a thread");
    seL4_UserContext context = { 0 };
    require(!sel4utils_arch_init_context_with_args((sel4utils_thread_entry_fn)entry, (void *)thread.ipc_buffer_addr,
                                                   NULL, NULL, false, thread.stack_top, &context, &vka, &vspace,
                                                   &child.vspace),
            "prepare a thread");
    require(!seL4_TCB_WriteRegisters(thread.tcb.cptr, false, 0, sizeof(context) / sizeof(seL4_Word), &context)
                && !seL4_TCB_SetTLSBase(thread.tcb.cptr, tls) && !seL4_TCB_Resume(thread.tcb.cptr),
            "start a thread");
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    start_allocators();
    vka_object_t endpoint = { 0 };
    vka_object_t bell;
    vka_object_t sleepers;
    vka_object_t reply = { 0 };
    require(!vka_alloc_endpoint(&vka, &endpoint) && !vka_alloc_notification(&vka, &bell)
                && !vka_alloc_notification(&vka, &sleepers),
            "make its objects");
#ifdef CONFIG_KERNEL_MCS
    require(!vka_alloc_reply(&vka, &reply), "make a reply object");
#endif
    sel4utils_process_config_t config = process_config_default_simple(&simple, "child", LOW);
    config = process_config_fault_endpoint(config, endpoint);
    require(!sel4utils_configure_process_custom(&child, &vka, &vspace, config)
                && sel4utils_copy_cap_to_process(&child, &vka, bell.cptr) == BELL
                && sel4utils_copy_cap_to_process(&child, &vka, sleepers.cptr) == SLEEPERS,
            "make the child");
    char *arguments[] = { "child" };
    require(!sel4utils_spawn_process_v(&child, &vka, &vspace, 1, arguments, 1), "start the child");
    for (;;) {
        seL4_MessageInfo_t message = api_recv(endpoint.cptr, NULL, reply.cptr);
        switch (seL4_MessageInfo_get_label(message)) {
        case START: {
            seL4_Word low = seL4_GetMR(0);
            seL4_Word low_tls = seL4_GetMR(1);
            seL4_Word high = seL4_GetMR(2);
            seL4_Word high_tls = seL4_GetMR(3);
#ifdef CONFIG_KERNEL_MCS
            seL4_CPtr faults = endpoint.cptr;
#else
            seL4_CPtr faults = SEL4UTILS_ENDPOINT_SLOT;
            /* Without MCS, the calls below would lose the caller. */
            cspacepath_t caller;
            require(!vka_cspace_alloc_path(&vka, &caller) && !vka_cnode_saveCaller(&caller), "keep the caller");
            reply.cptr = caller.capPtr;
#endif
            start_thread(faults, LOW, low, low_tls);
            start_thread(faults, HIGH, high, high_tls);
            seL4_Send(reply.cptr, seL4_MessageInfo_new(0, 0, 0, 0));
            break;
        }
        case DONE: {
            seL4_Word rounds = seL4_GetMR(0);
            seL4_Word calls = seL4_GetMR(1);
            printf("Child: %lu of %d rounds, its lock %s\n", (unsigned long)rounds, ROUNDS,
                   calls > 0 ? "was waited for" : "was always free");
            return 0;
        }
        case seL4_Fault_UserException: printf("Child: a thread ended in a user exception\n"); return 0;
        default:
            printf("Child: an unexpected message, label %lu\n", (unsigned long)seL4_MessageInfo_get_label(message));
            return 1;
        }
    }
}
