/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads that muslc does not know: those of sel4utils, and TCBs that a program sets up itself. They have thread-local
 * storage, but not muslc's own structure beside it; there may lie their stack. What needs that structure, and must not write
 * into the stack, is replaced here, or ends the program with a message.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sel4runtime.h>
#include <sel4std.h>

/* muslc has it in its structure. */
static __thread int error;

int *__errno_location(void)
{
    return &error;
}

/* The name that muslc's own files use. */
int *___errno_location(void) __attribute__((const, alias("__errno_location")));

/* muslc's constant locale "C", a `struct __locale_struct`. */
extern const char __c_locale[] __attribute__((visibility("hidden")));

/* First members of muslc's description of the process. */
extern struct {
    char can_do_threads, threaded, secure;
    volatile signed char need_locks;
    int threads_minus_1;
} __libc __attribute__((visibility("hidden")));

/* The linker calls these in place of the functions that they are named after (--wrap). */
sel4runtime_uintptr_t __real_sel4runtime_write_tls_image(void *memory);
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_key_delete(pthread_key_t key);
int __real_pthread_setspecific(pthread_key_t key, const void *value);
void *__real_pthread_getspecific(pthread_key_t key);

/* Prepares for a thread that pthread_create() does not make. muslc takes its locks, that of malloc() among them, only while
 * it counts more than one thread. From here on it always does. */
sel4runtime_uintptr_t __wrap_sel4runtime_write_tls_image(void *memory)
{
    static bool counted;
    if (memory != NULL && !__atomic_exchange_n(&counted, true, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&__libc.threads_minus_1, 1, __ATOMIC_SEQ_CST);
        __libc.need_locks = 1;
    }
    return __real_sel4runtime_write_tls_image(memory);
}

/* muslc has the locale in its structure, too. There is no other than "C". */
char *__wrap_strerror(int number)
{
    return strerror_l(number, (locale_t)__c_locale);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    thread_known();
    return __real_pthread_key_create(key, destructor);
}

int __wrap_pthread_key_delete(pthread_key_t key)
{
    thread_known();
    return __real_pthread_key_delete(key);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    thread_known();
    return __real_pthread_setspecific(key, value);
}

void *__wrap_pthread_getspecific(pthread_key_t key)
{
    thread_known();
    return __real_pthread_getspecific(key);
}

_Noreturn void thread_refuse(void)
{
    char line[256];
    snprintf(
        line, sizeof(line),
        "sel4std: the thread with its IPC buffer at %p and its stack at %p waits for a lock, or has a thread-local "
        "value, but muslc does not know it\n"
        "help: make threads that use std with std::thread, or with pthread_create() in C\n",
        (void *)seL4_GetIPCBuffer(), __builtin_frame_address(0));
    say(line);
    sel4std_exit(134);
}
