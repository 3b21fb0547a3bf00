/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of libsel4std say to each other.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <sel4/sel4.h>

#ifdef CONFIG_PLAT_HOSTED
/* libutils, as far as it is used here. */
#define BIT(n) (1ul << (n))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ROUND_UP(n, b) (((n) + (b) - 1) / (b) * (b))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* hosted/rt: the platform's clock, in microseconds. */
uint64_t sel4_hosted_clock(void);
/* hosted/rt: has the platform's timer signal `wake` after `nanoseconds`. */
bool sel4_hosted_alarm(seL4_CPtr wake, uint64_t nanoseconds);
/* hosted/rt: ends the process, because a thread that is not in the table waits. */
_Noreturn void sel4_hosted_refuse_thread(void);
/* hosted/rt: Linux' randomness and date, the defaults of sel4std_entropy() and sel4std_wall_clock(). */
int sel4_hosted_entropy(void *bytes, size_t count);
int sel4_hosted_wall_clock(struct timespec *now);
#else
#include <utils/util.h>
#endif

/* lock.c: a lock that sleeps in the kernel. It touches neither thread-local storage nor the IPC buffer, so that it may
 * be taken between setting a message register and the call that sends it. */
typedef struct {
    int holders; /* and those who wait */
    seL4_CPtr notification;
} lock_t;

bool lock_prepare(lock_t *lock);
void lock_take(lock_t *lock);
void lock_give(lock_t *lock);
/* Waits for a notification and leaves the message registers alone. */
void wait_for(seL4_CPtr notification);

/* message.c: keeps what the invocations of this library use of the caller's IPC buffer, and puts it back. */
#define MESSAGE_WORDS 8
#define MESSAGE_CAPABILITIES 3
typedef struct {
    seL4_Word words[MESSAGE_WORDS], capabilities[MESSAGE_CAPABILITIES];
} message_t;
void message_keep(message_t *message);
void message_restore(const message_t *message);

/* objects.c */
/* sel4std_new_object(), with the caller's message left as it is. */
seL4_CPtr new_object(seL4_Word type, seL4_Word size_bits);
seL4_CPtr object_from_reservation(seL4_Word type, seL4_Word size_bits);
void objects_reserve(void);
/* The capability of the frame that holds `page` of this image, or seL4_CapNull. */
seL4_CPtr image_frame(const void *page);

/* growth.c: maps a new large page at `address`. */
#ifdef CONFIG_ARCH_AARCH64
#define GROWTH_PAGE seL4_ARM_LargePageObject
#else
#define GROWTH_PAGE seL4_X86_LargePageObject
#endif
bool growth_map(void *address);

/* thread.c */
typedef struct thread thread_t;
struct thread {
    bool taken;     /* changes with futex_lock() only */
    bool made;      /* its objects exist */
    bool scheduled; /* `core` is where it runs */
    seL4_CPtr tcb, notification, context;
    seL4_Word core, priority;
    uint64_t allowed; /* cores, as sched_setaffinity() was told */
    void *page;       /* begins with the IPC buffer; the rest is the stack for its end */
    int (*function)(void *);
    void *argument;
    volatile int *clear_at_exit;
    void *unmap_at_exit;
    size_t unmap_length;
};
#ifdef CONFIG_PLAT_HOSTED
/* Makes the calling thread the first one of the table. thread_self() is NULL in threads that are not in the table. */
void thread_begin_first(void);
#endif
thread_t *thread_self(void);
/* As gettid() tells it; 0 for the ticker. */
int thread_number(const thread_t *thread);
/* The thread with that number, the calling one for 0; NULL if there is none. */
thread_t *thread_of(int number);
/* Makes sure that the calling thread can be woken. */
bool thread_can_wait(thread_t *thread);
/* Takes a free slot; NULL if there is none. */
thread_t *thread_take(void);
void thread_give_back(thread_t *thread);
/* Starts the thread's `function` with this stack and thread-local storage. */
bool thread_start(thread_t *thread, void *stack, void *tls);
/* Suspends the thread. */
bool thread_stop(const thread_t *thread);
_Noreturn void thread_stop_self(void);
/* Stops all threads, the calling one last. */
_Noreturn void threads_stop(void);
/* Starts the one thread that serves all deadlines, which calls `tick` for ever. NULL where that fails. */
thread_t *thread_start_ticker(void (*tick)(thread_t *));

/* schedule.c: puts a stopped thread on the core and to the priority that the application chooses. */
bool schedule(thread_t *thread);

/* alarm.c: how the ticker sleeps, for ever with UINT64_MAX. First alarm_set(), then alarm_wait(). */
void alarm_set(const thread_t *ticker, uint64_t nanoseconds);
void alarm_wait(const thread_t *ticker, uint64_t nanoseconds);
/* Ends that sleep, or the next if it does not sleep yet. `waits` if it is for ever. */
void alarm_hasten(const thread_t *ticker, bool waits);

/* futex.c */
bool futex_prepare(void);
/* The lock over all who wait. The end of a thread is one step under it, so who sees that a thread has ended finds its place
 * free. */
void futex_lock(void);
void futex_unlock(void);
/* Wakes one who waits for `word`. The caller has the lock. */
void futex_wake_one(volatile int *word);
/* Sleeps until the clock shows `deadline`. */
int futex_sleep(uint64_t deadline);
#ifdef CONFIG_PLAT_HOSTED
/* Waits for futex_wake(word), or until the deadline, unless `wanted`, which is called with the lock, returns false. Once a
 * wake can reach the thread, calls `queued` if it is not NULL. Returns 0, -EAGAIN or -ETIMEDOUT. */
int futex_wait_if(volatile int *word, bool (*wanted)(void *), void (*queued)(void *), void *argument,
                  uint64_t deadline);
/* Wakes up to `count` that wait for `word`, the first ones first. */
void futex_wake(volatile int *word, int count);
/* Sets `word` and wakes all that wait for it, in one step under the lock. */
void futex_set(volatile int *word, int value);
#endif

/* clock.c: nanoseconds since the counter's zero. */
uint64_t clock_now(void);
/* When `time` is over: of the clock `clock` if `absolute`, else from now. What is too long to tell is UINT64_MAX. */
uint64_t clock_deadline(const struct timespec *time, bool absolute, clockid_t clock);

/* memory.c */
bool memory_prepare(void);
void *memory_map(size_t length);
long memory_unmap(void *start, size_t length);

/* files.c */
bool files_prepare(void);

/* random.c, files.c, ...: each puts its functions into muslcsys' table. */
void clock_install(void);
void clone_install(void);
void files_install(void);
void futex_install(void);
void memory_install(void);
void process_install(void);
void random_install(void);
void schedule_install(void);
void thread_install(void);

/* hooks.c: prints a line on the console, with the C library's own write(). */
void say(const char *line);
void say_once(bool *said, const char *line);
