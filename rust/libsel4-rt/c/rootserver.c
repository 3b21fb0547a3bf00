/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The C side of a root server whose only source is a Rust crate, by add_rust_rootserver().
 */
#include <stddef.h>
#include <sel4/sel4.h>
#include <sel4runtime.h>

/* The crate's function. Without it, the linker names it as undefined. */
int sel4_main(seL4_BootInfo *info);

static void suspend(int code)
{
    (void)code;
    for (;;) {
        seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    }
}

int main(void)
{
    /* Without an exit callback, sel4runtime jumps to address 0. One that a constructor has set stays. */
    sel4runtime_exit_cb *own = sel4runtime_set_exit(suspend);
    if (own != NULL) {
        sel4runtime_set_exit(own);
    }
    return sel4_main(sel4runtime_bootinfo());
}
