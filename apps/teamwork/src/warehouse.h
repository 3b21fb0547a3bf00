/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

/* Fills a stock with the articles 1..5 and 43..47, prints it, and frees it. */
void warehouse_take_stock(void);
