/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdint.h>

/* Memory that the clerk and the press share. */
typedef struct page {
    uint32_t number;
    uint32_t length;
    uint8_t text[56];
} page_t;
