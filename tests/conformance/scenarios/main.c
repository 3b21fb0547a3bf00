/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs all scenarios, one after the other, each with fresh objects.
 */
#include <sel4runtime.h>
#include "scenarios.h"

static const struct {
    const char *subject;
    const struct scenario *scenarios;
} subjects[] = {
    { "untyped", untyped_scenarios },
    { "cnode", cnode_scenarios },
    { "lookup", lookup_scenarios },
    { "endpoint", endpoint_scenarios },
    { "transfer", transfer_scenarios },
    { "notification", notification_scenarios },
    { "tcb", tcb_scenarios },
    { "schedule", schedule_scenarios },
    { "fault", fault_scenarios },
    { "memory", memory_scenarios },
    { "revoke", revoke_scenarios },
    { "irq", irq_scenarios },
    { "kernel", kernel_scenarios },
};

int main(void)
{
    unsigned count = 0;
    world_begin(sel4runtime_bootinfo());
    for (unsigned i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        for (const struct scenario *scenario = subjects[i].scenarios; scenario->name; scenario++, count++) {
            say("== %s: %s", subjects[i].subject, scenario->name);
            say_flush();
            scenario->run();
            world_renew();
        }
    }
    say("end of the scenarios: %u", count);
    say_flush();
    return 0;
}
