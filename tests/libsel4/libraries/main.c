/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets up seL4's user libraries, and has Rust call them.
 */
#include <stdio.h>
#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <libraries.h>
#include <sel4runtime.h>
#include <sel4utils/vspace.h>
#include <simple-default/simple-default.h>

#define ROUNDS 50

static char pool[64 * BIT(seL4_PageBits)];

int main(void)
{
    static simple_t simple;
    static vka_t vka;
    static vspace_t vspace;
    static sel4utils_alloc_data_t data;
    seL4_BootInfo *info = sel4runtime_bootinfo();
    simple_default_init_bootinfo(&simple, info);
    allocman_t *allocman = bootstrap_use_current_simple(&simple, sizeof(pool), pool);
    allocman_make_vka(&vka, allocman);
    if (sel4utils_bootstrap_vspace_with_bootinfo_leaky(&vspace, &data, simple_get_pd(&simple), &vka, info)) {
        printf("The allocators did not start\n");
        return 1;
    }
    for (int round = 1; round <= ROUNDS; round++) {
        int failed = libraries_work(&vka, &vspace, &simple);
        if (failed) {
            printf("Step %d failed in round %d\n", failed, round);
            return 1;
        }
    }
    printf("Rust has called seL4's user libraries in %d rounds\n", ROUNDS);
    return 0;
}
