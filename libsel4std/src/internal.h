/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Declarations shared by the files of libsel4std.
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
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(n, b) (((n) + (b) - 1) / (b) * (b))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* hosted/rt: the platform's clock, in microseconds. */
uint64_t sel4_hosted_clock(void);
/* hosted/rt: has the platform's timer signal `wake` after `nanoseconds`. */
bool sel4_hosted_alarm(seL4_CPtr wake, uint64_t nanoseconds);
/* hosted/rt: ends the process, because a thread that is not in the table waits. */
_Noreturn void sel4_hosted_refuse_thread(void);
#define thread_refuse sel4_hosted_refuse_thread
/* hosted/rt: Linux' randomness and date, the defaults of sel4std_entropy() and sel4std_wall_clock(). */
int sel4_hosted_entropy(void *bytes, size_t count);
int sel4_hosted_wall_clock(struct timespec *now);
#else
#include <utils/util.h>
/* foreign.c: ends the program, because a thread that is not in the table waits. */
_Noreturn void thread_refuse(void);
#endif

/*
 * lock.c: a lock whose waiters sleep in the kernel. It preserves the message in the IPC buffer, so it may be taken between
 * setting a message register and sending the message.
 *
 * Order of locks: there is none, because a thread holds one of these locks at a time, and holds none while it calls a
 * function that the application may define (sel4std.h). Such a function may wait for locks of its own, whose holders may
 * need any of these. In debug builds, lock_take() and assert_no_lock() check it.
 *
 * Priority: between lock_take() and lock_give(), a thread runs at the highest priority of std's threads, so that no thread
 * of a priority in between delays one that waits for the lock. Where all have one priority, this costs two comparisons.
 */
typedef struct {
    int holders; /* holder and waiters */
    bool raised; /* the holder, by lock_take() */
    seL4_CPtr notification;
} lock_t;

bool lock_prepare(lock_t *lock);
void lock_take(lock_t *lock);
void lock_give(lock_t *lock);
/* Variants for a thread at its end, which access no thread-local storage. The thread has called schedule_raise(). */
void lock_take_last(lock_t *lock);
void lock_give_last(lock_t *lock);
/* Ends the program in debug builds if the calling thread holds a lock. */
void assert_no_lock(void);
/* Waits for a notification and leaves the message registers alone. */
void wait_for(seL4_CPtr notification);

/* message.c: saves and restores the part of the caller's IPC buffer that this library's invocations use: FEW_WORDS, or
 * for the start of a thread, whose largest invocation is seL4_TCB_WriteRegisters(), ALL_WORDS. */
#define FEW_WORDS 8
#define ALL_WORDS ((int)(2 + sizeof(seL4_UserContext) / sizeof(seL4_Word)))
#define MESSAGE_CAPABILITIES 3
typedef struct {
    int count;
    seL4_Word words[2 + sizeof(seL4_UserContext) / sizeof(seL4_Word)], capabilities[MESSAGE_CAPABILITIES];
} message_t;
void message_keep(message_t *message, int words);
void message_restore(const message_t *message);

/* Threads for the library itself, behind those of the program in the table: the watcher of faults, and the ticker. */
#if defined(CONFIG_PLAT_HOSTED) || defined(SEL4STD_COMPONENT)
#define SERVICES 1
#else
#define SERVICES 2
#endif

/* objects.c */
/* Calls sel4std_new_object() and preserves the caller's message. */
seL4_CPtr new_object(seL4_Word type, seL4_Word size_bits);
seL4_CPtr object_from_reservation(seL4_Word type, seL4_Word size_bits);
void objects_reserve(void);
/* Says what the reservation lacked, if it failed. The C library must work by then. */
void objects_report(void);
/* Returns the frame capability of a page of this image, or seL4_CapNull. */
seL4_CPtr image_frame(const void *page);

