/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What parent and child agree on.
 */
#pragma once

#include <sel4utils/process.h>

/* Labels of the child's calls; the kernel's, of faults, are smaller. */
enum { START = 100, DONE = 101 };
/* Slots of the child's notifications. */
enum { BELL = SEL4UTILS_FIRST_FREE, SLEEPERS };
enum { ROUNDS = 60 };
