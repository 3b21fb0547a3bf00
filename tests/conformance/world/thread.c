/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <sel4runtime.h>
#include "world.h"

/* Where the IPC buffers are mapped, far from the root server's image; between two of them is nothing. */
#define BUFFERS 0x10000000ul
#define STRIDE 0x2000ul
#define STACK_BYTES 0x8000
/* More time than any scenario takes, so that no budget ends. */
#define BUDGET_MICROSECONDS 10000000ul

static struct thread main_thread = { .tcb = seL4_CapInitThreadTCB };
static struct thread threads[THREADS];
static unsigned started;
static _Alignas(64) char stacks[THREADS][STACK_BYTES];
static _Alignas(64) char storage[THREADS][4096];

struct thread *thread_self(void)
{
    return (struct thread *)seL4_GetUserData();
}

void thread_begin_main(void)
{
    seL4_SetUserData((seL4_Word)&main_thread);
    seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, MAIN_PRIORITY);
}

void thread_make_buffers(void)
{
    if (sel4runtime_get_tls_size() > sizeof(storage[0])) {
        give_up("thread-local storage", seL4_NotEnoughMemory);
    }
#ifdef CONFIG_KERNEL_MCS
    main_thread.reply = make(seL4_ReplyObject);
#endif
    for (int i = 0; i < THREADS; i++) {
        threads[i].buffer = BUFFERS + i * STRIDE;
        threads[i].buffer_page = make(SMALL_PAGE);
        map(threads[i].buffer_page, threads[i].buffer);
    }
}

void thread_forget(void)
{
    started = 0;
}

/* Where threads begin. */
static void begin(struct thread *thread)
{
    seL4_SetIPCBuffer((seL4_IPCBuffer *)thread->buffer);
    seL4_SetUserData((seL4_Word)thread);
    thread->body(thread->first, thread->second);
    seL4_TCB_Suspend(thread->tcb);
    /* It has no capability to itself any more. A fault stops it too. */
    for (;;) {
        seL4_Wait(seL4_CapNull, 0);
    }
}

void thread_enter(struct thread *thread, int resume)
{
    unsigned index = thread - threads;
    seL4_UserContext context = { 0 };
    context_enter(&context, (seL4_Word)begin, (seL4_Word)&stacks[index + 1], (seL4_Word)thread);
    seL4_Error error = seL4_TCB_WriteRegisters(thread->tcb, 0, 0, CONTEXT_WORDS, &context);
    if (!error) {
        error = seL4_TCB_SetTLSBase(thread->tcb, sel4runtime_write_tls_image(storage[index]));
    }
    if (!error && resume) {
        error = seL4_TCB_Resume(thread->tcb);
    }
    if (error) {
        give_up("enter a thread", error);
    }
}

struct thread *thread_make(const char *name, seL4_Word priority, thread_body body, seL4_Word first, seL4_Word second)
{
    if (started == THREADS) {
        give_up("threads", seL4_NotEnoughMemory);
    }
    struct thread *thread = &threads[started++];
    thread->name = name;
    thread->body = body;
    thread->first = first;
    thread->second = second;
    thread->tcb = make(seL4_TCBObject);
    seL4_Error error;
#ifdef CONFIG_KERNEL_MCS
    thread->reply = make(seL4_ReplyObject);
    thread->sched_context = make_sized(seL4_SchedContextObject, seL4_MinSchedContextBits);
    seL4_CPtr control = sel4runtime_bootinfo()->schedcontrol.start;
    error = seL4_SchedControl_ConfigureFlags(control, thread->sched_context, BUDGET_MICROSECONDS, BUDGET_MICROSECONDS,
                                             0, 0, 0);
    if (!error) {
        error = seL4_TCB_Configure(thread->tcb, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0, thread->buffer,
                                   thread->buffer_page);
    }
    if (!error) {
        error = seL4_TCB_SetSchedParams(thread->tcb, seL4_CapInitThreadTCB, seL4_MaxPrio, priority,
                                        thread->sched_context, 0);
    }
#else
    error = seL4_TCB_Configure(thread->tcb, 0, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0, thread->buffer,
                               thread->buffer_page);
    if (!error) {
        error = seL4_TCB_SetSchedParams(thread->tcb, seL4_CapInitThreadTCB, seL4_MaxPrio, priority);
    }
#endif
    if (error) {
        give_up("configure a thread", error);
    }
    seL4_DebugNameThread(thread->tcb, name);
    thread_enter(thread, 0);
    return thread;
}

struct thread *thread_start(const char *name, seL4_Word priority, thread_body body, seL4_Word first, seL4_Word second)
{
    struct thread *thread = thread_make(name, priority, body, first, second);
    seL4_TCB_Resume(thread->tcb);
    return thread;
}

void thread_end(struct thread *thread)
{
    seL4_Error error = seL4_CNode_Delete(AT(thread->tcb));
    if (error || thread != &threads[started - 1]) {
        give_up("end a thread", error);
    }
    started--;
}

seL4_Error thread_set_fault_handler(struct thread *thread, seL4_CPtr endpoint)
{
    return seL4_TCB_SetSpace(thread->tcb, endpoint, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0);
}

void settle(void)
{
    seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, 0);
    seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, MAIN_PRIORITY);
}
