/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What differs between kernels with and without MCS where a server receives and replies.
 */
#pragma once

#include <stdbool.h>
#include <sel4/sel4.h>

/* Makes the endpoint. Returns false if there is no memory for it. */
bool ipc_begin(void);

/* The server: waits for the first request; answers one, and waits for the next. */
seL4_MessageInfo_t ipc_receive(void);
seL4_MessageInfo_t ipc_reply_and_receive(seL4_MessageInfo_t answer);

/* A client: sends a request, and waits for the answer; sends one that has none. */
seL4_MessageInfo_t ipc_call(seL4_MessageInfo_t request);
void ipc_send(seL4_MessageInfo_t request);
