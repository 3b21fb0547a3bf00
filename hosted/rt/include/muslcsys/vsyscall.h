/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Handlers of Linux' system calls on the hosted platform.
 */
#pragma once

#include <stdarg.h>
#include <sys/syscall.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef long (*muslcsys_syscall_t)(va_list);

/* Installs a handler and returns the one before. The C library asks for few system calls this way: abort() for `tkill`, and
 * with Rust's std those that libsel4std handles. */
muslcsys_syscall_t muslcsys_install_syscall(int syscall, muslcsys_syscall_t new_syscall);

#ifdef __cplusplus
}
#endif
