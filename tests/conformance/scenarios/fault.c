/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "subjects.h"

/* Where nothing is mapped. */
#define NOWHERE 0x18000018ul

static seL4_CPtr faults;

/* A thread of a priority below the main one's, whose faults come to `faults` with badge 99. */
static struct thread *faulter(thread_body body, seL4_Word first, seL4_Word second)
{
    faults = make(seL4_EndpointObject);
    struct thread *thread = thread_make("thread", 50, body, first, second);
    attempt("fault handler", thread_set_fault_handler(thread, mint(faults, seL4_AllRights, 99)));
    seL4_TCB_Resume(thread->tcb);
    return thread;
}

/* An address in the code as a distance from the probes; what is elsewhere is not named. */
static void say_ip(seL4_Word ip)
{
    static const struct {
        const char *name;
        seL4_Word at;
    } probes[] = { { "probe_read", (seL4_Word)probe_read },
                   { "probe_write", (seL4_Word)probe_write },
                   { "probe_execute", (seL4_Word)probe_execute },
                   { "probe_undefined", (seL4_Word)probe_undefined },
                   { "probe_syscall", (seL4_Word)probe_syscall } };
    for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (ip >= probes[i].at && ip < probes[i].at + PROBE_BYTES) {
            say("  at %s + %lu", probes[i].name, ip - probes[i].at);
            return;
        }
    }
    say("  elsewhere in the code");
}

/* Waits for a fault and says what it is. Leaves the message registers as they came. */
static seL4_Word see_fault(void)
{
    seL4_Word badge, mr[16];
    seL4_MessageInfo_t info = recv(faults, &badge);
    seL4_Word length = seL4_MessageInfo_get_length(info), label = seL4_MessageInfo_get_label(info);
    for (int i = 0; i < 16; i++) {
        mr[i] = seL4_GetMR(i);
    }
    say("fault: label %lu, length %lu, badge %lu, caps %lu", label, length, badge,
        seL4_MessageInfo_get_extraCaps(info));
    switch (label) {
    case seL4_Fault_VMFault:
        say("  address %lx, instruction %lu, status %lx", mr[seL4_VMFault_Addr], mr[seL4_VMFault_PrefetchFault],
            mr[seL4_VMFault_FSR]);
        if (mr[seL4_VMFault_IP] == mr[seL4_VMFault_Addr]) {
            say("  at that address");
        } else {
            say_ip(mr[seL4_VMFault_IP]);
        }
        break;
    case seL4_Fault_CapFault:
        say("  slot %lu, in receive %lu, failure %lu", world_number(mr[seL4_CapFault_Addr]),
            mr[seL4_CapFault_InRecvPhase], mr[seL4_CapFault_LookupFailureType]);
        for (seL4_Word i = seL4_CapFault_BitsLeft; i < length; i++) {
            say("  detail %lu: %lx", i, mr[i]);
        }
        break;
    case seL4_Fault_UserException:
        say("  number %lu, code %lx", mr[seL4_UserException_Number], mr[seL4_UserException_Code]);
        say_ip(mr[seL4_UserException_FaultIP]);
        break;
    default: break;
    }
    return mr[0];
}

/* Shows that the thread stays where it is until it is answered: the answer carries on. */
static void reads(seL4_Word address, seL4_Word unused)
{
    (void)unused;
    say("reads %lx", address);
    seL4_Word value = probe_read(address);
    say("has read %lx", value);
}

static void writes(seL4_Word address, seL4_Word value)
{
    say("writes %lx", address);
    probe_write(address, value);
    say("has written");
}

static void executes(seL4_Word address, seL4_Word unused)
{
    (void)unused;
    say("executes %lx", address);
    probe_execute(address);
}

static void read_nowhere(void)
{
    faulter(reads, NOWHERE, 0);
    see_fault();
    say("an answer without a page: the same again");
    reply(seL4_MessageInfo_new(0, 0, 0, 0));
    see_fault();
    say("a page, and an answer");
    seL4_CPtr page = make(SMALL_PAGE);
    map(page, NOWHERE & ~0xffful);
    *(seL4_Word *)NOWHERE = 0x1234;
    reply(seL4_MessageInfo_new(0, 0, 0, 0));
    settle();
}

static void write_nowhere(void)
{
    faulter(writes, NOWHERE, 0x77);
    see_fault();
    say("an answer with a label: it does not go on");
    reply(seL4_MessageInfo_new(1, 0, 0, 0));
    settle();
}

