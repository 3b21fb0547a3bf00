/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Serial port of the platform for C's standard output, with the drivers of libplatsupport. Rust prints through C, and
 * needs no driver.
 */
#include <stdlib.h>
#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <sel4platsupport/platsupport.h>
#include <sel4runtime.h>
#include <sel4utils/vspace.h>
#include <simple-default/simple-default.h>

/* The port uses these after the constructor, so they are static. */
static simple_t simple;
static vka_t vka;
static vspace_t vspace;
static sel4utils_alloc_data_t vspace_data;
static char allocator_memory[20 * BIT(seL4_PageBits)];

__attribute__((constructor)) void serial_takes_output(void)
{
    seL4_BootInfo *bootinfo = sel4runtime_bootinfo();
    simple_default_init_bootinfo(&simple, bootinfo);
    allocman_t *allocman = bootstrap_use_current_simple(&simple, sizeof(allocator_memory), allocator_memory);
    if (allocman == NULL) {
        abort();
    }
    allocman_make_vka(&vka, allocman);
    /* Without a port, an error cannot be printed. */
    if (sel4utils_bootstrap_vspace_with_bootinfo_leaky(&vspace, &vspace_data, simple_get_pd(&simple), &vka, bootinfo)
        || platsupport_serial_setup_simple(&vspace, &simple, &vka)) {
        abort();
    }
}
