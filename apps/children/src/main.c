/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parent: starts children from the archive in its image, one after the other, and has Rust supervise them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <sel4runtime.h>
#include <sel4utils/process.h>
#include <sel4utils/vspace.h>
#include <simple-default/simple-default.h>
#include <vka/object_capops.h>
#include <supervisor.h>

#include "meter.h"

#define CHILDREN 100

static simple_t simple;
static vka_t vka;
static vspace_t vspace;
static sel4utils_alloc_data_t vspace_data;
static char pool[64 * BIT(seL4_PageBits)];

static vka_object_t endpoint;
static vka_object_t reply;

static bool set_up(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();
    simple_default_init_bootinfo(&simple, info);
    allocman_t *allocman = bootstrap_use_current_simple(&simple, sizeof(pool), pool);
    if (allocman == NULL) {
        return false;
    }
    allocman_make_vka(&vka, allocman);
    meter(&vka);
    if (sel4utils_bootstrap_vspace_with_bootinfo_leaky(&vspace, &vspace_data, simple_get_pd(&simple), &vka, info)) {
        return false;
    }
#ifdef CONFIG_KERNEL_MCS
    if (vka_alloc_reply(&vka, &reply)) {
        return false;
    }
#endif
    return vka_alloc_endpoint(&vka, &endpoint) == 0;
}

/* Starts a child, has it supervised until it ends, and frees all that it had. */
static bool run(Supervisor *supervisor, seL4_Word child)
{
    /* The child's only capability for the parent. Its faults come through it, too. */
    cspacepath_t badged;
    if (vka_mint_object(&vka, &endpoint, &badged, seL4_AllRights, child)) {
        return false;
    }
    sel4utils_process_config_t config = process_config_default_simple(&simple, "child", seL4_MaxPrio - 1);
    config = process_config_fault_cptr(config, badged.capPtr);
    sel4utils_process_t process;
    bool started = sel4utils_configure_process_custom(&process, &vka, &vspace, config) == 0;
    if (started) {
        char *arguments[] = { "child" };
        started = sel4utils_spawn_process_v(&process, &vka, &vspace, 1, arguments, 1) == 0;
        if (started) {
            supervisor_serve(supervisor, endpoint.cptr, reply.cptr, child);
        }
        sel4utils_destroy_process(&process, &vka);
    }
    vka_cnode_delete(&badged);
    vka_cspace_free_path(&vka, badged);
    return started;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    if (!set_up()) {
        printf("The allocators did not start\n");
        return 1;
    }
    Supervisor *supervisor = supervisor_new();
    usage_t first = { 0 };
    for (seL4_Word child = 1; child <= CHILDREN; child++) {
        if (!run(supervisor, child)) {
            printf("Child %lu did not start\n", (unsigned long)child);
            return 1;
        }
        if (child == 1) {
            /* The parent's own page tables are there now. */
            first = meter_usage();
        }
    }
    supervisor_report(supervisor);
    usage_t now = meter_usage();
    printf("More in use than after the first child: %ld slots, %ld objects, %ld bytes\n", now.slots - first.slots,
           now.objects - first.objects, now.bytes - first.bytes);
    return 0;
}
