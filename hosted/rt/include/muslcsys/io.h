/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of the C library on the hosted platform, from an archive.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef void const *(*muslcsys_cpio_get_file_fn_t)(void const *archive, unsigned long len, char const *name,
                                                   unsigned long *size);

/* Installs the archive from which files are opened, and the function that finds a file in it. */
void muslcsys_install_cpio_interface(void const *archive, unsigned long len, muslcsys_cpio_get_file_fn_t get_file);

#ifdef __cplusplus
}
#endif
