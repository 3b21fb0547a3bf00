/*
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Prints the line below the greetings. */
void sign(void);

#ifdef __cplusplus
}
#endif
