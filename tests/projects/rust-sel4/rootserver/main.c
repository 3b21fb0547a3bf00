/* SPDX-License-Identifier: BSD-2-Clause */

#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <stdio.h>
#include <visitor.h>

int main(void)
{
    seL4_BootInfo *info = sel4runtime_bootinfo();

    seL4_SetMR(5, 1234);
    printf("C wrote 1234, rust-sel4 reads %lu\n", (unsigned long)visitor_register(5));
    visitor_set_register(6, 4321);
    printf("rust-sel4 wrote 4321, C reads %lu\n", (unsigned long)seL4_GetMR(6));

    seL4_CPtr untyped = 0;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start && untyped == 0; i++) {
        if (!info->untypedList[i].isDevice && info->untypedList[i].sizeBits >= 12) {
            untyped = info->untyped.start + i;
        }
    }
    seL4_CPtr notification = info->empty.start;
    printf("rust-sel4 makes a notification: %s\n", visitor_make_notification(untyped, notification) ? "yes" : "no");
    seL4_Signal(notification);
    printf("C signals, rust-sel4 is woken: %s\n", visitor_wait(notification) ? "yes" : "no");
    visitor_signal(notification);
    seL4_Wait(notification, NULL);
    printf("rust-sel4 signals, C is woken\n");
    printf("into a slot that is taken: %s\n", visitor_make_notification(untyped, notification) ? "made" : "refused");
    return 0;
}
