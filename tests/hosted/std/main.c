/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A root server that does what its argument names; it shows what Rust's std and C's pthreads do on the hosted platform.
 */
#include <cpio/cpio.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <cases.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static pthread_key_t key;
static int turn, destroyed;
static _Thread_local int mine = 5;

static void destroy(void *value)
{
    destroyed += value == &turn;
}

static void *player(void *argument)
{
    pthread_setspecific(key, &turn);
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % 2 == 0) {
            pthread_cond_wait(&changed, &mutex);
        }
        turn++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&mutex);
    }
    mine++;
    errno = 77;
    sem_post(&semaphore);
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    if (argument == &turn) {
        pthread_exit(&mutex);
    }
    return argument;
}

static pthread_mutex_t checked;

/* Locks the mutex once the first thread unlocks it. */
static void *locker(void *argument)
{
    (void)argument;
    int result = pthread_mutex_lock(&checked);
    pthread_mutex_unlock(&checked);
    return result ? NULL : &checked;
}

/* Conditions, timeouts, semaphores, locks for readers and writers, values by keys, thread-local variables. */
static void pthreads(void)
{
    pthread_t thread;
    void *result = NULL;
    sem_init(&semaphore, 0, 0);
    pthread_key_create(&key, destroy);
    pthread_rwlock_wrlock(&rwlock);
    pthread_create(&thread, NULL, player, &turn);
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % 2 == 1) {
            pthread_cond_wait(&changed, &mutex);
        }
        turn++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&mutex);
    }
    errno = 0;
    sem_wait(&semaphore);
    printf("turns %d, errno of the other %d, thread-local %d\n", turn, errno == 77, mine);
    pthread_rwlock_unlock(&rwlock);
    pthread_join(thread, &result);
    printf("the thread gave %s, and %d value was destroyed\n", result == &mutex ? "what it exits with" : "nothing",
           destroyed);

    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 3600;
    pthread_mutex_lock(&mutex);
    int timeout = pthread_cond_timedwait(&changed, &mutex, &end);
    pthread_mutex_unlock(&mutex);
    printf("an hour later: %s\n", timeout == ETIMEDOUT ? "timeout" : "no timeout");

    pthread_mutexattr_t checks;
    pthread_mutexattr_init(&checks);
    pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checked, &checks);
    pthread_mutex_lock(&checked);
    int again = pthread_mutex_lock(&checked), later = pthread_mutex_timedlock(&checked, &end);
    pthread_create(&thread, NULL, locker, NULL);
    sched_yield();
    int unlock = pthread_mutex_unlock(&checked);
    pthread_join(thread, &result);
    printf("a mutex that checks: %d %d %d %d\n", again == EDEADLK, later == EDEADLK, unlock, result == &checked);
}

static void say_destroyed(void *text)
{
    printf("%s\n", (char *)text);
}

static void say_end(void)
{
    printf("and the last thread ends the program\n");
}

static void *nothing(void *argument)
{
    return argument;
}

static void *survivor(void *argument)
{
    pthread_t thread;
    void *result = NULL;
    for (int i = 0; i < 3; i++) {
        sched_yield();
    }
    int created = pthread_create(&thread, NULL, nothing, &thread);
    int joined = pthread_join(thread, &result);
    printf("another thread starts threads: %d %d %d\n", created, joined, result == &thread);
    return argument;
}

/* The first thread ends before another. */
static void main_ends(void)
{
    pthread_t thread;
    atexit(say_end);
    pthread_key_create(&key, say_destroyed);
    pthread_setspecific(key, "a value of the first thread is destroyed");
    pthread_create(&thread, NULL, survivor, NULL);
    pthread_exit(NULL);
}

/* Archives with one file. Only the format "newc" is read. */
static void archives(void)
{
    static const char *const magics[] = { "070701", "070702", "070707", "070700" };
    for (int i = 0; i < 4; i++) {
        char archive[128] = "";
        unsigned long size = 0;
        /* Thirteen numbers: mode 4 before the size is a regular file; the name has two bytes. */
        int header = snprintf(archive, sizeof(archive), "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08xf",
                              magics[i], 0, 0100644, 0, 0, 1, 0, 3, 0, 0, 0, 0, 2, 0);
        memcpy(archive + header + 1, "yes", 3);
        const char *found = cpio_get_file(archive, sizeof(archive), "f", &size);
        printf("%s: %lu %.*s\n", magics[i], size, (int)size, found ? found : "");
    }
}

/* A thread that std does not know, with storage of its own. */
static void stranger(void)
{
    static char tls[4096] __attribute__((aligned(64))), stack[65536] __attribute__((aligned(16)));
    seL4_CPtr untyped = seL4_CapNull, tcb = sel4runtime_bootinfo()->empty.start;
    seL4_BootInfo *info = sel4runtime_bootinfo();
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        if (!info->untypedList[i].isDevice && info->untypedList[i].sizeBits > seL4_TCBBits) {
            untyped = info->untyped.start + i;
        }
    }
    seL4_Untyped_Retype(untyped, seL4_TCBObject, 0, seL4_CapInitThreadCNode, 0, 0, tcb, 1);
    seL4_TCB_Configure(tcb, 0, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0, 0, 0);
    seL4_TCB_SetPriority(tcb, seL4_CapInitThreadTCB, seL4_MaxPrio);
    seL4_UserContext registers = { .rip = (seL4_Word)take_lock, .rsp = (seL4_Word)(stack + sizeof(stack) - 8) };
    registers.fs_base = sel4runtime_write_tls_image(tls);
    hold_lock();
    seL4_TCB_WriteRegisters(tcb, 1, 0, sizeof(registers) / sizeof(seL4_Word), &registers);
    seL4_Yield();
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "pthreads") == 0) {
        pthreads();
    } else if (strcmp(name, "main ends") == 0) {
        main_ends();
    } else if (strcmp(name, "archives") == 0) {
        archives();
    } else if (strcmp(name, "stranger") == 0) {
        stranger();
    } else if (!run_case(name)) {
        printf("there is no case `%s`\n", name);
        return 1;
    }
    printf("ok\n");
    return 0;
}
