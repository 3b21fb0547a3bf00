/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Faults that handlers of signals take: in which thread, with which context, on which stack; and one that none takes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <sys/mman.h>
#include <faults.h>

#define PAGE 4096
#define NOWHERE ((volatile char *)0x100)

/* What the handler saw last. */
static volatile int signals, last_signal;
static void *volatile last_address;
static volatile pthread_t last_thread;
static volatile uintptr_t handler_stack;

static void tell(const char *what, bool right)
{
    printf("%s: %s\n", what, right ? "yes" : "no");
}

static uintptr_t here(void)
{
    volatile char local = 0;
    return (uintptr_t)&local;
}

/* Skips the instruction: all that fault here have four bytes on aarch64, and on x86_64 a label behind them. */
static void *volatile behind;

static void skip(int signal, siginfo_t *info, void *argument)
{
    ucontext_t *context = argument;
    signals++;
    last_signal = signal;
    last_address = info->si_addr;
    last_thread = pthread_self();
    handler_stack = here();
    /* What the thread computes with must survive this. */
    volatile double other = 1e9;
    for (int i = 0; i < 100; i++) {
        other = other * 1.5 - i;
    }
#ifdef __aarch64__
    context->uc_mcontext.pc += 4;
    context->uc_mcontext.regs[9] = 99;
#else
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)behind;
    context->uc_mcontext.gregs[REG_R9] = 99;
#endif
}

/* An instruction that faults, and the register that the handler sets. */
#ifdef __aarch64__
#define FAULTS(instruction, operand)                                                        \
    ({                                                                                      \
        register long r9 asm("x9") = 0;                                                     \
        asm volatile(instruction : "+r"(r9) : [at] "r"((long)(operand)) : "memory", "x10"); \
        r9;                                                                                 \
    })
#define READ "ldrb w10, [%[at]]"
#define WRITE "strb w10, [%[at]]"
#define ILLEGAL "udf #0"
#define BREAK "brk #0"
#else
#define FAULTS(instruction, operand)                                                  \
    ({                                                                                \
        register long r9 asm("r9") = 0;                                               \
        asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %[behind];" instruction "; 1:" \
                     : "+r"(r9), [behind] "=m"(behind)                                \
                     : [at] "r"((long)(operand))                                      \
                     : "memory", "rax", "rcx", "rdx");                                \
        r9;                                                                           \
    })
#define READ "movb (%[at]), %%cl"
#define WRITE "movb $1, (%[at])"
#define ILLEGAL "ud2"
#define BREAK "int3"
#endif

static bool install(int signal, int flags)
{
    struct sigaction action = { .sa_sigaction = skip, .sa_flags = SA_SIGINFO | flags };
    return sigaction(signal, &action, NULL) == 0;
}

static bool took(int signal)
{
    return last_signal == signal && pthread_equal(last_thread, pthread_self());
}

static void *in_a_thread(void *argument)
{
    double sum = 0.25;
    long r9 = FAULTS(READ, NOWHERE);
    *(bool *)argument = took(SIGSEGV) && last_address == NOWHERE && r9 == 99 && sum * 4 == 1.0;
    return argument;
}

static void contexts(void)
{
    volatile double before = 3.5;
    double kept = before;
    tell("A handler is accepted", install(SIGSEGV, 0));
    long r9 = FAULTS(READ, NOWHERE);
    tell("It runs in the first thread, and changes its context", took(SIGSEGV) && last_address == NOWHERE && r9 == 99);
    tell("and leaves what the thread computes", kept == before);
    bool right = false;
    pthread_t thread;
    pthread_create(&thread, NULL, in_a_thread, &right);
    pthread_join(thread, NULL);
    tell("It runs in another thread", right);
    for (int i = 0; i < 1000; i++) {
        FAULTS(READ, NOWHERE);
    }
    tell("a thousand times", signals == 1002);
    char *read_only = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(read_only, PAGE, PROT_READ);
    FAULTS(WRITE, read_only);
    tell("A write to read-only memory", took(SIGSEGV) && last_address == read_only);
    install(SIGILL, 0);
    FAULTS(ILLEGAL, 0);
    tell("An illegal instruction", took(SIGILL));
    install(SIGTRAP, 0);
    FAULTS(BREAK, 0);
    tell("A breakpoint", took(SIGTRAP));
#ifdef __x86_64__
    install(SIGFPE, 0);
    FAULTS("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx", 0);
    tell("A division by zero", took(SIGFPE));
#else
    tell("A division by zero", install(SIGFPE, 0));
#endif
}

static sigjmp_buf start;

static void leap(int signal)
{
    last_signal = signal;
    handler_stack = here();
    siglongjmp(start, 1);
}

static int deep(int depth)
{
    volatile char room[PAGE / 2];
    room[0] = depth;
    return depth > 1 << 20 ? 0 : deep(depth + 1) + room[0];
}

static void *overflows(void *result)
{
    static char other[16 * PAGE];
    stack_t stack = { .ss_sp = other, .ss_size = sizeof(other) };
    struct sigaction action = { .sa_handler = leap, .sa_flags = SA_ONSTACK };
    if (sigaltstack(&stack, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0 && sigsetjmp(start, 1) == 0) {
        deep(0);
        return result;
    }
    *(bool *)result = last_signal == SIGSEGV && handler_stack - (uintptr_t)other < sizeof(other);
    return result;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    contexts();
    bool right = false;
    pthread_t thread;
    pthread_create(&thread, NULL, overflows, &right);
    pthread_join(thread, NULL);
    tell("The end of a stack, on another one", right);
    stack_t stack;
    tell("which is that thread's alone", sigaltstack(NULL, &stack) == 0 && stack.ss_flags == SS_DISABLE);
    struct sigaction old;
    tell("The handler is told", sigaction(SIGSEGV, NULL, &old) == 0 && old.sa_handler == leap);
    signal(SIGSEGV, SIG_DFL);
    faults_in_a_thread();
    return 0;
}