static void execute_nowhere(void)
{
    faulter(executes, NOWHERE & ~0xful, 0);
    see_fault();
}

static void address_zero(void)
{
    faulter(reads, 0, 0);
    see_fault();
}

/* Its frame is executed although nothing was written there; what is not allowed is told apart. */
static void pages_without_rights(void)
{
    seL4_CPtr page = make(SMALL_PAGE), read_only = mint(page, seL4_CanRead, 0);
    seL4_Word address = NOWHERE & ~0xffful;
    map(page, address);
    *(seL4_Word *)(address + 8) = 0x4321;
    attempt("unmap", page_unmap(page));
    attempt("map to read", page_map(read_only, seL4_CapInitThreadVSpace, address, seL4_AllRights));
    faulter(reads, address + 8, 0);
    settle();
    faulter(writes, address + 8, 1);
    see_fault();
    say("in it is still %lx", *(seL4_Word *)(address + 8));
}

static void address_of_the_kernel(void)
{
    faulter(reads, (seL4_Word)0xffffffff80000000ul, 0);
    see_fault();
}

static void undefined(seL4_Word unused, seL4_Word also_unused)
{
    (void)unused, (void)also_unused;
    say("does what is not defined");
    probe_undefined();
    say("goes on");
}

static void undefined_instruction(void)
{
    struct thread *thread = faulter(undefined, 0, 0);
    seL4_Word ip = see_fault();
    say("an answer that skips it");
    seL4_UserContext context;
    attempt("read registers", seL4_TCB_ReadRegisters(thread->tcb, 0, 0, CONTEXT_WORDS, &context));
    say("registers and message agree: %d", context.CONTEXT_IP == ip);
    seL4_SetMR(seL4_UserException_FaultIP, ip + UNDEFINED_BYTES);
    reply(seL4_MessageInfo_new(0, 0, 0, 1));
    settle();
}

static void undefined_instruction_again(void)
{
    faulter(undefined, 0, 0);
    see_fault();
    say("an answer without words: the same again");
    reply(seL4_MessageInfo_new(0, 0, 0, 0));
    see_fault();
    say("an answer with a label: it stops");
    reply(seL4_MessageInfo_new(7, 0, 0, 0));
    settle();
}

#ifndef CONFIG_PLAT_HOSTED
static void unknown(seL4_Word number, seL4_Word unused)
{
    (void)unused;
    say("makes system call %ld", (long)number);
    say("got %lx", probe_syscall((long)number));
}

/* A handler may take the call for its own: it sets what the thread finds in its registers. */
static void unknown_system_call(void)
{
    static const long numbers[] = { 1000, 0, -1000 };
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct thread *thread = faulter(unknown, (seL4_Word)numbers[i], 0);
        seL4_Word badge;
        seL4_MessageInfo_t info = recv(faults, &badge);
        seL4_Word ip = seL4_GetMR(seL4_UnknownSyscall_FaultIP), number = seL4_GetMR(seL4_UnknownSyscall_Syscall), mr[4];
        for (int j = 0; j < 4; j++) {
            mr[j] = seL4_GetMR(j);
        }
        say("fault: label %lu, length %lu, number %ld", seL4_MessageInfo_get_label(info),
            seL4_MessageInfo_get_length(info), (long)number);
        say_ip(ip);
        for (int j = 0; j < 4; j++) {
            seL4_SetMR(j, mr[j]);
        }
        seL4_SetMR(0, 0x42);
        seL4_SetMR(seL4_UnknownSyscall_FaultIP, (seL4_Word)probe_syscall + AFTER_SYSCALL);
        reply(seL4_MessageInfo_new(0, 0, 0, seL4_MessageInfo_get_length(info)));
        settle();
        thread_end(thread);
    }
}
#endif

/* Which registers the handler may change, and that others stay. */
static void registers_are_changed(void)
{
    struct thread *thread = faulter(reads, NOWHERE, 0);
    seL4_Word ip = see_fault();
    seL4_UserContext context;
    attempt("read registers", seL4_TCB_ReadRegisters(thread->tcb, 0, 0, CONTEXT_WORDS, &context));
    say("ip as in the message: %d, argument %lx", context.CONTEXT_IP == ip, context.CONTEXT_ARGUMENT);
    static seL4_Word value = 0x5678;
    context.CONTEXT_ARGUMENT = (seL4_Word)&value;
    attempt("write registers", seL4_TCB_WriteRegisters(thread->tcb, 0, 0, CONTEXT_WORDS, &context));
    say("it waits for the answer");
    settle();
    reply(seL4_MessageInfo_new(0, 0, 0, 0));
    settle();
}

