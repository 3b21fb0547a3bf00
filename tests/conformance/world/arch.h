/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What scenarios need to know about the architecture, under one set of names.
 */
#pragma once

#include <sel4/sel4.h>

#define CONTEXT_WORDS (sizeof(seL4_UserContext) / sizeof(seL4_Word))

/* One instruction each but the last, so that the transcript can say where a thread stopped: how far from the function's beginning. */
#define PROBE_BYTES 16
seL4_Word probe_read(seL4_Word address);
void probe_write(seL4_Word address, seL4_Word value);
void probe_execute(seL4_Word address);
void probe_undefined(void);
/* A system call with this number; gives the first register of the answer. */
seL4_Word probe_syscall(long number);

#if defined(CONFIG_ARCH_X86_64)
#include "arch/x86_64.h"
#elif defined(CONFIG_ARCH_AARCH64)
#include "arch/aarch64.h"
#else
#error "the scenarios know x86_64 and aarch64"
#endif

/* After page_map() said FailedLookup: the index in table_types of the table that it lacks, told by the bits that were left. */
static inline int table_missing(void)
{
    return (39 - (int)seL4_GetMR(2)) / 9;
}
