/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux' futex, on which muslc's and Rust's locks sleep, and sleep for a time. Waiters are in lists by the address of their
 * words, and sleep on their threads' notifications. One thread, the ticker, wakes waiters whose deadline has passed; it
 * sleeps while there is no deadline.
 */
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

/* Numbers and flags of Linux. */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_REQUEUE = 3, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10 };
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_COMMAND 127
#define FUTEX_OPTIONS (128 | FUTEX_CLOCK_REALTIME)
#define ANY_BIT (~0u)

typedef struct waiter waiter_t;
struct waiter {
    waiter_t *next;
    waiter_t *later; /* the next deadline */
    volatile int *word;
    unsigned bits;
    uint64_t deadline;
    thread_t *thread;
    bool polls; /* looks at the clock itself, and needs no signal */
    enum { WAITING, WOKEN, TIMED_OUT } state;
};

/* Hash table by address. Fibonacci hashing also spreads words whose distance is a page or a stack. */
#define LIST_BITS 6
#define LISTS (1 << LIST_BITS)
#define SPREAD 0x9e3779b97f4a7c15ull
static waiter_t *lists[LISTS];
static waiter_t *deadlines;
static lock_t lock;
static thread_t *ticker; /* NULL until it runs */
/* Whether the ticker exists. The first thread that waits for a time makes it, with no lock held; others wait meanwhile. */
enum { NONE, MAKING, MADE };
static int ticker_state;
static const thread_t *ticker_maker;
/* Deadline for which the ticker sleeps; UINT64_MAX if it waits for a signal. */
static uint64_t next_look = UINT64_MAX;

bool futex_prepare(void)
{
    return lock_prepare(&lock);
}

void futex_lock(void)
{
    lock_take(&lock);
}

void futex_unlock(void)
{
    lock_give(&lock);
}

void futex_lock_last(void)
{
    lock_take_last(&lock);
}

void futex_unlock_last(void)
{
    lock_give_last(&lock);
}

static waiter_t **list_of(const volatile int *word)
{
    return &lists[(uintptr_t)word * SPREAD >> (64 - LIST_BITS)];
}

static void add(waiter_t *waiter)
{
    waiter_t **at = list_of(waiter->word);
    while (*at != NULL) {
        at = &(*at)->next;
    }
    waiter->next = NULL;
    *at = waiter;
}

static void remove_from_deadlines(waiter_t *waiter)
{
    for (waiter_t **at = &deadlines; waiter->deadline != UINT64_MAX && *at != NULL; at = &(*at)->later) {
        if (*at == waiter) {
            *at = waiter->later;
            return;
        }
    }
}

