/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdint.h>

/* Makes an endpoint of `untyped` in `slot` of the root CNode, and sends `value` to nobody. 0, or C's error. */
uintptr_t sends(uintptr_t untyped, uintptr_t slot, uintptr_t value);
