/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads: a table of slots, each with the kernel objects of one thread, which are made once and reused.
 */
#ifdef SEL4STD_COMPONENT
#include <sel4std_component.h>
#endif
#include "internal.h"

#include <errno.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4runtime.h>
#include <sel4std.h>

/* Bytes of a service's stack. The application's sel4std_alarm() runs on that of the ticker. */
#define SERVICE_STACK 16384

#ifdef SEL4STD_COMPONENT
#include <camkes/tls.h>

/* CAmkES' threads, those of pthread_create(), and the ticker. The loader has made their objects. */
#define THREADS sel4std_component_all
#define threads ((thread_t *)sel4std_component_table)
#define services (threads + THREADS - SERVICES)
#define ticker services
#define LAST_NUMBER (int)(THREADS - SERVICES)
_Static_assert(sizeof(thread_t) <= sizeof(sel4std_component_table[0]), "COMPONENT_THREAD_WORDS is too small");
#else
/* The first thread, those of pthread_create(), and the services. */
#define THREADS (MAX_THREADS + 1 + SERVICES)
static thread_t threads[THREADS] = {
    {
        .taken = true,
        .scheduled = true,
        .tcb = seL4_CapInitThreadTCB,
        .priority = seL4_MaxPrio,
        .allowed = ~0ull,
#ifdef CONFIG_KERNEL_MCS
        .context = seL4_CapInitThreadSC,
#endif
    },
};
#define LAST_NUMBER (MAX_THREADS + 1)
static thread_t *const services = &threads[MAX_THREADS + 1];
static thread_t *const ticker = &threads[THREADS - 1];
static char pages[THREADS][BIT(seL4_PageBits)] __attribute__((aligned(BIT(seL4_PageBits))));
#endif

static __thread thread_t *self;

#ifdef CONFIG_PLAT_HOSTED
void thread_begin_first(void)
{
    self = &threads[0];
}

thread_t *thread_self(void)
{
    return self;
}
#else
/* Set when the first thread's thread-local storage is final. muslc initialises it after boot(). */
static bool begun;

void thread_begin_first(void)
{
    self = &threads[0];
    begun = true;
}

thread_t *thread_self(void)
{
#ifdef SEL4STD_COMPONENT
    /* CAmkES numbers its threads from 1 on. */
    unsigned number = camkes_get_tls()->thread_index;
    if (self == NULL && begun && number > 0 && number <= sel4std_component_own) {
        self = &threads[number - 1];
    }
#endif
    return self != NULL || begun ? self : &threads[0];
}
#endif

thread_t *thread_known(void)
{
    thread_t *thread = thread_self();
    if (thread == NULL) {
        thread_refuse();
    }
    return thread;
}

int thread_number(const thread_t *thread)
{
    return thread >= services ? 0 : thread - threads + 1;
}

thread_t *thread_of(int number)
{
    if (number == 0) {
        return thread_self();
    }
    thread_t *thread = number > 0 && number <= LAST_NUMBER ? &threads[number - 1] : NULL;
    return thread != NULL && thread->taken ? thread : NULL;
}

bool thread_can_wait(thread_t *thread)
{
    if (thread == NULL) {
        thread_refuse();
    }
    if (thread->notification == seL4_CapNull) {
        thread->notification = new_object(seL4_NotificationObject, seL4_NotificationBits);
    }
    return thread->notification != seL4_CapNull;
}

#ifdef SEL4STD_COMPONENT
void threads_prepare(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        const component_thread_t *given = &sel4std_component_threads[i];
        threads[i] = (thread_t) {
            .taken = i < sel4std_component_own,
            .made = true,
            .scheduled = true,
            .tcb = given->tcb,
            .context = given->context,
            .notification = given->notification,
            .priority = given->priority,
            .page = given->page,
            .allowed = ~0ull,
        };
    }
}

