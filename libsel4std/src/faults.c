/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Faults of threads, as signals. A thread of this library, the watcher, waits at the fault endpoint of all others. It starts with
 * the first handler for such a signal, or before main() (RUST_STD_FAULT). When a thread faults, the watcher saves the thread's
 * registers and has it run the handler, on its own stack or on that of sigaltstack(). When the handler returns, the thread asks
 * the watcher for the registers that the handler left in its context. A fault without a handler ends the program.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <sel4runtime.h>
#include <sel4std.h>

#define WORDS (sizeof(seL4_UserContext) / sizeof(seL4_Word))
/* Label of the message by which a thread asks for its registers. Those of faults are smaller. */
#define RETURNS 0x1000
/* Added to the number of the signal that ended the program, as shells do. */
#define SIGNALLED 128

/* Floating-point registers, as the assembly below stores them. */
typedef struct {
#ifdef CONFIG_ARCH_AARCH64
    __uint128_t vectors[32];
    uint64_t status, control;
#else
    unsigned char bytes[512]; /* of FXSAVE */
#endif
} __attribute__((aligned(16))) floats_t;

typedef struct {
    floats_t floats; /* first: the assembly knows it by the address of the fault */
    seL4_UserContext registers;
    int signal, code;
    seL4_Word address;
    bool entering; /* until the handler's frame is on its stack */
    bool covered;
    seL4_CPtr endpoint;
    stack_t stack;
} fault_t;

/* By the numbers of threads, from 1 on. */
static fault_t faults[MAX_THREADS + 2];
static signal_action_t actions[NSIG];
static seL4_CPtr endpoint;
enum { NONE, MAKING, MADE };
static int state;

/* Starts and ends of a handler's run, in assembly: C may use floating-point registers anywhere. */
void sel4std_enter_handler(void);
_Noreturn void sel4std_leave_handler(fault_t *fault, seL4_CPtr endpoint);
#ifdef CONFIG_ARCH_AARCH64
#define FOR_ALL_PAIRS(what)                                                                                         \
    what " q0, q1, [x0]\n" what " q2, q3, [x0, #32]\n" what " q4, q5, [x0, #64]\n" what " q6, q7, [x0, #96]\n" what \
         " q8, q9, [x0, #128]\n" what " q10, q11, [x0, #160]\n" what " q12, q13, [x0, #192]\n" what                 \
         " q14, q15, [x0, #224]\n" what " q16, q17, [x0, #256]\n" what " q18, q19, [x0, #288]\n" what               \
         " q20, q21, [x0, #320]\n" what " q22, q23, [x0, #352]\n" what " q24, q25, [x0, #384]\n" what               \
         " q26, q27, [x0, #416]\n" what " q28, q29, [x0, #448]\n" what " q30, q31, [x0, #480]\n"
asm(".text\n"
    ".type sel4std_enter_handler, %function\n"
    "sel4std_enter_handler:\n" FOR_ALL_PAIRS(
        "stp") "mrs x9, fpsr\n"
               "mrs x10, fpcr\n"
               "add x11, x0, #512\n"
               "stp x9, x10, [x11]\n"
               "b sel4std_run_handler\n"
               ".size sel4std_enter_handler, . - sel4std_enter_handler\n"
               ".type sel4std_leave_handler, %function\n"
               "sel4std_leave_handler:\n" FOR_ALL_PAIRS(
                   "ldp") "add x11, x0, #512\n"
                          "ldp x9, x10, [x11]\n"
                          "msr fpsr, x9\n"
                          "msr fpcr, x10\n"
                          "mov x0, x1\n"
                          "b sel4std_ask_for_registers\n"
                          ".size sel4std_leave_handler, . - sel4std_leave_handler\n");
#else
asm(".text\n"
    ".type sel4std_enter_handler, @function\n"
    "sel4std_enter_handler:\n"
    "cld\n"
    "fxsave64 (%rdi)\n"
    "call sel4std_run_handler\n"
    ".size sel4std_enter_handler, . - sel4std_enter_handler\n"
    ".type sel4std_leave_handler, @function\n"
    "sel4std_leave_handler:\n"
    "fxrstor64 (%rdi)\n"
    "mov %rsi, %rdi\n"
    "call sel4std_ask_for_registers\n"
    ".size sel4std_leave_handler, . - sel4std_leave_handler\n");
#endif

/* The watcher sets the registers of the caller, which does not go on here. */
_Noreturn void __attribute__((used)) sel4std_ask_for_registers(seL4_CPtr watcher)
{
    for (;;) {
        seL4_CallWithMRs(watcher, seL4_MessageInfo_new(RETURNS, 0, 0, 0), NULL, NULL, NULL, NULL);
    }
}

