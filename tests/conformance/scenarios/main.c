/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs all scenarios, one after the other, each with fresh objects.
 */
#include <sel4runtime.h>
#include <scenarios.h>
#include "subjects.h"

static const struct {
    const char *subject;
    const struct scenario *scenarios;
} subjects[] = {
    { "untyped", untyped_scenarios },   { "cnode", cnode_scenarios },       { "lookup", lookup_scenarios },
    { "endpoint", endpoint_scenarios }, { "transfer", transfer_scenarios }, { "notification", notification_scenarios },
    { "tcb", tcb_scenarios },           { "schedule", schedule_scenarios }, { "fault", fault_scenarios },
    { "memory", memory_scenarios },     { "revoke", revoke_scenarios },     { "irq", irq_scenarios },
    { "kernel", kernel_scenarios },     { "long", long_scenarios },         { "domain", domain_scenarios },
    { "affinity", affinity_scenarios },
};

static unsigned count;

static void begin(const char *subject, const char *name)
{
    say("== %s: %s", subject, name);
    say_flush();
    count++;
}

static void run(const char *subject, const struct scenario *scenarios)
{
    for (const struct scenario *scenario = scenarios; scenario->name; scenario++) {
        begin(subject, scenario->name);
        scenario->run();
        world_renew();
    }
}

/* What Rust needs of the world. */
static void start_thread(const char *name, seL4_Word priority, thread_body body, seL4_Word first, seL4_Word second,
                         seL4_CPtr handler)
{
    struct thread *thread = thread_make(name, priority, body, first, second);
    if (handler) {
        thread_set_fault_handler(thread, handler);
    }
    seL4_TCB_Resume(thread->tcb);
}

static seL4_CPtr own_reply(void)
{
    return thread_self()->reply;
}

static void run_rust(void)
{
    const World world = {
        .bootinfo = sel4runtime_bootinfo(),
        .untyped = world_untyped(),
        .next_slot = slot,
        .say_line = say_text,
        .start_thread = start_thread,
        .let_run = settle,
        .own_reply = own_reply,
    };
    for (unsigned i = 0; i < scenarios_count(); i++) {
        begin("rust", scenarios_name(i));
        scenarios_run(i, &world);
        world_renew();
    }
}

int main(void)
{
    world_begin(sel4runtime_bootinfo());
    for (unsigned i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        run(subjects[i].subject, subjects[i].scenarios);
    }
    run_rust();
    run("space", space_scenarios);
    say("end of the scenarios: %u", count);
    say_flush();
    return 0;
}
