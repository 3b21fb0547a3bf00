/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel objects that the capDL loader gives an instance of a CAmkES component with Rust's std. The kit's template
 * sel4_rust_std.template.c defines these names for each instance.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sel4/sel4.h>

/* Words of a thread's entry in libsel4std's table. */
#define COMPONENT_THREAD_WORDS 24

/* A thread: one of CAmkES', the control thread first, or one of those for std, of which the ticker is the last. The loader has
 * configured it. */
typedef struct {
    seL4_CPtr tcb, context, notification;
    seL4_Word priority;
    const char *stack, *stack_end; /* of CAmkES' threads */
    void *page;                    /* of std's, begins with the IPC buffer */
} component_thread_t;

extern const component_thread_t sel4std_component_threads[];
/* Number of CAmkES' threads, and of all. */
extern const unsigned sel4std_component_own, sel4std_component_all;
/* Memory for libsel4std's table of these threads. */
extern uint64_t sel4std_component_table[][COMPONENT_THREAD_WORDS];
/* Notifications for locks. */
extern const seL4_CPtr sel4std_component_notifications[];
extern const unsigned sel4std_component_notification_count;
/* With MCS: scheduling control of the core of std's threads. */
extern const seL4_CPtr sel4std_component_control;
/* On x86_64: the page with the processor's frequency, as a header of extra BootInfo. Elsewhere NULL. */
extern const void *const sel4std_component_frequency;

/* CAmkES': */
const char *get_instance_name(void);
