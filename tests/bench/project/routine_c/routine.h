/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdint.h>

int32_t routine(int32_t a, int32_t b);