/* growth.c. Its kernel objects are made outside memory.c's lock, under which the rest is called. */
#ifdef CONFIG_ARCH_AARCH64
#define GROWTH_PAGE seL4_ARM_LargePageObject
#else
#define GROWTH_PAGE seL4_X86_LargePageObject
#endif
/* Kind of object that the last growth_map() lacked; NOTHING if there was none. */
#define NOTHING (-1)
extern int growth_lacks;
/* Maps a new large page at `address`. */
bool growth_map(void *address);
/* Returns a new object of this kind, or seL4_CapNull. */
seL4_CPtr growth_make(int kind);
/* Keeps the object for growth_map(). */
void growth_put(int kind, seL4_CPtr object);

/* thread.c */
typedef struct thread thread_t;
struct thread {
    bool taken;     /* changes with futex_lock() only */
    bool made;      /* its objects exist */
    bool scheduled; /* `core` is where it runs */
    bool holds;     /* one of the locks, in debug builds */
    bool raised;    /* runs at the highest priority, not at its own */
    seL4_CPtr tcb, notification, context;
    seL4_Word core, priority;
    uint64_t allowed;       /* cores, as sched_setaffinity() was told */
    void *page;             /* begins with the IPC buffer; the rest is the stack for its end */
    uint64_t float_control; /* control registers for floating point, which a new thread has from its creator */
    int (*function)(void *);
    void *argument;
    volatile int *clear_at_exit;
    void *unmap_at_exit;
    size_t unmap_length;
    void *signal_stack; /* as sigaltstack() was told; none if its size is 0 */
    size_t signal_stack_size;
};
/* Makes the calling thread the first one of the table. thread_self() is NULL in threads that are not in the table. */
void thread_begin_first(void);
thread_t *thread_self(void);
/* Returns the calling thread's entry. Ends the program if it has none. */
thread_t *thread_known(void);
/* Returns the result of gettid() in that thread; 0 for the ticker. */
int thread_number(const thread_t *thread);
/* Returns the thread with that number, the calling one for 0; NULL if there is none. */
thread_t *thread_of(int number);
/* Gives the thread a notification, if it has none. Returns whether it has one. */
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
/* Starts the ticker, the thread that serves all deadlines, with `tick` as its function. Returns false on failure; another
 * call may then succeed. One thread at a time may call this. */
bool thread_start_ticker(void (*tick)(thread_t *));
#ifndef CONFIG_PLAT_HOSTED
/* Starts the watcher of faults in the same way. */
bool thread_start_watcher(void (*watch)(thread_t *));
#endif

/* Has each core on which another thread runs enter the kernel and leave it. */
void threads_interrupt(void);

/* Returns the highest priority of the threads that exist, and the lowest. */
seL4_Word threads_highest(seL4_Word *lowest);

/* schedule.c: moves a suspended thread to the core and the priority that the application chooses. */
bool schedule(thread_t *thread);
/* Whether std's threads have different priorities. */
extern bool schedule_differs;
/* Moves the calling thread to the highest priority of std's threads. Returns whether its own is lower. */
bool schedule_raise(thread_t *thread);
/* Moves it back to its own priority. */
void schedule_lower(thread_t *thread);

/* alarm.c: sleep of the ticker, by alarm_set() and then alarm_wait(). UINT64_MAX stands for no deadline. */
void alarm_set(const thread_t *ticker, uint64_t nanoseconds);
void alarm_wait(const thread_t *ticker, uint64_t nanoseconds);
/* Ends that sleep, or the next one if the ticker does not sleep yet. `waits` is true for a sleep without deadline. */
void alarm_hasten(const thread_t *ticker, bool waits);

/* futex.c */
bool futex_prepare(void);
/* The lock of all lists of waiters. A thread ends and frees its slot in one step under it, so a thread that sees another's end
 * finds the slot free. */
