/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosted platform's counterpart of boot.c, memory.c and clone.c. hosted/rt calls it: there the C library is glibc, whose
 * functions it replaces by system calls through the table that the other files fill.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

#define SYSCALLS 512
static muslcsys_syscall_t table[SYSCALLS];

muslcsys_syscall_t sel4_hosted_install_syscall(int number, muslcsys_syscall_t handler)
{
    if (number < 0 || number >= SYSCALLS) {
        return NULL;
    }
    muslcsys_syscall_t before = table[number];
    table[number] = handler;
    return before;
}

bool sel4_hosted_has_syscall(long number)
{
    return number >= 0 && number < SYSCALLS && table[number] != NULL;
}

/* Calls a handler; returns a negative error number, as Linux does. */
long sel4_hosted_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    long result = table[number](arguments);
    va_end(arguments);
    return result;
}

void sel4_hosted_begin_std(void)
{
    /* std's default is 2 MiB. */
    setenv("RUST_MIN_STACK", STACK_BYTES, 0);
    thread_begin_first();
    clock_install();
    events_install();
    futex_install();
    schedule_install();
    thread_install();
    if (sel4std_new_object == object_from_reservation) {
        objects_reserve();
        objects_report();
    }
}

void *memory_stack(size_t length)
{
    size_t page = BIT(seL4_PageBits);
    char *memory = mmap(NULL, page + length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED && mprotect(memory, page, PROT_NONE) == 0 ? memory + page : NULL;
}

/* What files.c does on a kernel: the lock of descriptors, and which are open. */
static lock_t lock;
const events_t *events;

bool files_prepare(void)
{
    return lock_prepare(&lock);
}

void files_lock(void)
{
    lock_take(&lock);
}

void files_unlock(void)
{
    lock_give(&lock);
}

bool files_is_open(int number)
{
    return fcntl(number, F_GETFD) >= 0;
}

/* Calls on descriptors of events.c, for hosted/rt. */
bool sel4_hosted_is_event(int number)
{
    return number >= FIRST_EVENT;
}

long sel4_hosted_event_move(int number, const struct iovec *pieces, int count, bool writes)
{
    return writes ? events->write(number, pieces, count) : events->read(number, pieces, count);
}

long sel4_hosted_event_close(int number)
{
    return events->close(number);
}

long sel4_hosted_event_stat(int number, struct stat *result)
{
    return events->stat(number, result);
}

long sel4_hosted_event_control(int number, int what, long argument, bool ioctl)
{
    return ioctl ? events->ioctl(number, what, (const int *)argument) : events->fcntl(number, what, argument);
}

/* The largest number that thread_number() returns. */
int thread_last_number(void)
{
    return MAX_THREADS + 1;
}

/* Accessors for hosted/rt, which knows no field of a thread. */
seL4_CPtr thread_tcb(const thread_t *thread)
{
    return thread->tcb;
}

void thread_set_function(thread_t *thread, int (*function)(void *), void *argument)
{
    thread->function = function;
    thread->argument = argument;
}