#ifdef CONFIG_ARCH_AARCH64
/* Registers in the order of their numbers. */
static seL4_Word *const *all_registers(seL4_UserContext *r, seL4_Word *all[31])
{
    seL4_Word *const in_order[31] = {
        &r->x0,  &r->x1,  &r->x2,  &r->x3,  &r->x4,  &r->x5,  &r->x6,  &r->x7,  &r->x8,  &r->x9,  &r->x10,
        &r->x11, &r->x12, &r->x13, &r->x14, &r->x15, &r->x16, &r->x17, &r->x18, &r->x19, &r->x20, &r->x21,
        &r->x22, &r->x23, &r->x24, &r->x25, &r->x26, &r->x27, &r->x28, &r->x29, &r->x30,
    };
    memcpy(all, in_order, sizeof(in_order));
    return all;
}

static void to_context(fault_t *fault, ucontext_t *context)
{
    mcontext_t *machine = &context->uc_mcontext;
    seL4_Word *all[31];
    all_registers(&fault->registers, all);
    for (int i = 0; i < 31; i++) {
        machine->regs[i] = *all[i];
    }
    machine->fault_address = fault->address;
    machine->sp = fault->registers.sp;
    machine->pc = fault->registers.pc;
    machine->pstate = fault->registers.spsr;
    struct fpsimd_context *floats = (void *)machine->__reserved;
    floats->head.magic = FPSIMD_MAGIC;
    floats->head.size = sizeof(*floats);
    floats->fpsr = fault->floats.status;
    floats->fpcr = fault->floats.control;
    memcpy(floats->vregs, fault->floats.vectors, sizeof(floats->vregs));
}

static void from_context(fault_t *fault, const ucontext_t *context)
{
    const mcontext_t *machine = &context->uc_mcontext;
    seL4_Word *all[31];
    all_registers(&fault->registers, all);
    for (int i = 0; i < 31; i++) {
        *all[i] = machine->regs[i];
    }
    fault->registers.sp = machine->sp;
    fault->registers.pc = machine->pc;
    fault->registers.spsr = machine->pstate;
    const struct fpsimd_context *floats = (const void *)machine->__reserved;
    fault->floats.status = floats->fpsr;
    fault->floats.control = floats->fpcr;
    memcpy(fault->floats.vectors, floats->vregs, sizeof(floats->vregs));
}

#define PC(registers) ((registers)->pc)
#define SP(registers) ((registers)->sp)

static void begin_at(seL4_UserContext *registers, seL4_Word stack, fault_t *fault)
{
    registers->pc = (seL4_Word)sel4std_enter_handler;
    registers->sp = stack & -16ul;
    registers->x0 = (seL4_Word)fault;
    /* A debugger's way back ends here. */
    registers->x29 = registers->x30 = 0;
}
#else
/* Pairs of a register in the context and in the kernel's structure. */
#define FOR_ALL_REGISTERS(what)                                                                                  \
    what(R8, r8) what(R9, r9) what(R10, r10) what(R11, r11) what(R12, r12) what(R13, r13) what(R14, r14)         \
        what(R15, r15) what(RDI, rdi) what(RSI, rsi) what(RBP, rbp) what(RBX, rbx) what(RDX, rdx) what(RAX, rax) \
            what(RCX, rcx) what(RSP, rsp) what(RIP, rip) what(EFL, rflags)

static void to_context(fault_t *fault, ucontext_t *context)
{
    greg_t *all = context->uc_mcontext.gregs;
#define TO(name, field) all[REG_##name] = fault->registers.field;
    FOR_ALL_REGISTERS(TO)
    all[REG_CR2] = fault->address;
    context->uc_mcontext.fpregs = (void *)context->__fpregs_mem;
    memcpy(context->__fpregs_mem, fault->floats.bytes, sizeof(fault->floats.bytes));
}

static void from_context(fault_t *fault, const ucontext_t *context)
{
    const greg_t *all = context->uc_mcontext.gregs;
#define FROM(name, field) fault->registers.field = all[REG_##name];
    FOR_ALL_REGISTERS(FROM)
    memcpy(fault->floats.bytes, context->uc_mcontext.fpregs, sizeof(fault->floats.bytes));
}

#define PC(registers) ((registers)->rip)
#define SP(registers) ((registers)->rsp)
/* Bytes below the stack pointer that a function may use. */
#define RED_ZONE 128

static void begin_at(seL4_UserContext *registers, seL4_Word stack, fault_t *fault)
{
    registers->rip = (seL4_Word)sel4std_enter_handler;
    registers->rsp = (stack - RED_ZONE) & -16ul;
    registers->rdi = (seL4_Word)fault;
    registers->rbp = 0;
}
#endif

