/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sel4runtime on the hosted platform. The process is a root server from its first constructor on. Threads with a TLS
 * base from sel4runtime_write_tls_image() have separate thread-local variables; others share those of the first thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sel4/sel4.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uintptr_t sel4runtime_uintptr_t;
typedef size_t sel4runtime_size_t;

char const *sel4runtime_process_name(void);
seL4_BootInfo *sel4runtime_bootinfo(void);

/* The storage is not at the address passed. Use the TLS base that is returned. */
sel4runtime_size_t sel4runtime_get_tls_size(void);
int sel4runtime_initial_tls_enabled(void);
sel4runtime_uintptr_t sel4runtime_write_tls_image(void *tls_memory);
sel4runtime_uintptr_t sel4runtime_move_initial_tls(void *tls_memory);
int __sel4runtime_write_tls_variable(sel4runtime_uintptr_t dest_tls_base, unsigned char *local, unsigned char *src,
                                     sel4runtime_size_t bytes);

#define sel4runtime_set_tls_variable(thread_pointer, variable, value)                                            \
    ({                                                                                                           \
        typeof(variable) _value = (value);                                                                       \
        __sel4runtime_write_tls_variable(thread_pointer, (unsigned char *)&(variable), (unsigned char *)&_value, \
                                         sizeof(_value));                                                        \
    })

seL4_IPCBuffer **sel4_hosted_ipc_buffer(void);
#define __sel4_ipc_buffer (*sel4_hosted_ipc_buffer())

/* Called with main()'s result; without it the thread jumps to address 0, as on a kernel. */
typedef void sel4runtime_exit_cb(int code);
sel4runtime_exit_cb *sel4runtime_set_exit(sel4runtime_exit_cb *callback);
void sel4runtime_exit(int code) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
