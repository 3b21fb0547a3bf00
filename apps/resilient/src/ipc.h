/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Receiving and replying, with the differences between kernels with and without MCS.
 */
#pragma once

#include <stdbool.h>
#include <sel4/sel4.h>

/* Makes the endpoint. Returns false if there is no memory for it. */
bool ipc_begin(void);

/* Server: waits for the first request; replies to one, and waits for the next. */
seL4_MessageInfo_t ipc_receive(void);
seL4_MessageInfo_t ipc_reply_and_receive(seL4_MessageInfo_t answer);

/* Client: sends a request and waits for the reply; sends one that has no reply. */
seL4_MessageInfo_t ipc_call(seL4_MessageInfo_t request);
void ipc_send(seL4_MessageInfo_t request);
