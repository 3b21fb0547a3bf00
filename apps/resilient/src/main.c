/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A server in C that calls Rust for the work, and a client whose requests are partly invalid.
 */
#include <pthread.h>
#include <stdio.h>
#include <bank.h>

#include "ipc.h"

/* Labels of requests. The words of a request are the arguments; those of a reply are the code and a number. */
enum { BALANCE, TRANSFER, END };

/* Error code for an unknown label. Rust's codes are in bank.h. */
#define UNKNOWN 100

/* Executes a request, and returns a code. */
static int serve(seL4_Word what, const seL4_Word *words, uint32_t *result)
{
    switch (what) {
    case BALANCE: return bank_balance(words[0], result);
    case TRANSFER: return bank_transfer(words[0], words[1], words[2], result);
    default: return UNKNOWN;
    }
}

/* The request loop. */
static void serve_all(void)
{
    int served = 0, refused = 0;
    seL4_MessageInfo_t info = ipc_receive();
    for (seL4_Word what; (what = seL4_MessageInfo_get_label(info)) != END; served++) {
        /* Read them before calling Rust, and write them afterwards: waiting for a lock may use message registers. */
        const seL4_Word words[] = { seL4_GetMR(0), seL4_GetMR(1), seL4_GetMR(2) };
        uint32_t result = 0;
        int code = serve(what, words, &result);
        refused += code != 0;
        seL4_SetMR(0, code);
        seL4_SetMR(1, result);
        info = ipc_reply_and_receive(seL4_MessageInfo_new(0, 0, 0, 2));
    }
    printf("Served %d requests, %d of them with an error code\n", served, refused);
}

static void ask(seL4_Word what, seL4_Word first, seL4_Word second, seL4_Word third)
{
    seL4_SetMR(0, first);
    seL4_SetMR(1, second);
    seL4_SetMR(2, third);
    ipc_call(seL4_MessageInfo_new(what, 0, 0, 3));
    int code = seL4_GetMR(0);
    unsigned result = seL4_GetMR(1);

    if (what == BALANCE) {
        printf("Balance of %d: ", (int)first);
    } else {
        printf("Transfer %d from %d to %d: ", (int)third, (int)first, (int)second);
    }
    if (code == 0) {
        printf("%u\n", result);
    } else {
        printf("error %d\n", code);
    }
}

/* Client, in a separate thread with its own IPC buffer. */
static void *client(void *argument)
{
    ask(TRANSFER, 0, 1, 30);
    ask(TRANSFER, 0, 1, 500); /* more than the balance: an error */
    ask(BALANCE, 9, 0, 0);    /* no such account: a panic */
    ask(TRANSFER, 0, 9, 30);  /* a panic in the middle of a transfer */
    ask(BALANCE, 0, 0, 0);
    ask(BALANCE, 1, 0, 0);
    ipc_send(seL4_MessageInfo_new(END, 0, 0, 0));
    return argument;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    pthread_t thread;
    if (!ipc_begin() || pthread_create(&thread, NULL, client, NULL) != 0) {
        printf("There is no memory for an endpoint and a thread\n");
        return 1;
    }
    serve_all();
    pthread_join(thread, NULL);
    return 0;
}
