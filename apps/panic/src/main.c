/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <shelf.h>

int main(void)
{
    printf("Place 2 holds %d\n", shelf_at(2));
    /* No newline: C's output comes before Rust's all the same. */
    printf("Asking for place 7 ... ");
    printf("which holds %d\n", shelf_at(7));
    return 0;
}
