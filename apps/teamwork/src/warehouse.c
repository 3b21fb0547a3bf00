/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stock.h>

#include "warehouse.h"

static void check(int holds, const char *what)
{
    if (!holds) {
        printf("WRONG: %s\n", what);
        abort();
    }
}

static void show(uint32_t article, uint32_t amount)
{
    printf(" %u:%u", (unsigned)article, (unsigned)amount);
}

void warehouse_take_stock(void)
{
    struct Stock *stock = stock_new();
    /* Ascending and descending, so that the order of the listing is that of the map. */
    for (uint32_t i = 0; i < 5; i++) {
        stock_put(stock, 47 - i, 10 * (47 - i));
        stock_put(stock, 1 + i, 10 * (1 + i));
    }
    for (uint32_t i = 0; i < 5; i++) {
        check(stock_amount(stock, 1 + i) == 10 * (1 + i), "articles 1 to 5");
        check(stock_amount(stock, 43 + i) == 10 * (43 + i), "articles 43 to 47");
    }
    check(stock_amount(stock, 6) == 0 && stock_amount(stock, 42) == 0, "articles between");
    printf("In stock:");
    stock_each(stock, show);
    printf("\n");
    stock_free(stock);
}
