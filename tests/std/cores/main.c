/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads of Rust's std on several cores, with priorities and cores of C's and of their own choice.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sel4/sel4.h>
#include <cores.h>
#include <sel4std.h>

/* The names and cores of all threads, as the kernel knows them, where it can print. */
void show_threads(void)
{
#if defined(CONFIG_DEBUG_BUILD) && defined(CONFIG_PRINTING)
    seL4_DebugDumpScheduler();
#endif
}

/* A message that is being written, in all words that the kernel's invocations of libsel4std may use. */
void write_message(seL4_Word seed)
{
    for (int i = 0; i < 8; i++) {
        seL4_SetMR(i, seed + i);
    }
    seL4_SetCap(0, seed);
}

bool message_is(seL4_Word seed)
{
    bool same = seL4_GetIPCBuffer()->caps_or_badges[0] == seed;
    for (int i = 0; i < 8; i++) {
        same = same && seL4_GetMR(i) == seed + i;
    }
    return same;
}

/* Linux' MEMBARRIER_CMD_PRIVATE_EXPEDITED. */
bool barrier(void)
{
    return syscall(SYS_membarrier, 8, 0) == 0;
}

static void *name_place(void *argument)
{
    (void)argument;
    cpu_set_t allowed;
    struct sched_param parameters;
    int policy;
    CPU_ZERO(&allowed);
    CPU_SET(0, &allowed);
    int moved = sched_setaffinity(0, sizeof(allowed), &allowed);
    int lowered = pthread_setschedprio(pthread_self(), 42);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    pthread_getschedparam(pthread_self(), &policy, &parameters);
    printf("A thread chose: %d %d, %d core, priority %d\n", moved, lowered, CPU_COUNT(&allowed),
           parameters.sched_priority);
    CPU_ZERO(&allowed);
    CPU_SET(17, &allowed);
    moved = sched_setaffinity(0, sizeof(allowed), &allowed);
    printf("A core that is not there: %s, a priority: %s\n", moved != 0 ? "refused" : "taken",
           pthread_setschedprio(pthread_self(), 256) != 0 ? "refused" : "taken");
    return NULL;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    if (cores_work() != 0) {
        return 1;
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, name_place, NULL) != 0 || pthread_join(thread, NULL) != 0) {
        return 2;
    }
    return 0;
}
