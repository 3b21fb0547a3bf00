/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The workloads in C.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sel4/sel4.h>
#include <sel4std.h>
#include <bits/syscall.h>

#include "workloads.h"

static pthread_t start(void *(*function)(void *), uintptr_t argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    if (pthread_create(&thread, &attributes, function, (void *)argument) != 0) {
        printf("cannot start a thread\n");
        abort();
    }
    return thread;
}

/* Two threads that take turns: what `turn` does for the first of them and for the second. */
static uint64_t in_turns(void *(*other)(void *), void (*turn)(bool first), unsigned rounds)
{
    pthread_t thread = start(other, rounds + 1);
    turn(true); /* both have met */
    uint64_t before = begin();
    for (unsigned round = 0; round < rounds; round++) {
        turn(true);
    }
    uint64_t count = end(before);
    pthread_join(thread, NULL);
    return count;
}

static void in_turns_too(void (*turn)(bool first), void *rounds)
{
    for (unsigned round = 0; round < (uintptr_t)rounds; round++) {
        turn(false);
    }
}

static seL4_CPtr notifications[2];

static void wait_for(seL4_CPtr notification)
{
#ifdef CONFIG_KERNEL_MCS
    seL4_WaitWithMRs(notification, NULL, NULL, NULL, NULL, NULL);
#else
    seL4_RecvWithMRs(notification, NULL, NULL, NULL, NULL, NULL);
#endif
}

static void notify_turn(bool first)
{
    if (first) {
        seL4_Signal(notifications[0]);
        wait_for(notifications[1]);
    } else {
        wait_for(notifications[0]);
        seL4_Signal(notifications[1]);
    }
}

static void *notify_too(void *rounds)
{
    in_turns_too(notify_turn, rounds);
    return NULL;
}

uint64_t notify(unsigned rounds)
{
    for (int i = 0; i < 2 && notifications[i] == seL4_CapNull; i++) {
        notifications[i] = sel4std_new_object(seL4_NotificationObject, seL4_NotificationBits);
    }
    return in_turns(notify_too, notify_turn, rounds);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned value;

uint64_t c_lock(unsigned rounds)
{
    uint64_t before = begin();
    for (unsigned round = 0; round < rounds; round++) {
        pthread_mutex_lock(&lock);
        value++;
        pthread_mutex_unlock(&lock);
    }
    return end(before);
}

/* The first yield lets the other find the lock taken, the second lets it take the lock. */
static void hand_over_turn(bool first)
{
    (void)first;
    pthread_mutex_lock(&lock);
    value++;
    sched_yield();
    pthread_mutex_unlock(&lock);
    sched_yield();
}

static void *hand_over_too(void *rounds)
{
    in_turns_too(hand_over_turn, rounds);
    return NULL;
}

uint64_t c_hand_over(unsigned rounds)
{
    return in_turns(hand_over_too, hand_over_turn, rounds);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool firsts_turn = true;

static void condition_turn(bool first)
{
    pthread_mutex_lock(&lock);
    while (firsts_turn != first) {
        pthread_cond_wait(&changed, &lock);
    }
    firsts_turn = !first;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void *condition_too(void *rounds)
{
    in_turns_too(condition_turn, rounds);
    return NULL;
}

uint64_t c_condition(unsigned rounds)
{
    return in_turns(condition_too, condition_turn, rounds);
}

static void *nothing(void *argument)
{
    return argument;
}

uint64_t c_clock(unsigned rounds)
{
    struct timespec now;
    uint64_t before = begin();
    for (unsigned round = 0; round < rounds; round++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
    return end(before);
}

uint64_t c_spawn(unsigned rounds)
{
    uint64_t before = begin();
    for (unsigned round = 0; round < rounds; round++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) {
            printf("cannot start a thread\n");
            abort();
        }
    }
    return end(before);
}

/* What C has instead of a channel: a list under a lock. */
typedef struct entry {
    struct entry *next;
    unsigned value;
} entry_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    entry_t *first, **last;
} queue_t;

#define QUEUE(name) static queue_t name = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &name.first }
QUEUE(to);
QUEUE(from);

static void put(queue_t *queue, unsigned value)
{
    entry_t *entry = malloc(sizeof(*entry));
    *entry = (entry_t) { .value = value };
    pthread_mutex_lock(&queue->lock);
    *queue->last = entry;
    queue->last = &entry->next;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

static unsigned get(queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->first == NULL) {
        pthread_cond_wait(&queue->filled, &queue->lock);
    }
    entry_t *entry = queue->first;
    queue->first = entry->next;
    if (queue->first == NULL) {
        queue->last = &queue->first;
    }
    pthread_mutex_unlock(&queue->lock);
    unsigned value = entry->value;
    free(entry);
    return value;
}

uint64_t c_queue(unsigned rounds)
{
    uint64_t before = begin();
    for (unsigned round = 0; round < rounds; round++) {
        put(&to, round);
        value = get(&to);
    }
    return end(before);
}

static void queues_turn(bool first)
{
    if (first) {
        put(&to, 1);
        value = get(&from);
    } else {
        put(&from, get(&to));
    }
}

static void *queues_too(void *rounds)
{
    in_turns_too(queues_turn, rounds);
    return NULL;
}

uint64_t c_queues(unsigned rounds)
{
    return in_turns(queues_too, queues_turn, rounds);
}

/* Words 64 KiB apart, as those of threads with stacks of this size. */
#define APART (65536 / sizeof(int))
#define MOST 100
static int words[(MOST + 1) * APART];

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

static void *sleep_on(void *word)
{
    syscall(__NR_futex, word, FUTEX_WAIT, 0, NULL);
    return NULL;
}

uint64_t wake(unsigned rounds, unsigned sleepers)
{
    pthread_t threads[MOST];
    for (unsigned i = 0; i < sleepers; i++) {
        threads[i] = start(sleep_on, (uintptr_t)&words[i * APART]);
    }
    sched_yield(); /* all have come to sleep */
    uint64_t before = begin();
    for (unsigned round = 0; round < rounds; round++) {
        value += syscall(__NR_futex, &words[MOST * APART], FUTEX_WAKE, 1);
    }
    uint64_t count = end(before);
    for (unsigned i = 0; i < sleepers; i++) {
        while (syscall(__NR_futex, &words[i * APART], FUTEX_WAKE, 1) == 0) {
            sched_yield();
        }
        pthread_join(threads[i], NULL);
    }
    return count;
}