void futex_lock(void);
void futex_unlock(void);
/* Variants for a thread at its end. */
void futex_lock_last(void);
void futex_unlock_last(void);
/* Wakes one waiter for `word`. The caller has the lock. */
void futex_wake_one(volatile int *word);
/* Sleeps until the clock shows `deadline`. */
int futex_sleep(uint64_t deadline);
/* Waits for futex_wake(word), or until the deadline, if `word` has this value. Returns 0, -EAGAIN, -ETIMEDOUT or -ENOMEM. */
int futex_wait(volatile int *word, int value, uint64_t deadline);
/* Wakes up to `count` waiters for `word`, oldest first. */
void futex_wake(volatile int *word, int count);
#ifdef CONFIG_PLAT_HOSTED
/* Waits for futex_wake(word), or until the deadline, unless `wanted`, which is called with the lock, returns false. Once a
 * wake can reach the thread, calls `queued` if it is not NULL. Returns 0, -EAGAIN or -ETIMEDOUT. */
int futex_wait_if(volatile int *word, bool (*wanted)(void *), void (*queued)(void *), void *argument,
                  uint64_t deadline);
/* Sets `word` and wakes all waiters for it, in one step under the lock. */
void futex_set(volatile int *word, int value);
#endif

/* clock.c: returns the nanoseconds since the counter's zero. */
uint64_t clock_now(void);
/* Returns clock_now()'s value at `time`, which is a time of `clock` if `absolute`, and else from now; UINT64_MAX if that is
 * too far. */
uint64_t clock_deadline(const struct timespec *time, bool absolute, clockid_t clock);

/* memory.c */
bool memory_prepare(void);
/* Returns the lower end of a stack above a guard page; NULL if there is no room. */
void *memory_stack(size_t length);
/* Returns whether a page without access, such as that below a stack, is at this address. */
bool memory_is_guard(const void *address);
/* Frees memory of a thread at its end, which may be the thread's own stack. */
void memory_unmap_last(void *start, size_t length);

/* files.c */
bool files_prepare(void);
/* The lock of the tables of descriptors. */
void files_lock(void);
void files_unlock(void);
/* Returns whether a descriptor is that of the console or of an open file. */
bool files_is_open(int number);

/* events.c: descriptors from this number on, which are behind those of files, and calls on them that files.c passes on. `events` is
 * NULL until the program asks for such a descriptor. A program that never does is linked without events.c. */
#ifdef CONFIG_PLAT_HOSTED
/* Linux' descriptors are smaller. */
#define FIRST_EVENT (1 << 24)
void events_install(void);
#else
#define FILES 64
#define FIRST_FILE 3
#define FIRST_EVENT (FIRST_FILE + FILES)
#endif
struct iovec;
struct stat;
typedef struct {
    long (*close)(int number);
    long (*read)(int number, const struct iovec *pieces, int count);
    long (*write)(int number, const struct iovec *pieces, int count);
    long (*stat)(int number, struct stat *result);
    long (*ioctl)(int number, int request, const int *argument);
    long (*fcntl)(int number, int what, long argument);
} events_t;
extern const events_t *events;

/* faults.c: faults as signals. `signals` is NULL until the program calls sigaction(), and a program that never does is linked
 * without faults.c, unless that starts before main() (RUST_STD_FAULT). */
#ifndef CONFIG_PLAT_HOSTED
/* Disposition of a signal, as muslc passes it. */
typedef struct {
    void (*handler)(int);
    unsigned long flags;
    unsigned long rest[2];
} signal_action_t;
/* Starts the watcher, which ends the program at a fault without a handler. Returns false if it lacks an object. */
bool faults_watch(void);
typedef struct {
    /* Prepares a thread that is about to start. */
    bool (*begin)(thread_t *thread);
    /* sigaction(), as Linux' system call has it. */
    long (*set_action)(int signal, const signal_action_t *action, signal_action_t *old);
} signals_t;
extern const signals_t *signals;
#endif

/* random.c, files.c, ...: each installs its functions in muslcsys' table of system calls. */
void clock_install(void);
void clone_install(void);
void files_install(void);
void futex_install(void);
void memory_install(void);
void process_install(void);
void random_install(void);
void schedule_install(void);
void thread_install(void);

#ifdef SEL4STD_COMPONENT
/* thread.c: fills the table of threads. */
void threads_prepare(void);
/* component.c */
void component_install(void);
void component_begin(void);
#endif

/* hooks.c: prints a line on the console, with the C library's own write(). */
void say(const char *line);
void say_once(bool *said, const char *line);
