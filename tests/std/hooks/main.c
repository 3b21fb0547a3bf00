/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the functions of sel4std.h may do: an allocator of kernel objects with a lock of its own, which other threads hold;
 * objects that are refused; and what C's calls answer, down to the end of main() by pthread_exit().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cpio/cpio.h>
#include <muslcsys/io.h>
#include <sel4runtime.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <hooks.h>
#include <sel4std.h>

#define PAGE 4096

static pthread_mutex_t allocator = PTHREAD_MUTEX_INITIALIZER;
/* What the allocator refuses. */
static bool refuses_all = true, refuses_threads = true;
/* The holder of the lock waits until somebody wants it. */
static volatile bool held, wanted;

static const char *yes(bool right)
{
    return right ? "yes" : "no";
}

static seL4_CPtr empty_slot(void)
{
    return sel4runtime_bootinfo()->empty.start++;
}

static seL4_CPtr make(seL4_Word type, seL4_Word size_bits)
{
    const seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word best = 0;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        if (!untyped->isDevice && untyped->sizeBits > info->untypedList[best].sizeBits) {
            best = i;
        }
    }
    seL4_CPtr slot = empty_slot();
    seL4_Error error = seL4_Untyped_Retype(info->untyped.start + best, type, size_bits, seL4_CapInitThreadCNode, 0, 0,
                                           slot, 1);
    return error == seL4_NoError ? slot : seL4_CapNull;
}

seL4_CPtr sel4std_new_object(seL4_Word type, seL4_Word size_bits)
{
    if (refuses_all || (refuses_threads && type == seL4_TCBObject)) {
        return seL4_CapNull;
    }
    wanted = true;
    pthread_mutex_lock(&allocator);
    seL4_CPtr object = make(type, size_bits);
    pthread_mutex_unlock(&allocator);
    return object;
}

/* Faults arrive with the thread's number as their badge. */
static seL4_CPtr faults;

seL4_CPtr sel4std_fault_endpoint(int thread)
{
    if (faults == seL4_CapNull) {
        return seL4_CapNull;
    }
    seL4_CPtr badged = empty_slot();
    seL4_CNode_Mint(seL4_CapInitThreadCNode, badged, seL4_WordBits, seL4_CapInitThreadCNode, faults, seL4_WordBits,
                    seL4_AllRights, thread);
    return badged;
}

static void *hold(void *argument)
{
    pthread_mutex_lock(&allocator);
    wanted = false;
    held = true;
    while (!wanted) {
        seL4_Yield();
    }
    /* Until the other waits for the lock. */
    for (int i = 0; i < 100; i++) {
        seL4_Yield();
    }
    held = false;
    pthread_mutex_unlock(&allocator);
    return argument;
}

static void waits_for_a_time(void)
{
    pthread_t holder;
    pthread_create(&holder, NULL, hold, NULL);
    while (!held) {
        seL4_Yield();
    }
    for (int i = 0; i < seL4_MsgMaxLength; i++) {
        seL4_SetMR(i, 1000 + i);
    }
    for (int i = 0; i < seL4_MsgMaxExtraCaps; i++) {
        seL4_SetCap(i, 2000 + i);
    }
    struct timespec soon = { .tv_nsec = 1000 };
    bool slept = nanosleep(&soon, NULL) == 0 && !held, kept = true;
    for (int i = 0; i < seL4_MsgMaxLength; i++) {
        kept = kept && seL4_GetMR(i) == 1000ul + i;
    }
    for (int i = 0; i < seL4_MsgMaxExtraCaps; i++) {
        kept = kept && seL4_GetCap(i) == 2000ul + i;
    }
    printf("The first wait for a time lets the holder of the allocator's lock run: %s\n", yes(slept));
    printf("and keeps the caller's message: %s\n", yes(kept));
    pthread_join(holder, NULL);
}

static bool leaves_memory(void)
{
    void *block = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block != MAP_FAILED && munmap(block, 2 << 20) == 0;
}

static void *wait_for_gate(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

static void handler(int signal)
{
    (void)signal;
}

static void signals(void)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t other;
    pthread_mutex_lock(&gate);
    pthread_create(&other, NULL, wait_for_gate, &gate);
    printf("A signal that is no signal asks whether a thread exists: %s\n",
           yes(pthread_kill(pthread_self(), 0) == 0 && pthread_kill(other, 0) == 0 && syscall(SYS_tkill, 12, 0) == -1
               && errno == ESRCH));
    struct sigaction action = { .sa_handler = handler }, old = { .sa_handler = handler };
    bool refused = sigaction(SIGUSR1, &action, NULL) == -1 && raise(SIGUSR1) != 0 && pthread_kill(other, SIGKILL) != 0;
    refused = refused && sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL
              && signal(SIGPIPE, SIG_IGN) != SIG_ERR;
    printf("Handlers are refused, and signals to others: %s\n", yes(refused));
    pthread_mutex_unlock(&gate);
    pthread_join(other, NULL);
}

