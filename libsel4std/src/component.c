/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An instance of a CAmkES component in place of a root server: kernel objects that the loader has made, and CAmkES' threads,
 * which muslc does not know. They get muslc's structure beside their thread-local storage, so that thread-local values, errno
 * and the making of threads work in them.
 */
#define _GNU_SOURCE
#include <sel4std_component.h>
#include "internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4runtime.h>
#include <sel4std.h>

seL4_CPtr __attribute__((weak)) sel4std_new_object(seL4_Word type, seL4_Word size_bits)
{
    static unsigned used;
    (void)size_bits;
    unsigned number = type == seL4_NotificationObject ? __atomic_fetch_add(&used, 1, __ATOMIC_SEQ_CST)
                                                      : sel4std_component_notification_count;
    return number < sel4std_component_notification_count ? sel4std_component_notifications[number] : seL4_CapNull;
}

seL4_CPtr new_object(seL4_Word type, seL4_Word size_bits)
{
    assert_no_lock();
    return sel4std_new_object(type, size_bits);
}

_Noreturn void thread_refuse(void)
{
    say("sel4std: a thread that neither CAmkES nor std has made waits for a lock\n"
        "help: make threads that use std with std::thread, or with pthread_create() in C\n");
    sel4std_exit(134);
}

/* CAmkES has none on a kernel with MCS. */
static long sys_sched_yield(va_list arguments)
{
    (void)arguments;
    seL4_Yield();
    return 0;
}

void component_install(void)
{
    muslcsys_install_syscall(__NR_sched_yield, sys_sched_yield);
}

/* First members of muslc's description of the process, and of that of a thread, in version 1.2. */
extern struct {
    char can_do_threads, threaded, secure;
    volatile signed char need_locks;
    int threads_minus_1;
    size_t *auxv;
    void *tls_head;
    size_t tls_size, tls_align, tls_count, page_size;
    const void *global_locale[6];
} __libc __attribute__((visibility("hidden")));

typedef struct known known_t;
struct known {
    known_t *self;
#ifdef CONFIG_ARCH_X86_64
    uintptr_t *dtv;
#endif
    known_t *previous, *next;
    uintptr_t sysinfo;
#ifdef CONFIG_ARCH_X86_64
    uintptr_t canary;
#endif
    int tid, error, detach_state, cancel;
    unsigned char cancel_disabled, cancel_async, flags;
    void *map_base;
    size_t map_size;
    void *stack;
    size_t stack_size, guard_size;
    void *result, *cancel_buffer;
    void **values;
    struct {
        volatile void *volatile head;
        long offset;
        volatile void *volatile pending;
    } robust_list;
    int resolver_error, timer;
    const void *locale;
};
/* muslc's state of a thread that can be joined. */
#define JOINABLE 2

/* muslc's function, which lays out thread-local storage and its structure of a thread in zeroed memory. */
known_t *__copy_tls(unsigned char *memory) __attribute__((visibility("hidden")));

/* The linker calls these in place of the functions that they are named after (--wrap). */
sel4runtime_size_t __real_sel4runtime_get_tls_size(void);
sel4runtime_uintptr_t __real_sel4runtime_write_tls_image(void *memory);

#define VALUES_BYTES (PTHREAD_KEYS_MAX * sizeof(void *))

/* Before muslc has started, there is the first thread alone. */
sel4runtime_size_t __wrap_sel4runtime_get_tls_size(void)
{
    return __libc.tls_size != 0 ? VALUES_BYTES + __libc.tls_size + 16 : __real_sel4runtime_get_tls_size();
}

/* Returns the number of the thread of CAmkES' that this runs in; 0 if it is none. */
static int number_by_stack(void)
{
    const char *here = __builtin_frame_address(0);
    for (unsigned i = 0; i < sel4std_component_own; i++) {
        if (here >= sel4std_component_threads[i].stack && here < sel4std_component_threads[i].stack_end) {
            return i + 1;
        }
    }
    return 0;
}

/* CAmkES' threads call this for themselves. The maker of the ticker calls it for the ticker, which gets the maker's number. */
sel4runtime_uintptr_t __wrap_sel4runtime_write_tls_image(void *memory)
{
    if (__libc.tls_size == 0 || memory == NULL) {
        return __real_sel4runtime_write_tls_image(memory);
    }
    memset(memory, 0, __wrap_sel4runtime_get_tls_size());
    void **values = (void *)(((uintptr_t)memory + 15) & -16ul);
    known_t *known = __copy_tls((unsigned char *)values + VALUES_BYTES);
    known->self = known;
    /* A list of its own. The thread never leaves it. */
    known->previous = known->next = known;
    known->detach_state = JOINABLE;
    known->tid = number_by_stack();
    known->values = values;
    known->robust_list.head = &known->robust_list.head;
    known->locale = __libc.global_locale;
    /* The thread pointer is as far away as that of this image's first thread is from its structure. */
    extern uintptr_t component_to_pointer;
    return (uintptr_t)known + component_to_pointer;
}

uintptr_t component_to_pointer;

/* Ends the component if muslc's structures are not laid out as here, judged by the first thread's, which muslc has filled. */
static void check_layout(void)
{
    const known_t *first = (const known_t *)pthread_self();
    if (first->self != first || first->next != first || first->robust_list.head != &first->robust_list.head
        || first->locale != __libc.global_locale || first->detach_state != JOINABLE) {
        say("sel4std: muslc describes threads in another way than version 1.2\n"
            "help: take the muslc of the kit's manifest, or leave STD out of add_rust_library()\n");
        sel4std_exit(134);
    }
}

/* Prepares muslc for threads that it does not make, as pthread_create() does when it is first called: muslc takes its locks,
 * those of malloc() and of streams among them, only from then on. Only its first thread would have a table of values. */
void component_begin(void)
{
    check_layout();
    component_to_pointer = sel4runtime_get_tls_base() - (uintptr_t)pthread_self();
    FILE *const streams[] = { stdin, stdout, stderr };
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        /* A lock that is tried once is taken from then on. */
        if (ftrylockfile(streams[i]) == 0) {
            funlockfile(streams[i]);
        }
    }
    pthread_key_t key;
    /* This gives the calling thread its table. */
    if (pthread_key_create(&key, NULL) == 0) {
        pthread_setspecific(key, NULL);
        pthread_key_delete(key);
    }
    __libc.threads_minus_1++;
    __libc.threaded = 1;
    __libc.need_locks = 1;
}