static void remove_from_list(waiter_t *waiter)
{
    for (waiter_t **at = list_of(waiter->word); *at != NULL; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

/* Wakes a waiter. It is on its thread's stack, and so gone as soon as the thread runs. */
static void let_go(waiter_t *waiter, int state)
{
    seL4_CPtr notification = waiter->polls ? seL4_CapNull : waiter->thread->notification;
    __atomic_store_n(&waiter->state, state, __ATOMIC_RELEASE);
    if (notification != seL4_CapNull) {
        seL4_Signal(notification);
    }
}

/* Main loop of the ticker. */
static void tick(thread_t *self)
{
    for (;;) {
        lock_take(&lock);
        ticker = self;
        uint64_t now = clock_now();
        while (deadlines != NULL && deadlines->deadline <= now) {
            waiter_t *over = deadlines;
            deadlines = over->later;
            remove_from_list(over);
            let_go(over, TIMED_OUT);
        }
        next_look = deadlines != NULL ? deadlines->deadline : UINT64_MAX;
        uint64_t left = next_look != UINT64_MAX ? next_look - now : UINT64_MAX;
        /* Under the lock, so that alarm_hasten() for a new deadline comes later. */
        alarm_set(self, left);
        lock_give(&lock);
        alarm_wait(self, left);
    }
}

static void add_deadline(waiter_t *waiter)
{
    waiter_t **at = &deadlines;
    while (*at != NULL && (*at)->deadline <= waiter->deadline) {
        at = &(*at)->later;
    }
    waiter->later = *at;
    *at = waiter;
}

/* Starts the ticker unless it exists. The caller holds no lock, because this calls functions of the application. */
static void start_ticker(void)
{
    int none = NONE;
    if (__atomic_load_n(&ticker_state, __ATOMIC_ACQUIRE) != NONE
        || !__atomic_compare_exchange_n(&ticker_state, &none, MAKING, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        return;
    }
    ticker_maker = thread_self();
    bool started = thread_start_ticker(tick);
    lock_take(&lock);
    ticker_state = started ? MADE : NONE;
    while (!started && deadlines != NULL) {
        waiter_t *unserved = deadlines;
        deadlines = unserved->later;
        unserved->polls = true;
        seL4_Signal(unserved->thread->notification);
    }
    lock_give(&lock);
}

/* Ends the wait of a thread without the ticker if its time is over. */
static void poll(waiter_t *waiter)
{
    seL4_Yield();
    if (clock_now() < waiter->deadline) {
        return;
    }
    lock_take(&lock);
    if (waiter->state == WAITING) {
        remove_from_list(waiter);
        waiter->state = TIMED_OUT;
    }
    lock_give(&lock);
}

/* Waits until a wake for `word`, or the deadline, if `wanted` returns true under the lock. Once the waiter is in its list and
 * the lock is free, calls `queued` if it is not NULL. */
static int wait_if(volatile int *word, unsigned bits, uint64_t deadline, bool (*wanted)(void *), void (*queued)(void *),
                   void *argument)
{
    waiter_t waiter = { .word = word, .bits = bits, .deadline = deadline, .thread = thread_self() };
    bool timed = deadline != UINT64_MAX, sleeps = thread_can_wait(waiter.thread) && futex_prepare();
    if (!sleeps && !timed) {
        return -ENOMEM;
    }
    if (sleeps && timed) {
        start_ticker();
    }
    lock_take(&lock);
    if (!wanted(argument)) {
        lock_give(&lock);
        return -EAGAIN;
    }
    add(&waiter);
    waiter.polls = !sleeps
                   || (timed && (ticker_state == NONE || (ticker_state == MAKING && ticker_maker == waiter.thread)));
    bool hasten = timed && !waiter.polls && ticker != NULL && deadline < next_look, waits = next_look == UINT64_MAX;
    if (timed && !waiter.polls) {
        add_deadline(&waiter);
    }
    if (hasten) {
        next_look = deadline;
    }
    lock_give(&lock);
    if (hasten) {
        alarm_hasten(ticker, waits);
    }
    if (queued != NULL) {
        queued(argument);
    }
    while (__atomic_load_n(&waiter.state, __ATOMIC_ACQUIRE) == WAITING) {
        if (__atomic_load_n(&waiter.polls, __ATOMIC_RELAXED)) {
            poll(&waiter);
        } else {
            wait_for(waiter.thread->notification);
        }
    }
    return waiter.state == WOKEN ? 0 : -ETIMEDOUT;
}

typedef struct {
    volatile int *word;
    int value;
} expected_t;

static bool has_value(void *argument)
{
    const expected_t *expected = argument;
    return *expected->word == expected->value;
}

static int wait_on(volatile int *word, int value, unsigned bits, uint64_t deadline)
{
    expected_t expected = { word, value };
    return wait_if(word, bits, deadline, has_value, NULL, &expected);
}

int futex_wait(volatile int *word, int value, uint64_t deadline)
{
    return wait_on(word, value, ANY_BIT, deadline);
}

static bool always(void *argument)
{
    (void)argument;
    return true;
}

int futex_sleep(uint64_t deadline)
{
    int error = wait_if(NULL, 0, deadline, always, NULL, NULL);
    return error == -ETIMEDOUT ? 0 : error;
}

/* Wakes up to `count` waiters and moves one to `move_to`, if that is not NULL. The caller has the lock. */
static int wake_locked(volatile int *word, int count, unsigned bits, volatile int *move_to)
{
    int woken = 0;
    waiter_t **at = list_of(word);
    while (*at != NULL) {
        waiter_t *waiter = *at;
        if (waiter->word != word || !(waiter->bits & bits)) {
            at = &waiter->next;
        } else if (woken < count) {
            *at = waiter->next;
            remove_from_deadlines(waiter);
            let_go(waiter, WOKEN);
            woken++;
        } else if (move_to != NULL) {
            *at = waiter->next;
            waiter->word = move_to;
            add(waiter);
            break;
        } else {
            break;
        }
    }
    return woken;
}

static int wake(volatile int *word, int count, unsigned bits, volatile int *move_to)
{
    lock_take(&lock);
    int woken = wake_locked(word, count, bits, move_to);
    lock_give(&lock);
    return woken;
}

void futex_wake_one(volatile int *word)
{
    wake_locked(word, 1, ANY_BIT, NULL);
}

void futex_wake(volatile int *word, int count)
{
    /* Without the lock's notification, no thread has waited yet. */
    if (lock.notification != seL4_CapNull) {
        wake(word, count, ANY_BIT, NULL);
    }
}

#ifdef CONFIG_PLAT_HOSTED
int futex_wait_if(volatile int *word, bool (*wanted)(void *), void (*queued)(void *), void *argument, uint64_t deadline)
{
    return wait_if(word, ANY_BIT, deadline, wanted, queued, argument);
}

void futex_set(volatile int *word, int value)
{
    lock_take(&lock);
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    wake_locked(word, INT_MAX, ANY_BIT, NULL);
    lock_give(&lock);
}
#endif

static long sys_futex(va_list arguments)
{
    volatile int *word = va_arg(arguments, volatile int *);
    int operation = va_arg(arguments, int);
    int value = va_arg(arguments, int);
    const struct timespec *timeout = va_arg(arguments, const struct timespec *);
    volatile int *other = va_arg(arguments, volatile int *);
    unsigned bits = va_arg(arguments, unsigned);
    clockid_t clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;

    if (operation & ~(FUTEX_COMMAND | FUTEX_OPTIONS)) {
        return -ENOSYS;
    }
    switch (operation & FUTEX_COMMAND) {
    case FUTEX_WAIT:
        return wait_on(word, value, ANY_BIT, timeout != NULL ? clock_deadline(timeout, false, clock) : UINT64_MAX);
    case FUTEX_WAIT_BITSET:
        return wait_on(word, value, bits, timeout != NULL ? clock_deadline(timeout, true, clock) : UINT64_MAX);
    case FUTEX_WAKE: return wake(word, value, ANY_BIT, NULL);
    case FUTEX_WAKE_BITSET: return wake(word, value, bits, NULL);
    case FUTEX_REQUEUE:
        /* muslc moves one waiter at a time. */
        return wake(word, value, ANY_BIT, other);
    default: return -ENOSYS;
    }
}

void futex_install(void)
{
    muslcsys_install_syscall(__NR_futex, sys_futex);
}