/* Runs in the thread that faulted. A fault before `entering` is false means that its stack has no room for this frame. */
_Noreturn void __attribute__((used)) sel4std_run_handler(fault_t *fault)
{
    ucontext_t context = { .uc_stack = fault->stack };
    siginfo_t info = { .si_signo = fault->signal, .si_code = fault->code, .si_addr = (void *)fault->address };
    signal_action_t action = actions[fault->signal];
    to_context(fault, &context);
    if (action.flags & SA_RESETHAND) {
        actions[fault->signal].handler = SIG_DFL;
    }
    __atomic_store_n(&fault->entering, false, __ATOMIC_SEQ_CST);
    if (action.flags & SA_SIGINFO) {
        ((void (*)(int, siginfo_t *, void *))(void *)action.handler)(info.si_signo, &info, &context);
    } else {
        action.handler(info.si_signo);
    }
    from_context(fault, &context);
    sel4std_leave_handler(fault, fault->endpoint);
}

static void set_registers(const thread_t *thread, seL4_UserContext *registers)
{
    seL4_TCB_WriteRegisters(thread->tcb, true, 0, WORDS, registers);
}

/* Signal of a fault; 0 if it has none. */
static int signal_of(seL4_Word label, const seL4_Word *words, fault_t *fault)
{
    fault->address = PC(&fault->registers);
    switch (label) {
    case seL4_Fault_VMFault:
        fault->code = SEGV_MAPERR;
        fault->address = words[seL4_VMFault_Addr];
        return SIGSEGV;
    case seL4_Fault_UnknownSyscall: fault->code = ILL_ILLTRP; return SIGILL;
#ifdef CONFIG_HARDWARE_DEBUG_API
    case seL4_Fault_DebugException: fault->code = TRAP_BRKPT; return SIGTRAP;
#endif
    case seL4_Fault_UserException: break;
    default: return 0;
    }
    seL4_Word number = words[seL4_UserException_Number];
#ifdef CONFIG_ARCH_AARCH64
    /* The exception class. */
    switch (number >> 26 & 0x3f) {
    case 0x22:
    case 0x26: fault->code = BUS_ADRALN; return SIGBUS;
    case 0x28:
    case 0x2c: fault->code = FPE_FLTINV; return SIGFPE;
    case 0x3c: fault->code = TRAP_BRKPT; return SIGTRAP;
    default: fault->code = ILL_ILLOPC; return SIGILL;
    }
#else
    switch (number) {
    case 0: fault->code = FPE_INTDIV; return SIGFPE;
    case 1:
    case 3: fault->code = TRAP_BRKPT; return SIGTRAP;
    case 6: fault->code = ILL_ILLOPN; return SIGILL;
    case 16:
    case 19: fault->code = FPE_FLTINV; return SIGFPE;
    case 17: fault->code = BUS_ADRALN; return SIGBUS;
    default: fault->code = SI_KERNEL; return SIGSEGV;
    }
#endif
}

static const char *name_of(int signal)
{
    switch (signal) {
    case SIGSEGV: return "no memory, or no right to it,";
    case SIGBUS: return "an address that is not aligned";
    case SIGILL: return "an illegal instruction";
    case SIGFPE: return "an error of arithmetic";
    case SIGTRAP: return "a breakpoint";
    default: return "a capability fault";
    }
}

/* Ends the program. */
static _Noreturn void end(int number, const fault_t *fault)
{
    char line[256];
    snprintf(line, sizeof(line),
             "sel4std: thread %d has a fault that no handler takes: %s at address %#lx, by the "
             "instruction at %#lx%s\n",
             number, name_of(fault->signal), (unsigned long)fault->address, (unsigned long)PC(&fault->registers),
             fault->signal == SIGSEGV && memory_is_guard((void *)fault->address) ? "; its stack is used up" : "");
    say(line);
    sel4std_exit(SIGNALLED + (fault->signal != 0 ? fault->signal : SIGSYS));
}

static void deliver(int number, seL4_Word label, const seL4_Word *words)
{
    const thread_t *thread = thread_of(number);
    fault_t *fault = &faults[number];
    if (thread == NULL || seL4_TCB_ReadRegisters(thread->tcb, false, 0, WORDS, &fault->registers) != seL4_NoError) {
        return;
    }
    fault->signal = signal_of(label, words, fault);
    const signal_action_t *action = &actions[fault->signal];
    bool handled = fault->signal != 0 && action->handler != SIG_DFL && action->handler != SIG_IGN;
    if (!handled || __atomic_exchange_n(&fault->entering, true, __ATOMIC_SEQ_CST)) {
        end(number, fault);
    }
    fault->stack = (stack_t) { .ss_sp = thread->signal_stack, .ss_size = thread->signal_stack_size };
    const stack_t *stack = &fault->stack;
    uintptr_t low = (uintptr_t)stack->ss_sp, from = SP(&fault->registers);
    bool there = stack->ss_size > 0 && from - low <= stack->ss_size;
    if (action->flags & SA_ONSTACK && stack->ss_size > 0 && !there) {
        from = low + stack->ss_size;
    }
    seL4_UserContext registers = fault->registers;
    begin_at(&registers, from, fault);
    set_registers(thread, &registers);
}

