/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The root server: starts the programs of the archive one after the other, and has Rust say how each ended.
 */
#include <sel4utils/process.h>
#include <vka/object.h>
#include <vka/object_capops.h>
#include <server.h>

#include "allocators.h"

static vka_object_t endpoint, reply;

static void run(const char *name, seL4_Word badge)
{
    cspacepath_t badged;
    sel4utils_process_t process;
    require(!vka_mint_object(&vka, &endpoint, &badged, seL4_AllRights, badge), "make a capability");
    sel4utils_process_config_t config = process_config_default_simple(&simple, name, seL4_MaxPrio - 1);
    config = process_config_fault_cptr(config, badged.capPtr);
    require(!sel4utils_configure_process_custom(&process, &vka, &vspace, config), "load a program");
    require(!sel4utils_spawn_process_v(&process, &vka, &vspace, 0, NULL, 1), "start a program");
    server_await(endpoint.cptr, reply.cptr);
    sel4utils_destroy_process(&process, &vka);
}

int main(void)
{
    static const char *const programs[] = { "speaker", "sorter", "breaker" };
    printf("Booting all finished, dropped to user space\n");
    start_allocators();
    require(!vka_alloc_endpoint(&vka, &endpoint), "make an endpoint");
    require(!vka_alloc_reply(&vka, &reply), "make a reply object");
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        run(programs[i], i + 1);
    }
    server_report();
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
