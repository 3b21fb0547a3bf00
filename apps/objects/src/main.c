/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rust makes the objects and the threads. C is first the client, then the server.
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <objects.h>

#ifdef CONFIG_KERNEL_MCS
#define RECV(service, badge) seL4_Recv((service)->endpoint, badge, (service)->reply)
#define REPLY_RECV(service, info, badge) seL4_ReplyRecv((service)->endpoint, info, badge, (service)->reply)
#else
#define RECV(service, badge) seL4_Recv((service)->endpoint, badge)
#define REPLY_RECV(service, info, badge) seL4_ReplyRecv((service)->endpoint, info, badge)
#endif

/* Client of a server in Rust: three calls, the last with a capability. */
static void ask(seL4_CPtr endpoint, seL4_CPtr notification)
{
    for (seL4_Word i = 1; i <= 3; i++) {
        seL4_SetMR(0, i);
        seL4_SetMR(1, 40);
        seL4_SetCap(0, notification);
        seL4_Call(endpoint, seL4_MessageInfo_new(0, 0, i == 3, 2));
        printf("C asks Rust, badge %lu: %lu + 40 = %lu\n", (unsigned long)seL4_GetMR(1), (unsigned long)i,
               (unsigned long)seL4_GetMR(0));
    }
    seL4_Word badge = 0;
    seL4_Poll(notification, &badge);
    printf("Rust has signalled what C sent: %lu\n", (unsigned long)badge);
}

/* Server of a client in Rust, in a separate thread. */
static void serve(const Service *service)
{
    seL4_Word badge;
    seL4_SetCapReceivePath(service->cnode, service->slot, seL4_WordBits);
    seL4_MessageInfo_t info = RECV(service, &badge);
    for (;;) {
        if (seL4_MessageInfo_get_extraCaps(info) > 0) {
            seL4_Signal(service->slot);
        }
        seL4_SetMR(0, seL4_GetMR(0) + seL4_GetMR(1));
        seL4_SetMR(1, badge);
        info = REPLY_RECV(service, seL4_MessageInfo_new(0, 0, 0, 2), &badge);
    }
}

/* Room for muslc's own structure, which contains errno, on one side of the thread-local storage. */
#define ROOM 1024

int main(void)
{
    static _Alignas(64) char storage[THREADS][4096];
    CSide c = { .ask = ask, .serve = serve };
    if (sel4runtime_get_tls_size() + 2 * ROOM > sizeof(storage[0])) {
        printf("thread-local storage takes %lu bytes\n", (unsigned long)sel4runtime_get_tls_size());
        return 1;
    }
    for (int i = 0; i < THREADS; i++) {
        c.tls[i] = sel4runtime_write_tls_image(storage[i] + ROOM);
    }
    return objects_run(sel4runtime_bootinfo(), &c) ? 0 : 1;
}
