/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of the C library, on the hosted platform: those of an archive.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef void const *(*muslcsys_cpio_get_file_fn_t)(void const *archive, unsigned long len, char const *name,
                                                   unsigned long *size);

/* From now on files are opened in this archive, and `get_file` finds them there. */
void muslcsys_install_cpio_interface(void const *archive, unsigned long len, muslcsys_cpio_get_file_fn_t get_file);

#ifdef __cplusplus
}
#endif
