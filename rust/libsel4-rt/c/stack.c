/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The guard page of the root server's stack. sel4runtime has the stack among the image's data, where an overflow would
 * overwrite them; stack.lds puts an empty page below it. It is taken out of the address space before main().
 */
#include "runtime.h"

#ifdef SEL4_RUST_ON_SEL4

#if defined(CONFIG_ARCH_ARM)
#define page_unmap seL4_ARM_Page_Unmap
#elif defined(CONFIG_ARCH_RISCV)
#define page_unmap seL4_RISCV_Page_Unmap
#else
#define page_unmap seL4_X86_Page_Unmap
#endif

/* Of sel4runtime, whose headers this library is compiled without. */
seL4_BootInfo *sel4runtime_bootinfo(void);

/* Where the stack begins, and the image begins and ends. */
extern const char sel4_rust_stack[], __executable_start[], _end[];

static uintptr_t page(const char *address)
{
    return (uintptr_t)address >> seL4_PageBits;
}

__attribute__((constructor(101))) void sel4_rust_rt_guard_stack(void)
{
    /* The kernel has a frame for each page of the image, in order. */
    seL4_SlotRegion frames = sel4runtime_bootinfo()->userImageFrames;
    if (frames.end - frames.start == page(_end - 1) - page(__executable_start) + 1) {
        page_unmap(frames.start + page(sel4_rust_stack) - page(__executable_start) - 1);
    }
}
#endif
