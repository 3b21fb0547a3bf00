/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <greeter.h>

int between(void)
{
    return greet();
}
