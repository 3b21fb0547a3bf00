/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads in the root server's own address space and CSpace. The main thread has a priority in the middle, so that
 * others may come before it or after it. Nobody relies on time: what has an equal priority is scheduled in the order of
 * kernel entries, long before a time slice is over.
 */
#pragma once

#include <sel4/sel4.h>

#define MAIN_PRIORITY 100
#define THREADS 8

struct thread {
    const char *name;
    seL4_CPtr tcb;
    /* For receiving on a kernel with MCS. */
    seL4_CPtr reply;
    seL4_CPtr sched_context;
    seL4_CPtr buffer_page;
    seL4_Word buffer;
    void (*body)(seL4_Word first, seL4_Word second);
    seL4_Word first, second;
};

typedef void (*thread_body)(seL4_Word first, seL4_Word second);

/* Makes a thread that does `body` and then suspends itself. */
struct thread *thread_make(const char *name, seL4_Word priority, thread_body body, seL4_Word first, seL4_Word second);

/* The same, and it may run at once. */
struct thread *thread_start(const char *name, seL4_Word priority, thread_body body, seL4_Word first, seL4_Word second);

/* Deletes a thread, whose place another may take. For the last that was made. */
void thread_end(struct thread *thread);

/* Writes the registers for a (new) beginning. */
void thread_enter(struct thread *thread, int resume);

/* Gives it a fault handler: a capability in the root CNode. */
seL4_Error thread_set_fault_handler(struct thread *thread, seL4_CPtr endpoint);

/* Lets all threads run that can, whatever their priority, until the main thread is the only one left. */
void settle(void);

/* The thread that calls this. */
struct thread *thread_self(void);

/* For the world: the main thread, what threads keep, and that all threads are gone. */
void thread_begin_main(void);
void thread_make_buffers(void);
void thread_forget(void);

/* Receiving and answering, which kernels with MCS do by a reply object and others by the thread's own state. */
#ifdef CONFIG_KERNEL_MCS
static inline seL4_MessageInfo_t recv(seL4_CPtr endpoint, seL4_Word *badge)
{
    return seL4_Recv(endpoint, badge, thread_self()->reply);
}

static inline seL4_MessageInfo_t nb_recv(seL4_CPtr endpoint, seL4_Word *badge)
{
    return seL4_NBRecv(endpoint, badge, thread_self()->reply);
}

static inline seL4_MessageInfo_t reply_recv(seL4_CPtr endpoint, seL4_MessageInfo_t info, seL4_Word *badge)
{
    return seL4_ReplyRecv(endpoint, info, badge, thread_self()->reply);
}

static inline void reply(seL4_MessageInfo_t info)
{
    seL4_Send(thread_self()->reply, info);
}
#else
static inline seL4_MessageInfo_t recv(seL4_CPtr endpoint, seL4_Word *badge)
{
    return seL4_Recv(endpoint, badge);
}

static inline seL4_MessageInfo_t nb_recv(seL4_CPtr endpoint, seL4_Word *badge)
{
    return seL4_NBRecv(endpoint, badge);
}

static inline seL4_MessageInfo_t reply_recv(seL4_CPtr endpoint, seL4_MessageInfo_t info, seL4_Word *badge)
{
    return seL4_ReplyRecv(endpoint, info, badge);
}

static inline void reply(seL4_MessageInfo_t info)
{
    seL4_Reply(info);
}
#endif
