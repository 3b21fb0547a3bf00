/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A scenario is a function of the main thread that uses objects and says what it sees.
 */
#pragma once

#include "world.h"

struct scenario {
    const char *name;
    void (*run)(void);
};

/* One table per subject; the last entry has no name. */
extern const struct scenario untyped_scenarios[], cnode_scenarios[], lookup_scenarios[], endpoint_scenarios[],
    transfer_scenarios[], notification_scenarios[], tcb_scenarios[], schedule_scenarios[], fault_scenarios[],
    memory_scenarios[], revoke_scenarios[], irq_scenarios[], kernel_scenarios[], long_scenarios[], domain_scenarios[],
    affinity_scenarios[], space_scenarios[];
