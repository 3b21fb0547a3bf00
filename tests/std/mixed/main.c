/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One executable with Rust libraries of both kinds, and C that takes all memory which the boot information shows.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <plain.h>
#include <rich.h>
#include <sel4std.h>

static seL4_CPtr endpoint;

/* Asked before a thread is made; the default would leave a fault to the kernel's console. */
seL4_CPtr sel4std_fault_endpoint(int thread)
{
    (void)thread;
    return endpoint;
}

/* Takes each untyped whole, in two halves. If std had used a part of one, its second half would not be there. */
static void take_all_memory(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word count = info->untyped.end - info->untyped.start;
    seL4_CPtr slot = info->empty.start;
    int refused = 0, taken = 0;
    for (seL4_Word i = 0; i < count; i++) {
        const seL4_UntypedDesc *untyped = &info->untypedList[i];
        for (int half = 0; half < 2 && !untyped->isDevice && untyped->sizeBits > seL4_MinUntypedBits; half++) {
            seL4_Error error = seL4_Untyped_Retype(info->untyped.start + i, seL4_UntypedObject, untyped->sizeBits - 1,
                                                   seL4_CapInitThreadCNode, 0, 0, slot++, 1);
            refused += error != seL4_NoError;
            taken++;
        }
    }
    printf("Memory taken: %s, refused %d\n", taken > 0 ? "some" : "none", refused);
    /* The last half is whole. */
    if (seL4_Untyped_Retype(slot - 1, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, 0, 0, slot, 1) == seL4_NoError) {
        endpoint = slot;
    }
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned calls;

static void *call_rust(void *argument)
{
    (void)argument;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        unsigned mine = rich_calls_of_this_thread();
        seL4_Yield(); /* so that the other comes to wait */
        calls += mine;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

/* Threads of C, with C's own locks, and Rust's thread-local storage. */
static void use_pthreads(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, call_rust, NULL) != 0) {
            printf("pthread_create() failed\n");
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("Threads of C called Rust: %u\n", calls);
}

/* A place for one number, which C fills and another thread of C empties into Rust. */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned place;

static void *carry(void *argument)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        while (place == 0) {
            pthread_cond_wait(&changed, &lock);
        }
        rich_add(place);
        place = 0;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

static void use_a_condition(void)
{
    pthread_t thread;
    void *answer = NULL;
    pthread_create(&thread, NULL, carry, &place);
    for (unsigned i = 1; i <= 100; i++) {
        pthread_mutex_lock(&lock);
        while (place != 0) {
            pthread_cond_wait(&changed, &lock);
        }
        place = i;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    pthread_join(thread, &answer);
    /* The mutex is free, and nobody signals. */
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec += 1;
    pthread_mutex_lock(&lock);
    int over = pthread_cond_timedwait(&changed, &lock, &soon);
    pthread_mutex_unlock(&lock);
    printf("C carried to Rust: %u, the thread's answer: %s, then %s\n", rich_add(0),
           answer == &place ? "right" : "wrong", over == ETIMEDOUT ? "a timeout" : "no timeout");
}

/* Rust calls this with a closure of its own. */
int run_on_a_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, function, argument) || pthread_join(thread, NULL);
}

/* Lets a thread use up its stack, and receives its fault. */
static void overflow(void)
{
    rich_overflow();
#ifdef CONFIG_KERNEL_MCS
    seL4_MessageInfo_t fault = seL4_Wait(endpoint, NULL);
#else
    seL4_MessageInfo_t fault = seL4_Recv(endpoint, NULL);
#endif
    seL4_Word at = seL4_GetMR(seL4_VMFault_Addr);
    printf("A stack overflow is a fault of memory: %s\n",
           seL4_MessageInfo_get_label(fault) == seL4_Fault_VMFault && rich_was_near(at) ? "yes" : "no");
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    take_all_memory();
    printf("The sum is %u\n", rich_sum());
    printf("A panic without std is caught: %s\n", rich_catches() ? "yes" : "no");
    printf("The library without std was called %u times\n", plain_calls());
    printf("Threads: %u\n", rich_crowd());
    printf("And again: %u\n", rich_crowd());
    printf("Thread-local storage is aligned: %s\n", rich_is_aligned() ? "yes" : "no");
    use_pthreads();
    use_a_condition();
    printf("A closure on a thread of C: %u\n", rich_closure());
    overflow();
    return 0;
}
