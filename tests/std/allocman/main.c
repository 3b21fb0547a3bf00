/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rust's std beside allocman, the allocator that seL4's C libraries share: std takes its kernel objects before main()
 * and allocman finds the rest, or (OBJECTS_FROM_APPLICATION) std takes them from allocman.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <sel4runtime.h>
#include <simple-default/simple-default.h>
#include <vka/object.h>
#include <crew.h>
#include <sel4std.h>

#define SMALLEST seL4_PageBits

/* Bytes of objects that std took from allocman. */
static seL4_Word given_bytes;
static simple_t simple;
static vka_t vka;
static char pool[64 * BIT(seL4_PageBits)];

/* Bytes of the memory, not of devices, that the boot information shows. */
static seL4_Word shown(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    seL4_Word sum = 0;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        sum += info->untypedList[i].isDevice ? 0 : BIT(info->untypedList[i].sizeBits);
    }
    return sum;
}

/* Before libsel4std takes anything. */
static seL4_Word at_boot;
__attribute__((constructor(104))) static void see_memory(void)
{
    at_boot = shown();
}

#ifdef OBJECTS_FROM_APPLICATION
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int given;

seL4_CPtr sel4std_new_object(seL4_Word type, seL4_Word size_bits)
{
    vka_object_t object;
    /* Large blocks may be asked for before main(). */
    if (vka.data == NULL) {
        return seL4_CapNull;
    }
    pthread_mutex_lock(&lock);
    int error = vka_alloc_object(&vka, type, size_bits, &object);
    if (error == 0) {
        given++;
        given_bytes += BIT(object.size_bits);
    }
    pthread_mutex_unlock(&lock);
    return error == 0 ? object.cptr : seL4_CapNull;
}
#endif

/* Takes all memory that allocman has, the largest pieces first. Returns the bytes in pieces of a page and more. */
static seL4_Word take_all_memory(void)
{
    seL4_Word sum = 0;
    for (seL4_Word bits = seL4_MaxUntypedBits; bits >= SMALLEST; bits--) {
        vka_object_t untyped;
        while (vka_alloc_untyped(&vka, bits, &untyped) == 0) {
            sum += BIT(bits);
        }
    }
    return sum;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    printf("Before main() std took %lu KiB\n", (at_boot - shown()) / 1024);

    simple_default_init_bootinfo(&simple, sel4runtime_bootinfo());
    allocman_t *allocman = bootstrap_use_current_simple(&simple, sizeof(pool), pool);
    if (allocman == NULL) {
        printf("allocman did not start\n");
        return 1;
    }
    allocman_make_vka(&vka, allocman);

    vka_object_t endpoint;
    printf("allocman makes an endpoint: %s\n", vka_alloc_endpoint(&vka, &endpoint) == 0 ? "yes" : "no");
    printf("Threads: %u\n", crew(8));
#ifdef OBJECTS_FROM_APPLICATION
    printf("Objects from allocman: %d\n", given);
#endif
    printf("A block larger than the arena: %s\n", crew_fills(6 * 1024 * 1024) ? "yes" : "no");
    /* Pieces below a page, and the one that the endpoint is made of, aside. */
    seL4_Word all = take_all_memory() + given_bytes;
    printf("allocman gave out all memory: %s\n", shown() - all < 128 * 1024 ? "yes" : "no");
    /* Objects of threads that ended serve again; only for more there must be some left. */
    printf("Threads: %u\n", crew(8));
    printf("Threads: %u\n", crew(17));
    printf("A block where none is left: %s\n", crew_fills(9 * 1024 * 1024) ? "yes" : "no");
    return 0;
}
