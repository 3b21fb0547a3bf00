/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * System calls that a Rust library makes, checked by C.
 */
#include <stdio.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>
#include <syscalls.h>

static void say(const char *what, int right)
{
    printf("%s: %s\n", what, right ? "ok" : "WRONG");
}

int main(void)
{
#ifdef CONFIG_DEBUG_BUILD
    const int debug = 1;
#else
    const int debug = 0;
#endif
    say("thread named", syscalls_name("named by Rust") == debug);

    seL4_BootInfo *info = sel4runtime_bootinfo();
    Summary seen = syscalls_read(info);
    seL4_Word bytes = 0;
    for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
        bytes += (seL4_Word)1 << info->untypedList[i].sizeBits;
    }
    say("BootInfo read by Rust", seen.ipc_buffer == info->ipcBuffer && seen.first_free == info->empty.start
                                     && seen.untypeds == info->untyped.end - info->untyped.start
                                     && seen.bytes == bytes);
#ifdef CONFIG_KERNEL_MCS
    const int mcs = 1;
#else
    const int mcs = 0;
#endif
    say("configuration", seen.root_cnode_size_bits == CONFIG_ROOT_CNODE_SIZE_BITS && seen.mcs == mcs);

    seL4_CPtr slot = info->empty.start;
    say("endpoint, notification and badge made", syscalls_make(info, slot, 77) == seL4_NoError);
    say("badge of a signal taken", syscalls_signal(slot + 2, slot + 1) == 77);
    seL4_Signal(slot + 2);
    seL4_Word badge = 0;
    seL4_Poll(slot + 1, &badge);
    say("the same from C", badge == 77);
    say("error when a slot is taken", syscalls_make(info, slot, 77) == seL4_DeleteFirst);

    for (int i = 0; i < 8; i++) {
        seL4_SetMR(i, i + 1);
    }
    say("one IPC buffer for C and Rust", syscalls_sum(8) == 36);

    /* The kernel may complain on the console; it names the thread then. */
    Refusal refused = syscalls_refused(info->untyped.start, slot + 3, CONFIG_RETYPE_FAN_OUT_LIMIT + 1);
    say("error with its detail",
        refused.error == seL4_RangeError && refused.least == 1 && refused.most == CONFIG_RETYPE_FAN_OUT_LIMIT);
    return 0;
}
