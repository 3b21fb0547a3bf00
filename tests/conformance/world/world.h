/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a scenario has: memory that nobody else uses, and empty slots. Both are whole again before the next one begins.
 */
#pragma once

#include <sel4/sel4.h>
#include "arch.h"
#include "say.h"
#include "thread.h"

/* How many slots a scenario has, and how much memory: 2^bits bytes. */
#define WORLD_SLOTS 512
#define WORLD_BITS 23

/* A slot of the root CNode as the three arguments that libsel4 wants. */
#define AT(slot) seL4_CapInitThreadCNode, (slot), seL4_WordBits

/* For the main thread, once. */
void world_begin(seL4_BootInfo *info);

/* Prints the transcript and takes everything back. */
void world_renew(void);

/* The untyped that all objects of a scenario come from. */
seL4_CPtr world_untyped(void);

/* The next empty slot. Their numbers differ between platforms; `world_number` counts from 0. */
seL4_CPtr slot(void);
seL4_Word world_number(seL4_CPtr slot);

/* A new object. What cannot be made ends the scenarios with a line that says so. */
seL4_CPtr make(seL4_Word type);
seL4_CPtr make_sized(seL4_Word type, seL4_Word size_bits);

/* A copy of a capability with these rights at most, and a badge unless that is 0. */
seL4_CPtr mint(seL4_CPtr source, seL4_CapRights_t rights, seL4_Word badge);

/* Whether there is a capability. */
int taken(seL4_CPtr slot);

/* Maps a page into the main thread's address space, with the page tables that it lacks. */
void map(seL4_CPtr page, seL4_Word address);

/* Ends the scenarios: something failed that is not a scenario's subject. */
void give_up(const char *why, seL4_Error error) __attribute__((noreturn));
