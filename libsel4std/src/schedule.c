/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Core and priority of a thread: chosen by the application at its start, and changed by Linux' system calls, which
 * pthread_setschedprio(), sched_setaffinity() and available_parallelism() use.
 */
#define _GNU_SOURCE
#ifdef SEL4STD_COMPONENT
#include <sel4std_component.h>
#endif
#include "internal.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4runtime.h>
#include <sel4std.h>

/* Budget and period, in microseconds. As they are equal, threads of one priority take turns of this length. */
#define SLICE 5000

#ifdef SEL4STD_COMPONENT
/* The assembly chooses. */
static seL4_Word cores(void)
{
    return 1;
}
#else
static seL4_Word cores(void)
{
    return sel4runtime_bootinfo()->numNodes;
}
#endif

/* The ticker runs on the first thread's core. */
seL4_Word __attribute__((weak)) sel4std_core(int thread)
{
    return thread == 0 ? 0 : (thread - 1) % cores();
}

seL4_Word __attribute__((weak)) sel4std_priority(int thread)
{
#ifdef SEL4STD_COMPONENT
    return sel4std_component_threads[thread != 0 ? (unsigned)thread - 1 : sel4std_component_all - 1].priority;
#else
    (void)thread;
    return seL4_MaxPrio;
#endif
}

/* Moves a thread to a core. With MCS, this also configures its scheduling context. */
static bool place(thread_t *thread, seL4_Word core)
{
#ifdef SEL4STD_COMPONENT
    if (core != 0) {
        return false;
    }
#elif defined(CONFIG_KERNEL_MCS)
    if (seL4_SchedControl_Configure(sel4runtime_bootinfo()->schedcontrol.start + core, thread->context, SLICE, SLICE, 0,
                                    0)) {
        return false;
    }
#elif CONFIG_MAX_NUM_NODES > 1
    if (seL4_TCB_SetAffinity(thread->tcb, core)) {
        return false;
    }
#endif
    thread->core = core;
    thread->allowed = ~0ull;
    return true;
}

/* Priority at which threads hold a lock. A thread that holds one while this rises keeps its priority until it releases
 * it. */
static seL4_Word highest;
bool schedule_differs;

static void find_highest(void)
{
    seL4_Word lowest;
    __atomic_store_n(&highest, threads_highest(&lowest), __ATOMIC_SEQ_CST);
    __atomic_store_n(&schedule_differs, lowest < highest, __ATOMIC_SEQ_CST);
}

static seL4_Error set_tcb_priority(const thread_t *thread, seL4_Word priority)
{
#ifdef SEL4STD_COMPONENT
    return seL4_TCB_SetPriority(thread->tcb, thread->tcb, priority);
#else
    return seL4_TCB_SetPriority(thread->tcb, seL4_CapInitThreadTCB, priority);
#endif
}

/* Sets the thread's own priority. A raised thread takes it when it is lowered. */
static bool set_priority(thread_t *thread, seL4_Word priority)
{
    seL4_Word before = thread->priority;
    __atomic_store_n(&thread->priority, priority, __ATOMIC_SEQ_CST);
    find_highest();
    if (!__atomic_load_n(&thread->raised, __ATOMIC_SEQ_CST) && set_tcb_priority(thread, priority) != seL4_NoError) {
        __atomic_store_n(&thread->priority, before, __ATOMIC_SEQ_CST);
        return false;
    }
    return true;
}

bool schedule_raise(thread_t *thread)
{
    seL4_Word ceiling = __atomic_load_n(&highest, __ATOMIC_RELAXED);
    if (thread == NULL || thread->priority >= ceiling) {
        return false;
    }
    message_t message;
    message_keep(&message, FEW_WORDS);
    __atomic_store_n(&thread->raised, true, __ATOMIC_SEQ_CST);
    set_tcb_priority(thread, ceiling);
    message_restore(&message);
    return true;
}

void schedule_lower(thread_t *thread)
{
    message_t message;
    message_keep(&message, FEW_WORDS);
    __atomic_store_n(&thread->raised, false, __ATOMIC_SEQ_CST);
    seL4_Word own;
    do {
        /* Another thread may set it meanwhile. */
        own = __atomic_load_n(&thread->priority, __ATOMIC_SEQ_CST);
        set_tcb_priority(thread, own);
    } while (own != __atomic_load_n(&thread->priority, __ATOMIC_SEQ_CST));
    message_restore(&message);
}

