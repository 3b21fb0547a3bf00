/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Stacks that threads of each kind use up: one of pthread_create(), the one that serves timeouts, which runs the
 * application's timer code, and the first. Each fault must name its thread, by the badge of its endpoint.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <sel4runtime.h>
#include <overflow.h>
#include <sel4std.h>

#define PAGE 4096

static seL4_CPtr faults;
static sem_t told;

static seL4_CPtr badged(seL4_Word badge)
{
    seL4_CPtr slot = sel4runtime_bootinfo()->empty.start++;
    seL4_CNode_Mint(seL4_CapInitThreadCNode, slot, seL4_WordBits, seL4_CapInitThreadCNode, faults, seL4_WordBits,
                    seL4_AllRights, badge);
    return slot;
}

seL4_CPtr sel4std_fault_endpoint(int thread)
{
    return badged(thread);
}

static volatile bool timer_descends;
bool sel4std_alarm(seL4_CPtr wake, uint64_t nanoseconds)
{
    (void)wake;
    (void)nanoseconds;
    return timer_descends && overflow_descends(0) == 0;
}

static void *descend(void *argument)
{
    overflow_descends(0);
    return argument;
}

static void *sleep_on(void *argument)
{
    struct timespec soon = { .tv_sec = 5 };
    nanosleep(&soon, NULL);
    return argument;
}

static void *tell(void *argument)
{
    for (;;) {
        seL4_Word thread = 0;
        /* No reply is sent. */
#ifdef CONFIG_KERNEL_MCS
        seL4_MessageInfo_t fault = seL4_Wait(faults, &thread);
#else
        seL4_MessageInfo_t fault = seL4_Recv(faults, &thread);
#endif
        seL4_Word address = seL4_GetMR(seL4_VMFault_Addr);
        bool below = seL4_MessageInfo_get_label(fault) == seL4_Fault_VMFault && address < overflow_deepest()
                     && overflow_deepest() - address < PAGE;
        printf("Thread %lu faulted below its stack: %s\n", thread, below ? "yes" : "no");
        sem_post(&told);
    }
    return argument;
}

static seL4_CPtr endpoint(void)
{
    const seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_CPtr slot = sel4runtime_bootinfo()->empty.start++;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        if (!info->untypedList[i].isDevice
            && seL4_Untyped_Retype(info->untyped.start + i, seL4_EndpointObject, 0, seL4_CapInitThreadCNode, 0, 0, slot,
                                   1)
                   == seL4_NoError) {
            break;
        }
    }
    return slot;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    faults = endpoint();
    seL4_TCB_SetSpace(seL4_CapInitThreadTCB, badged(1), seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0);
    sem_init(&told, 0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, tell, NULL);
    pthread_create(&thread, NULL, descend, NULL);
    sem_wait(&told);
    timer_descends = true;
    pthread_create(&thread, NULL, sleep_on, NULL);
    sem_wait(&told);
    overflow_descends(0);
    return 1;
}
