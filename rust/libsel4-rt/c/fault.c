/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a thread that panicked, with RUST_PANIC=fault.
 */
#include "runtime.h"

void sel4_rust_rt_fault(void)
{
    for (;;) {
        /*
         * A fault handler receives a user exception, which no pager takes for missing memory. The compilers' own trap is
         * a breakpoint on some architectures, and with the hardware debug API a fault of another kind.
         */
#if defined(__riscv)
        __asm__ volatile("unimp");
#elif defined(__aarch64__)
        __asm__ volatile(".inst 0");
#elif defined(__arm__)
        __asm__ volatile(".inst 0xe7f000f0");
#else
        __asm__ volatile("ud2");
#endif
    }
}
