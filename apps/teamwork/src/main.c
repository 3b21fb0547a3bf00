/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdint.h>
#include <stdio.h>
#include <orders.h>

#include "warehouse.h"

static double discount(int32_t quantity, double price)
{
    return quantity >= 10 ? price * 0.25 : 0.0;
}

int main(void)
{
    printf("Ticket from orders: %u\n", (unsigned)orders_ticket());
    warehouse_take_stock();
    printf("Ticket from orders: %u\n", (unsigned)orders_ticket());

    printf("Total, computed in Rust: %.3f\n", orders_total(2.5, 4, 0.125f));
    printf("With C's discount: %.3f\n", orders_discounted(50.5, discount, 12));
    return 0;
}