bool schedule(thread_t *thread)
{
    assert_no_lock();
    int number = thread_number(thread);
    seL4_Word core = sel4std_core(number), priority = sel4std_priority(number);
    if (!thread->scheduled || thread->core != core || thread->allowed != ~0ull) {
        thread->scheduled = core < cores() && place(thread, core);
    }
    /* The slot's previous thread has ended with a raised priority. */
    bool raised = __atomic_exchange_n(&thread->raised, false, __ATOMIC_SEQ_CST);
    if (!thread->scheduled || ((thread->priority != priority || raised) && !set_priority(thread, priority))) {
        return false;
    }
    find_highest();
    return true;
}

/* One word has a bit for each of the first 64 cores. */
static uint64_t all_cores(void)
{
    return cores() < 64 ? (1ull << cores()) - 1 : ~0ull;
}

static long sys_sched_getaffinity(va_list arguments)
{
    const thread_t *thread = thread_of(va_arg(arguments, int));
    size_t length = va_arg(arguments, size_t);
    uint64_t *result = va_arg(arguments, uint64_t *);
    if (thread == NULL) {
        return -ESRCH;
    }
    if (length < sizeof(*result)) {
        return -EINVAL;
    }
    *result = thread->allowed & all_cores();
    return sizeof(*result);
}

static long sys_sched_setaffinity(va_list arguments)
{
    thread_t *thread = thread_of(va_arg(arguments, int));
    size_t length = va_arg(arguments, size_t);
    const void *wanted = va_arg(arguments, const void *);
    uint64_t allowed = 0;
    memcpy(&allowed, wanted, length < sizeof(allowed) ? length : sizeof(allowed));
    allowed &= all_cores();
    if (thread == NULL) {
        return -ESRCH;
    }
    if (allowed == 0) {
        return -EINVAL;
    }
    message_t message;
    message_keep(&message, FEW_WORDS);
    bool placed = (thread->core < 64 && allowed >> thread->core & 1) || place(thread, __builtin_ctzll(allowed));
    message_restore(&message);
    if (!placed) {
        return -EPERM;
    }
    thread->allowed = allowed;
    return 0;
}

static long ask_for_priority(thread_t *thread, const struct sched_param *wanted)
{
    if (thread == NULL) {
        return -ESRCH;
    }
    if (wanted->sched_priority < 0 || wanted->sched_priority > (int)seL4_MaxPrio) {
        return -EINVAL;
    }
    message_t message;
    message_keep(&message, FEW_WORDS);
    bool set = set_priority(thread, wanted->sched_priority);
    message_restore(&message);
    return set ? 0 : -EPERM;
}

static long sys_sched_setparam(va_list arguments)
{
    thread_t *thread = thread_of(va_arg(arguments, int));
    return ask_for_priority(thread, va_arg(arguments, const struct sched_param *));
}

static long sys_sched_getparam(va_list arguments)
{
    const thread_t *thread = thread_of(va_arg(arguments, int));
    struct sched_param *result = va_arg(arguments, struct sched_param *);
    if (thread == NULL) {
        return -ESRCH;
    }
    *result = (struct sched_param) { .sched_priority = thread->priority };
    return 0;
}

/* seL4 has one policy: highest priority first, round robin within a priority. */
static long sys_sched_setscheduler(va_list arguments)
{
    thread_t *thread = thread_of(va_arg(arguments, int));
    int policy = va_arg(arguments, int);
    const struct sched_param *wanted = va_arg(arguments, const struct sched_param *);
    return policy == SCHED_RR ? ask_for_priority(thread, wanted) : -EINVAL;
}

static long sys_sched_getscheduler(va_list arguments)
{
    return thread_of(va_arg(arguments, int)) != NULL ? SCHED_RR : -ESRCH;
}

static long sys_sched_get_priority_max(va_list arguments)
{
    return va_arg(arguments, int) == SCHED_RR ? (long)seL4_MaxPrio : -EINVAL;
}

static long sys_sched_get_priority_min(va_list arguments)
{
    return va_arg(arguments, int) == SCHED_RR ? (long)seL4_MinPrio : -EINVAL;
}

void schedule_install(void)
{
#ifdef SEL4STD_COMPONENT
    /* CAmkES' threads share locks before std starts a thread. */
    find_highest();
#endif
    muslcsys_install_syscall(__NR_sched_getaffinity, sys_sched_getaffinity);
    muslcsys_install_syscall(__NR_sched_setaffinity, sys_sched_setaffinity);
    muslcsys_install_syscall(__NR_sched_getparam, sys_sched_getparam);
    muslcsys_install_syscall(__NR_sched_setparam, sys_sched_setparam);
    muslcsys_install_syscall(__NR_sched_getscheduler, sys_sched_getscheduler);
    muslcsys_install_syscall(__NR_sched_setscheduler, sys_sched_setscheduler);
    muslcsys_install_syscall(__NR_sched_get_priority_max, sys_sched_get_priority_max);
    muslcsys_install_syscall(__NR_sched_get_priority_min, sys_sched_get_priority_min);
}