static void resumed_instead_of_answered(void)
{
    struct thread *thread = faulter(reads, NOWHERE, 0);
    see_fault();
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    see_fault();
    attempt("suspend", seL4_TCB_Suspend(thread->tcb));
    reply(seL4_MessageInfo_new(0, 0, 0, 0));
    settle();
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    see_fault();
}

static void no_handler(void)
{
    struct thread *thread = thread_start("thread", 50, reads, NOWHERE, 0);
    settle();
    seL4_UserContext context;
    attempt("read registers", seL4_TCB_ReadRegisters(thread->tcb, 0, 0, CONTEXT_WORDS, &context));
    say("it stands at the instruction: %d", context.CONTEXT_IP == (seL4_Word)probe_read);
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    settle();
    say("it faults again and again");
}

static void handlers_that_are_none(void)
{
    struct thread *thread = thread_make("thread", 50, reads, NOWHERE, 0);
    attempt("a notification", thread_set_fault_handler(thread, make(seL4_NotificationObject)));
    attempt("nothing", thread_set_fault_handler(thread, slot()));
    seL4_CPtr endpoint = make(seL4_EndpointObject);
    attempt("no rights", thread_set_fault_handler(thread, mint(endpoint, seL4_NoRights, 0)));
    attempt("send only", thread_set_fault_handler(thread, mint(endpoint, seL4_CanWrite, 3)));
    attempt("send and grant", thread_set_fault_handler(thread, mint(endpoint, seL4_CapRights_new(0, 1, 0, 1), 4)));
    attempt("send and grant reply",
            thread_set_fault_handler(thread, mint(endpoint, seL4_CapRights_new(1, 0, 0, 1), 5)));
    seL4_TCB_Resume(thread->tcb);
    settle();
    seL4_Word badge;
    seL4_MessageInfo_t info = nb_recv(endpoint, &badge);
    say("badge %lu, length %lu", badge, seL4_MessageInfo_get_length(info));
}

/* The last of an endpoint goes while a fault waits in it. */
static void handler_goes_away(void)
{
    struct thread *thread = faulter(reads, NOWHERE, 0);
    settle();
    attempt("delete the handler's endpoint", seL4_CNode_Revoke(AT(faults)));
    attempt("delete the handler's endpoint", seL4_CNode_Delete(AT(faults)));
    settle();
    attempt("resume", seL4_TCB_Resume(thread->tcb));
    settle();
}

/* System calls with capabilities that are not there. */
enum { SEND, NB_SEND, CALL, RECEIVE, NB_RECEIVE, WAIT, EXTRA };

static void uses(seL4_Word capability, seL4_Word how)
{
    seL4_MessageInfo_t info = seL4_MessageInfo_new(0, 0, how == EXTRA, 0);
    seL4_Word badge = 66;
    switch (how) {
    case SEND: seL4_Send(capability, info); break;
    case NB_SEND: seL4_NBSend(capability, info); break;
    case CALL:
        info = seL4_Call(capability, info);
        say("label %lu", seL4_MessageInfo_get_label(info));
        break;
    case RECEIVE: recv(capability, &badge); break;
    case NB_RECEIVE: nb_recv(capability, &badge); break;
    case WAIT: seL4_Wait(capability, &badge); break;
    case EXTRA:
        seL4_SetCap(0, capability);
        info = seL4_Call(seL4_CapInitThreadTCB, info);
        say("label %lu", seL4_MessageInfo_get_label(info));
        break;
    }
    say("goes on, badge %lu", badge);
}

