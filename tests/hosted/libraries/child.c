/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A process that answers calls: the number it is sent, doubled, in a page of its own.
 */
#include <stdlib.h>
#include <sel4utils/process.h>

int main(int argc, char **argv)
{
    static seL4_Word numbers[512];
    if (argc != 2) {
        return 1;
    }
    seL4_CPtr endpoint = strtoul(argv[1], NULL, 10);
    seL4_Word badge;
    api_recv(endpoint, &badge, SEL4UTILS_REPLY_SLOT);
    for (seL4_Word calls = 0;; calls++) {
        seL4_Word number = seL4_GetMR(0);
        numbers[calls % 512] = number;
        if (number == 0) {
            /* Where it has no memory. */
            *(volatile seL4_Word *)seL4_GetMR(1) = number;
        }
        seL4_SetMR(0, numbers[calls % 512] * 2);
        api_reply_recv(endpoint, seL4_MessageInfo_new(0, 0, 0, 1), &badge, SEL4UTILS_REPLY_SLOT);
    }
}
