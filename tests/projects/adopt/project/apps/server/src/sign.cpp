/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include "sign.h"

void sign()
{
    printf("Signed in C++\n");
}
