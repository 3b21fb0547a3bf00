/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The calling thread: which it is, and how it yields.
 */
#include "runtime.h"

#ifdef SEL4_RUST_ON_SEL4

uintptr_t sel4_rust_rt_thread(void)
{
    /* The address of a thread-local variable, or of the IPC buffer where libsel4 has no thread-local variables. */
#ifdef CONFIG_LIB_SEL4_USE_THREAD_LOCALS
    return (uintptr_t)&__sel4_ipc_buffer;
#else
    return (uintptr_t)seL4_GetIPCBuffer();
#endif
}

/* Not sched_yield(): CAmkES has none on a kernel with MCS. */
void sel4_rust_rt_yield(void)
{
    seL4_Yield();
}

#else

#include <errno.h>
#include <sched.h>

uintptr_t sel4_rust_rt_thread(void)
{
    return (uintptr_t)&errno;
}

void sel4_rust_rt_yield(void)
{
    sched_yield();
}

#endif
