/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files in a CPIO archive, on the hosted platform.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* The content of the file `name`, and its size in `*size`; NULL if there is none. The archive has `len` bytes. */
void const *cpio_get_file(void const *archive, unsigned long len, char const *name, unsigned long *size);

#ifdef __cplusplus
}
#endif
