/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is in the caller's IPC buffer. Whoever waits or allocates need not expect that this calls the kernel: between
 * setting a message register and the call that sends it, the message must stay what it is.
 */
#include "internal.h"

void message_keep(message_t *message)
{
    const seL4_IPCBuffer *buffer = seL4_GetIPCBuffer();
    for (int i = 0; i < MESSAGE_WORDS; i++) {
        message->words[i] = buffer->msg[i];
    }
    for (int i = 0; i < MESSAGE_CAPABILITIES; i++) {
        message->capabilities[i] = buffer->caps_or_badges[i];
    }
}

void message_restore(const message_t *message)
{
    seL4_IPCBuffer *buffer = seL4_GetIPCBuffer();
    for (int i = 0; i < MESSAGE_WORDS; i++) {
        buffer->msg[i] = message->words[i];
    }
    for (int i = 0; i < MESSAGE_CAPABILITIES; i++) {
        buffer->caps_or_badges[i] = message->capabilities[i];
    }
}