static void console(void)
{
    struct winsize size = { .ws_row = 7 };
    int bytes = 7;
    printf("The size of the console is not known, other requests are refused: %s\n",
           yes(isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row == 0
               && ioctl(STDOUT_FILENO, FIONREAD, &bytes) == -1 && errno == ENOTTY));
}

static void names(void)
{
    static char name[3 * PAGE];
    memset(name, 'n', sizeof(name) - 1);
    printf("A name of any length: %s\n", yes(prctl(PR_SET_NAME, name) == 0));
}

static void cores(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word real = info->numNodes;
    uint64_t set = 0;
    info->numNodes = 64;
    bool right = syscall(SYS_sched_getaffinity, 0, sizeof(set), &set) == sizeof(set) && set == ~0ull;
    info->numNodes = real;
    printf("64 cores: %s\n", yes(right));
}

/* Waits for a fault of thread 2 at this address, and ends the thread. */
static void expect_fault(const char *text, const volatile char *address)
{
    seL4_Word thread = 0;
    /* No reply is sent. */
#ifdef CONFIG_KERNEL_MCS
    seL4_MessageInfo_t fault = seL4_Wait(faults, &thread);
#else
    seL4_MessageInfo_t fault = seL4_Recv(faults, &thread);
#endif
    bool right = seL4_MessageInfo_get_label(fault) == seL4_Fault_VMFault
                 && seL4_GetMR(seL4_VMFault_Addr) == (seL4_Word)address;
    printf("Thread %lu faulted at the page that is %s: %s\n", thread, text, yes(right));
}

static void *write_there(void *page)
{
    *(volatile char *)page = 1;
    return NULL;
}

/* An archive of one file of four bytes. */
#define ZERO "00000000"
static const char archive[] __attribute__((aligned(4))) = "070701" ZERO "000081a4" ZERO ZERO "00000001" ZERO
                                                          "00000004" ZERO ZERO ZERO ZERO "00000005" ZERO "file\0\0text"
                                                          "070701" ZERO ZERO ZERO ZERO
                                                          "00000001" ZERO ZERO ZERO ZERO ZERO ZERO "0000000b" ZERO
                                                          "TRAILER!!!\0\0\0";

static void *read_there(void *page)
{
    read(open("file", O_RDONLY), page, 4);
    return NULL;
}

/* The threads that fault stay where they are. */
static void access_to_pages(void)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pages[0] = 3;
    bool refused = mprotect(pages, PAGE, PROT_READ | PROT_EXEC) == -1 && mprotect(pages, PAGE, PROT_EXEC) == -1
                   && mprotect(pages, 0, PROT_NONE) == 0;
    printf("Access that pages cannot have is refused: %s\n", yes(refused));
    pthread_t thread;
    mprotect(pages, PAGE, PROT_READ);
    pthread_create(&thread, NULL, write_there, pages);
    expect_fault(pages[0] == 3 ? "read-only" : "not what it was", pages);
    mprotect(pages + PAGE, PAGE, PROT_NONE);
    muslcsys_install_cpio_interface(archive, sizeof(archive) - 1, cpio_get_file);
    pthread_create(&thread, NULL, read_there, pages + PAGE);
    expect_fault("absent", pages + PAGE);
    char text[5] = { 0 };
    int file = open("file", O_RDONLY);
    printf("and the files are still open to others: %s\n",
           yes(read(file, text, 4) == 4 && strcmp(text, "text") == 0 && read(file, text, 4) == 0 && close(file) == 0));
}

static void *round_down(void *argument)
{
    fesetround(FE_DOWNWARD);
    return argument;
}

static void *tell_rounding(void *rounding)
{
    *(int *)rounding = fegetround();
    return NULL;
}

/* Both threads have the slot that is free. */
static void computes(void)
{
    pthread_t thread;
    int first = -1, second = -1;
    pthread_create(&thread, NULL, round_down, NULL);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, tell_rounding, &first);
    pthread_join(thread, NULL);
    fesetround(FE_UPWARD);
    pthread_create(&thread, NULL, tell_rounding, &second);
    pthread_join(thread, NULL);
    fesetround(FE_TONEAREST);
    printf("A thread computes as its creator: %s\n", yes(first == FE_TONEAREST && second == FE_UPWARD));
}

static void *last(void *argument)
{
    return argument;
}

static void *outlive(void *first)
{
    pthread_t thread;
    void *result = NULL;
    pthread_join(*(pthread_t *)first, NULL);
    pthread_create(&thread, NULL, last, first);
    pthread_join(thread, &result);
    printf("Another makes a thread, and joins it\n");
    return NULL;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    printf("std sleeps without objects: %s\n", yes(hooks_sleeps(3)));
    refuses_all = false;
    printf("and without a thread that keeps the time: %s\n", yes(hooks_sleeps(400)));
    printf("Failed starts of that thread leave the memory: %s\n", yes(leaves_memory()));
    refuses_threads = false;
    faults = make(seL4_EndpointObject, 0);
    waits_for_a_time();
    signals();
    console();
    names();
    cores();
    access_to_pages();
    computes();
    static pthread_t self, thread;
    self = pthread_self();
    pthread_create(&thread, NULL, outlive, &self);
    printf("The first thread ends\n");
    pthread_exit(NULL);
}
