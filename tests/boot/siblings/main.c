/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Starts the programs in its image one after the other, and prints what each says of its heap.
 */
#include <stdio.h>
#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <sel4runtime.h>
#include <sel4utils/process.h>
#include <sel4utils/vspace.h>
#include <siblings.h>
#include <simple-default/simple-default.h>
#include <vka/object_capops.h>

static simple_t simple;
static vka_t vka;
static vspace_t vspace;
static sel4utils_alloc_data_t data;
static char pool[64 * BIT(seL4_PageBits)];

/* Returns what the program says, or -1 if it does not start. */
static long ask(const char *name)
{
    vka_object_t endpoint;
    sel4utils_process_t process;
    cspacepath_t badged;
    if (vka_alloc_endpoint(&vka, &endpoint) || vka_mint_object(&vka, &endpoint, &badged, seL4_AllRights, 1)) {
        return -1;
    }
    sel4utils_process_config_t config = process_config_default_simple(&simple, name, seL4_MaxPrio - 1);
    config = process_config_fault_cptr(config, badged.capPtr);
    char *arguments[] = { (char *)name };
    if (sel4utils_configure_process_custom(&process, &vka, &vspace, config)
        || sel4utils_spawn_process_v(&process, &vka, &vspace, 1, arguments, 1)) {
        return -1;
    }
    seL4_MessageInfo_t tag = seL4_Recv(endpoint.cptr, NULL);
    long room = seL4_MessageInfo_get_label(tag) == 0 ? (long)seL4_GetMR(0) : -1;
    sel4utils_destroy_process(&process, &vka);
    return room;
}

int main(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    simple_default_init_bootinfo(&simple, info);
    allocman_t *allocman = bootstrap_use_current_simple(&simple, sizeof(pool), pool);
    allocman_make_vka(&vka, allocman);
    if (sel4utils_bootstrap_vspace_with_bootinfo_leaky(&vspace, &data, simple_get_pd(&simple), &vka, info)) {
        printf("The allocators did not start\n");
        return 1;
    }
    printf("The root server has room for %zu bytes\n", siblings_room());
    for (int number = 1; number <= SIBLINGS; number++) {
        char name[16];
        snprintf(name, sizeof(name), "sibling%d", number);
        printf("%s has room for %ld bytes\n", name, ask(name));
    }
    return 0;
}