static void capability_faults(seL4_Word how)
{
    seL4_CPtr node = make_sized(seL4_CapTableObject, 2), tcb = make(seL4_TCBObject), empty = slot();
    /* The thread's own CSpace is the root CNode: 13 bits below a guard of zeros. */
    const seL4_Word there[] = { (seL4_Word)1 << 13, (seL4_Word)-1, (seL4_Word)1 << 63, 0, empty, tcb, node };
    static const char *const names[] = { "bit 13", "all bits", "bit 63", "null", "an empty slot", "a TCB", "a CNode" };
    faults = make(seL4_EndpointObject);
    struct thread *thread = thread_make("thread", 50, uses, 0, how);
    thread_set_fault_handler(thread, mint(faults, seL4_AllRights, 99));
    for (unsigned i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        say("%s", names[i]);
        thread->first = there[i];
        thread_enter(thread, 1);
        settle();
        seL4_Word badge;
        seL4_MessageInfo_t info = nb_recv(faults, &badge);
        seL4_Word mr[8];
        for (int j = 0; j < 8; j++) {
            mr[j] = seL4_GetMR(j);
        }
        if (!badge) {
            say("no fault");
            continue;
        }
        seL4_Word length = seL4_MessageInfo_get_length(info);
        say("fault: label %lu, length %lu, in receive %lu, failure %lu", seL4_MessageInfo_get_label(info), length,
            mr[seL4_CapFault_InRecvPhase], mr[seL4_CapFault_LookupFailureType]);
        say("  the capability is the one used: %d", mr[seL4_CapFault_Addr] == there[i]);
        for (seL4_Word j = seL4_CapFault_BitsLeft; j < length; j++) {
            say("  detail: %lx", mr[j]);
        }
        seL4_TCB_Suspend(thread->tcb);
    }
}

static void send_faults(void)
{
    capability_faults(SEND);
}

static void nb_send_faults(void)
{
    capability_faults(NB_SEND);
}

static void call_faults(void)
{
    capability_faults(CALL);
}

static void receive_faults(void)
{
    capability_faults(RECEIVE);
}

static void nb_receive_faults(void)
{
    capability_faults(NB_RECEIVE);
}

static void wait_faults(void)
{
    capability_faults(WAIT);
}

static void extra_faults(void)
{
    capability_faults(EXTRA);
}

static void without_right_to_receive(void)
{
    seL4_CPtr endpoint = make(seL4_EndpointObject), notification = make(seL4_NotificationObject);
    faulter(uses, mint(endpoint, seL4_NoRead, 1), RECEIVE);
    see_fault();
    faulter(uses, mint(notification, seL4_NoRead, 1), WAIT);
    see_fault();
    faulter(uses, mint(notification, seL4_NoRead, 1), NB_RECEIVE);
    see_fault();
}

/* A capability fault is answered: the system call is made again. */
static void capability_comes_late(void)
{
    seL4_CPtr late = slot(), notification = make(seL4_NotificationObject);
    faulter(uses, late, WAIT);
    see_fault();
    attempt("now it is there", seL4_CNode_Mint(AT(late), AT(notification), seL4_AllRights, 5));
    reply(seL4_MessageInfo_new(0, 0, 0, 0));
    settle();
    seL4_Signal(late);
    settle();
}

/* The same thread and endpoint again and again: faults queue like messages. */
static void faults_queue(void)
{
    faults = make(seL4_EndpointObject);
    static const char *const names[] = { "first", "second", "third" };
    static const seL4_Word priorities[] = { 30, 50, 40 };
    for (int i = 0; i < 3; i++) {
        struct thread *thread = thread_make(names[i], priorities[i], reads, NOWHERE + 8 * i, 0);
        thread_set_fault_handler(thread, mint(faults, seL4_AllRights, 10 + i));
        seL4_TCB_Resume(thread->tcb);
    }
    settle();
    for (int i = 0; i < 3; i++) {
        see_fault();
    }
}

const struct scenario fault_scenarios[] = {
    { "reading where nothing is", read_nowhere },
    { "writing where nothing is", write_nowhere },
    { "executing where nothing is", execute_nowhere },
    { "address zero", address_zero },
    { "a page without rights", pages_without_rights },
    { "an address of the kernel", address_of_the_kernel },
    { "an undefined instruction is skipped", undefined_instruction },
    { "an undefined instruction again", undefined_instruction_again },
#ifndef CONFIG_PLAT_HOSTED
    /* There a system call is a call. */
    { "a system call that does not exist", unknown_system_call },
#endif
    { "registers are changed", registers_are_changed },
    { "resumed instead of answered", resumed_instead_of_answered },
    { "no handler", no_handler },
    { "handlers that are none", handlers_that_are_none },
    { "the handler goes away", handler_goes_away },
    { "capabilities in send", send_faults },
    { "capabilities in nb_send", nb_send_faults },
    { "capabilities in call", call_faults },
    { "capabilities in receive", receive_faults },
    { "capabilities in nb_receive", nb_receive_faults },
    { "capabilities in wait", wait_faults },
    { "capabilities in messages", extra_faults },
    { "no right to receive", without_right_to_receive },
    { "the capability comes late", capability_comes_late },
    { "faults queue", faults_queue },
    { 0 },
};