static void watch(thread_t *self)
{
    (void)self;
    for (;;) {
        seL4_Word number = 0, words[8];
#ifdef CONFIG_KERNEL_MCS
        seL4_MessageInfo_t message = seL4_Wait(endpoint, &number);
#else
        seL4_MessageInfo_t message = seL4_Recv(endpoint, &number);
#endif
        for (int i = 0; i < 8; i++) {
            words[i] = seL4_GetMR(i);
        }
        if (seL4_MessageInfo_get_label(message) == RETURNS) {
            set_registers(thread_of(number), &faults[number].registers);
        } else {
            deliver(number, seL4_MessageInfo_get_label(message), words);
        }
    }
}

/* Sets the thread's fault endpoint, with its number as the badge. The slot of the badged capability is that of an endpoint, which
 * is given up. */
static bool cover(thread_t *thread)
{
    int number = thread_number(thread);
    fault_t *fault = &faults[number];
    if (number == 0 || __atomic_exchange_n(&fault->covered, true, __ATOMIC_SEQ_CST)
        || sel4std_fault_endpoint(number) != seL4_CapNull) {
        return true;
    }
    fault->endpoint = new_object(seL4_EndpointObject, seL4_EndpointBits);
    message_t message;
    message_keep(&message, FEW_WORDS);
    seL4_CPtr root = seL4_CapInitThreadCNode;
    bool done = fault->endpoint != seL4_CapNull
                && seL4_CNode_Delete(root, fault->endpoint, seL4_WordBits) == seL4_NoError
                && seL4_CNode_Mint(root, fault->endpoint, seL4_WordBits, root, endpoint, seL4_WordBits, seL4_AllRights,
                                   number)
                       == seL4_NoError
                && seL4_TCB_SetSpace(thread->tcb, fault->endpoint, root, 0, seL4_CapInitThreadVSpace, 0)
                       == seL4_NoError;
    message_restore(&message);
    return done;
}

static bool begin(thread_t *thread)
{
    faults[thread_number(thread)].entering = false;
    return __atomic_load_n(&state, __ATOMIC_SEQ_CST) == NONE || cover(thread);
}

static bool start(void)
{
    endpoint = new_object(seL4_EndpointObject, seL4_EndpointBits);
    return endpoint != seL4_CapNull && memory_prepare() && futex_prepare() && thread_start_watcher(watch);
}

static long set_action(int signal, const signal_action_t *action, signal_action_t *old);

static void install(void)
{
    static const signals_t own = { begin, set_action };
    __atomic_store_n(&signals, &own, __ATOMIC_SEQ_CST);
}

bool faults_watch(void)
{
    int none = NONE;
    install();
    if (__atomic_compare_exchange_n(&state, &none, MAKING, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        bool done = start();
        /* Threads that start meanwhile cover themselves. */
        for (int number = 1; done && number <= MAX_THREADS + 1; number++) {
            thread_t *thread = thread_of(number);
            /* The first thread is not made here. */
            done = thread == NULL || (number > 1 && !thread->made) || cover(thread);
        }
        __atomic_store_n(&state, done ? MADE : NONE, __ATOMIC_SEQ_CST);
        return done;
    }
    while (__atomic_load_n(&state, __ATOMIC_SEQ_CST) == MAKING) {
        seL4_Yield();
    }
    return __atomic_load_n(&state, __ATOMIC_SEQ_CST) == MADE;
}

static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP;
}

static long set_action(int signal, const signal_action_t *action, signal_action_t *old)
{
    signal_action_t before = actions[signal];
    if (action != NULL) {
        bool handles = action->handler != SIG_DFL && action->handler != SIG_IGN;
        if (handles && !is_fault(signal) && signal != SIGCHLD) {
            return -ENOSYS;
        }
        if (handles && is_fault(signal) && !faults_watch()) {
            return -ENOMEM;
        }
        actions[signal] = *action;
    }
    if (old != NULL) {
        *old = before;
    }
    return 0;
}

/* The C library's functions, the second for its own signal(). The linker passes calls of them here (--wrap). */
#define WRAP(name)                                                                        \
    int __real_##name(int signal, const struct sigaction *action, struct sigaction *old); \
    int __wrap_##name(int signal, const struct sigaction *action, struct sigaction *old)  \
    {                                                                                     \
        install();                                                                        \
        return __real_##name(signal, action, old);                                        \
    }
WRAP(sigaction)
WRAP(__sigaction)
