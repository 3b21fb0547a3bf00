/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The allocators of seL4_libs in a root server, for the one file that includes this.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <sel4runtime.h>
#include <sel4utils/vspace.h>
#include <simple-default/simple-default.h>

static simple_t simple;
static vka_t vka;
static vspace_t vspace;

static void require(bool condition, const char *what)
{
    if (!condition) {
        printf("The root server could not %s\n", what);
        abort();
    }
}

static void start_allocators(void)
{
    static sel4utils_alloc_data_t vspace_data;
    static char pool[64 * BIT(seL4_PageBits)];
    seL4_BootInfo *info = sel4runtime_bootinfo();
    simple_default_init_bootinfo(&simple, info);
    allocman_t *allocman = bootstrap_use_current_simple(&simple, sizeof(pool), pool);
    require(allocman != NULL, "start its allocator");
    allocman_make_vka(&vka, allocman);
    require(!sel4utils_bootstrap_vspace_with_bootinfo_leaky(&vspace, &vspace_data, simple_get_pd(&simple), &vka, info),
            "manage its address space");
}
