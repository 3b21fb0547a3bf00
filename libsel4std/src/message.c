/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Saves and restores the message in the caller's IPC buffer. Callers that wait or allocate do not know that this library
 * makes invocations: a message register set before must still have its value when the message is sent.
 */
#include "internal.h"

void message_keep(message_t *message, int words)
{
    const seL4_IPCBuffer *buffer = seL4_GetIPCBuffer();
    message->count = words;
    for (int i = 0; i < words; i++) {
        message->words[i] = buffer->msg[i];
    }
    for (int i = 0; i < MESSAGE_CAPABILITIES; i++) {
        message->capabilities[i] = buffer->caps_or_badges[i];
    }
}

void message_restore(const message_t *message)
{
    seL4_IPCBuffer *buffer = seL4_GetIPCBuffer();
    for (int i = 0; i < message->count; i++) {
        buffer->msg[i] = message->words[i];
    }
    for (int i = 0; i < MESSAGE_CAPABILITIES; i++) {
        buffer->caps_or_badges[i] = message->capabilities[i];
    }
}