static bool make(const thread_t *thread)
{
    return thread->made;
}
#else
static bool make(thread_t *thread)
{
    if (thread->made) {
        return true;
    }
    void *page = pages[thread - threads];
    seL4_CPtr frame = image_frame(page);
    if (thread->tcb == seL4_CapNull) {
        thread->tcb = new_object(seL4_TCBObject, seL4_TCBBits);
    }
    if (frame == seL4_CapNull || thread->tcb == seL4_CapNull || !thread_can_wait(thread)) {
        return false;
    }
    assert_no_lock();
    seL4_CPtr faults = sel4std_fault_endpoint(thread_number(thread));
#ifdef CONFIG_KERNEL_MCS
    if (thread->context == seL4_CapNull) {
        thread->context = new_object(seL4_SchedContextObject, seL4_MinSchedContextBits);
    }
    thread->priority = sel4std_priority(thread_number(thread));
    if (thread->context == seL4_CapNull
        || seL4_TCB_Configure(thread->tcb, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0, (seL4_Word)page,
                              frame)
        || seL4_TCB_SetSchedParams(thread->tcb, seL4_CapInitThreadTCB, 0, thread->priority, thread->context, faults)) {
        return false;
    }
#else
    if (seL4_TCB_Configure(thread->tcb, faults, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0,
                           (seL4_Word)page, frame)) {
        return false;
    }
#endif
    thread->page = page;
    thread->made = true;
    return true;
}
#endif

seL4_CPtr __attribute__((weak)) sel4std_fault_endpoint(int thread)
{
    (void)thread;
    return seL4_CapNull;
}

/* Control registers for floating point: C gives a new thread those of its creator. The kernel leaves those of the slot's
 * previous thread. */
#ifdef CONFIG_ARCH_AARCH64
static uint64_t float_control(void)
{
    uint64_t control;
    asm volatile("mrs %0, fpcr" : "=r"(control));
    return control;
}

static void set_float_control(uint64_t control)
{
    asm volatile("msr fpcr, %0; msr fpsr, xzr" ::"r"(control));
}
#else
/* Status flags of MXCSR, which a new thread does not have. */
#define RAISED 0x3f

static uint64_t float_control(void)
{
    uint32_t vectors;
    uint16_t x87;
    asm volatile("stmxcsr %0; fnstcw %1" : "=m"(vectors), "=m"(x87));
    return (uint64_t)x87 << 32 | (vectors & ~RAISED);
}

static void set_float_control(uint64_t control)
{
    uint32_t vectors = control;
    uint16_t x87 = control >> 32;
    asm volatile("fninit; ldmxcsr %0; fldcw %1" ::"m"(vectors), "m"(x87));
}
#endif

/* First function of every thread. */
static void begin(thread_t *thread)
{
    seL4_SetIPCBuffer(thread->page);
    self = thread;
#ifdef SEL4STD_COMPONENT
    camkes_get_tls()->tcb_cap = thread->tcb;
    camkes_get_tls()->sc_cap = thread->context;
    camkes_get_tls()->thread_index = thread - threads + 1;
#endif
    set_float_control(thread->float_control);
    thread->function(thread->argument);
    /* The function does not return. */
    for (;;) {
        seL4_Yield();
    }
}

static bool resume(thread_t *thread, uintptr_t stack, uintptr_t tls)
{
    stack &= -16ul;
    thread->float_control = float_control();
    seL4_UserContext registers = { 0 };
#ifdef CONFIG_ARCH_AARCH64
    registers.pc = (seL4_Word)begin;
    registers.sp = stack;
    registers.x0 = (seL4_Word)thread;
    registers.tpidr_el0 = tls;
#else
    registers.rip = (seL4_Word)begin;
    registers.rsp = stack - sizeof(seL4_Word);
    registers.rdi = (seL4_Word)thread;
    registers.fs_base = tls;
#endif
    return seL4_TCB_WriteRegisters(thread->tcb, true, 0, sizeof(registers) / sizeof(seL4_Word), &registers)
           == seL4_NoError;
}

bool thread_stop(const thread_t *thread)
{
    return seL4_TCB_Suspend(thread->tcb) == seL4_NoError;
}

/* Set once threads_stop() runs, after which no thread is made. */
static bool stopping;

thread_t *thread_take(void)
{
    if (__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
        return NULL;
    }
    futex_lock();
    thread_t *thread = &threads[1];
    while (thread < services && thread->taken) {
        thread++;
    }
    if (thread < services) {
        thread->taken = true;
        thread->signal_stack_size = 0;
    }
    futex_unlock();
    return thread < services ? thread : NULL;
}

void thread_give_back(thread_t *thread)
{
    futex_lock();
    thread->taken = false;
    futex_unlock();
}

