/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Unwind tables of this image, for libgcc's unwinder. It asks by glibc's function, which muslc lacks. muslc's way, by the
 * program headers of the auxiliary vector, does not work, because sel4runtime makes those up.
 */
#include "internal.h"

#include <elf.h>

extern const Elf64_Ehdr __ehdr_start;

/* Layout that libgcc (12 and later) reads on 64-bit machines. */
struct dl_find_object {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    void *link_map;
    void *eh_frame; /* the contents of PT_GNU_EH_FRAME */
    unsigned long long reserved[7];
};

/* Returns 0 if the address lies in this image. */
int _dl_find_object(void *address, struct dl_find_object *result)
{
    const Elf64_Phdr *headers = (const void *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    const Elf64_Phdr *code = NULL, *tables = NULL;
    for (int i = 0; i < __ehdr_start.e_phnum; i++) {
        if (headers[i].p_type == PT_LOAD && (uintptr_t)address - headers[i].p_vaddr < headers[i].p_memsz) {
            code = &headers[i];
        } else if (headers[i].p_type == PT_GNU_EH_FRAME) {
            tables = &headers[i];
        }
    }
    if (code == NULL || tables == NULL) {
        return -1;
    }
    *result = (struct dl_find_object) {
        .map_start = (void *)code->p_vaddr,
        .map_end = (void *)(code->p_vaddr + code->p_memsz),
        .eh_frame = (void *)tables->p_vaddr,
    };
    return 0;
}
