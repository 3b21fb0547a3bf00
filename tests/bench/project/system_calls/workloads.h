/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <sel4/sel4.h>
#include <costs.h>

/* What src/lib.rs has for Rust. */
seL4_Word c_client(Workload workload, const Caps *caps, seL4_Word rounds);
seL4_Word c_server(Workload workload, const Caps *caps, seL4_Word rounds);

typedef seL4_Word Part(Workload workload, const Caps *caps, seL4_Word rounds);

/* Makes all that the workloads need, and a thread that serves. */
Caps server_start(void);

/* The next `rounds` calls through the endpoint are answered by `part`. */
void server_takes(Part *part, Workload workload, seL4_Word rounds);
