/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CPIO archives on the hosted platform.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the content of the file `name` and its size in `*size`; NULL if the archive of `len` bytes has no such file. */
void const *cpio_get_file(void const *archive, unsigned long len, char const *name, unsigned long *size);

#ifdef __cplusplus
}
#endif