#if defined(CONFIG_PLAT_HOSTED) || defined(SEL4STD_COMPONENT)
#define FAULTS_BEGIN(thread) true
#else
#define FAULTS_BEGIN(thread) (__atomic_load_n(&signals, __ATOMIC_SEQ_CST) == NULL || signals->begin(thread))
#endif

bool thread_start(thread_t *thread, void *stack, void *tls)
{
    message_t message;
    message_keep(&message, ALL_WORDS);
    /* The slot's previous thread may not have suspended itself yet. */
    bool started = make(thread) && thread_stop(thread) && FAULTS_BEGIN(thread) && schedule(thread)
                   && resume(thread, (uintptr_t)stack, (uintptr_t)tls);
    message_restore(&message);
    return started;
}

_Noreturn void thread_stop_self(void)
{
    thread_t *thread = thread_self();
    for (;;) {
        thread_stop(thread != NULL ? thread : &threads[0]);
    }
}

_Noreturn void threads_stop(void)
{
    thread_t *mine = thread_self();
    __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
    /* Twice: until it is stopped, a thread on another core may start one that it took before. */
    for (int i = 0; i < 2; i++) {
        for (thread_t *thread = threads; thread < threads + THREADS; thread++) {
            if (thread != mine && thread->tcb != seL4_CapNull) {
                thread_stop(thread);
            }
        }
    }
    thread_stop_self();
}

#ifndef CONFIG_PLAT_HOSTED
/* Returns whether the thread may run at the same time as `mine`. A component is not told on which core a thread runs. */
static bool is_elsewhere(const thread_t *thread, const thread_t *mine)
{
#ifdef SEL4STD_COMPONENT
    return thread != mine;
#else
    return mine == NULL || thread->core != mine->core;
#endif
}

/* The kernel stops a core to look at the registers of the thread that runs there. */
void threads_interrupt(void)
{
    const thread_t *mine = thread_self();
    seL4_UserContext registers;
    message_t message;
    message_keep(&message, FEW_WORDS);
    for (const thread_t *thread = threads; thread < services; thread++) {
        if (thread != mine && thread->taken && thread->tcb != seL4_CapNull && is_elsewhere(thread, mine)) {
            seL4_TCB_ReadRegisters(thread->tcb, false, 0, 1, &registers);
        }
    }
    message_restore(&message);
}
#endif

seL4_Word threads_highest(seL4_Word *lowest)
{
    seL4_Word highest = 0;
    *lowest = seL4_MaxPrio;
    for (const thread_t *thread = threads; thread < threads + THREADS; thread++) {
        if (thread >= services ? thread->made : thread->taken) {
            highest = MAX(highest, thread->priority);
            *lowest = MIN(*lowest, thread->priority);
        }
    }
    return highest;
}

static long sys_gettid(va_list arguments)
{
    (void)arguments;
    thread_t *thread = thread_self();
    return thread != NULL ? thread_number(thread) : -ESRCH;
}

static void (*functions[SERVICES])(thread_t *);

static int begin_service(void *argument)
{
    thread_t *thread = argument;
    functions[thread - services](thread);
    return 0;
}

static bool start_service(thread_t *thread, void (*function)(thread_t *))
{
    /* The application's timer code needs a stack and thread-local storage, which lies above. muslc does not know this
     * thread. */
    static char *stacks[SERVICES];
    char **stack = &stacks[thread - services];
    if (*stack == NULL) {
        *stack = memory_stack(SERVICE_STACK + sel4runtime_get_tls_size());
    }
    functions[thread - services] = function;
    thread->function = begin_service;
    thread->argument = thread;
    message_t message;
    message_keep(&message, ALL_WORDS);
    bool started = *stack != NULL && make(thread) && schedule(thread)
                   && resume(thread, (uintptr_t)*stack + SERVICE_STACK,
                             sel4runtime_write_tls_image(*stack + SERVICE_STACK));
    message_restore(&message);
    return started;
}

bool thread_start_ticker(void (*tick)(thread_t *))
{
    return start_service(ticker, tick);
}

#if SERVICES > 1
bool thread_start_watcher(void (*watch)(thread_t *))
{
    return start_service(services, watch);
}
#endif

void thread_install(void)
{
    muslcsys_install_syscall(__NR_gettid, sys_gettid);
}
