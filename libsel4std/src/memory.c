/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * mmap and its kin over an arena in the image: thread stacks and large blocks. muslc's malloc takes small blocks from
 * muslcsys' own region, and comes here when that is used up.
 *
 * Guard pages are real: a page without access is taken out of the address space.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <bits/syscall.h>
#include <muslcsys/vsyscall.h>
#include <utils/util.h>
#include <sel4std.h>

#define PAGE BIT(seL4_PageBits)
#define PAGES (MEMORY_BYTES / PAGE)

#ifdef CONFIG_ARCH_AARCH64
#define page_map(frame, at) \
    seL4_ARM_Page_Map(frame, seL4_CapInitThreadVSpace, at, seL4_AllRights, \
                      seL4_ARM_Default_VMAttributes | seL4_ARM_ExecuteNever)
#define page_unmap(frame) seL4_ARM_Page_Unmap(frame)
#else
#define page_map(frame, at) \
    seL4_X86_Page_Map(frame, seL4_CapInitThreadVSpace, at, seL4_AllRights, seL4_X86_Default_VMAttributes)
#define page_unmap(frame) seL4_X86_Page_Unmap(frame)
#endif

static char arena[PAGES][PAGE] __attribute__((aligned(BIT(seL4_PageBits))));
/* What is known of each page. */
enum { TAKEN = 1, ABSENT = 2, WRITTEN = 4 };
static unsigned char state[PAGES];
static lock_t lock;

/* pthread_create() asks for a stack without access, and then for access to all but its guard. So that not every page is
 * taken out and put back, this much of the newest such piece still waits to be taken out. */
static size_t pending_first, pending_count;

bool memory_prepare(void)
{
    return lock_prepare(&lock);
}

/* Puts a page into the address space, or takes it out. Both send a capability, and leave no trace of that in the IPC
 * buffer: who allocates need not expect one. */
static bool set_present(size_t page, bool present)
{
    if (present != !!(state[page] & ABSENT)) {
        return true;
    }
    seL4_CPtr frame = image_frame(arena[page]);
    seL4_Word before = seL4_GetIPCBuffer()->caps_or_badges[0];
    seL4_Error error = present ? page_map(frame, (seL4_Word)arena[page]) : page_unmap(frame);
    seL4_GetIPCBuffer()->caps_or_badges[0] = before;
    if (error != seL4_NoError) {
        return false;
    }
    state[page] ^= ABSENT;
    return true;
}

static bool set_all_present(size_t first, size_t count, bool present)
{
    for (size_t i = first; i < first + count; i++) {
        if (!set_present(i, present)) {
            return false;
        }
    }
    return true;
}

static void take_out_pending(void)
{
    set_all_present(pending_first, pending_count, false);
    pending_count = 0;
}

/* Finds `count` free pages in a row; PAGES if there are none. */
static size_t find(size_t count)
{
    size_t run = 0;
    for (size_t i = 0; i < PAGES; i++) {
        run = state[i] & TAKEN ? 0 : run + 1;
        if (run == count) {
            return i + 1 - count;
        }
    }
    return PAGES;
}

static bool is_free(size_t first, size_t count)
{
    if (first > PAGES || count > PAGES - first) {
        return false;
    }
    for (size_t i = first; i < first + count; i++) {
        if (state[i] & TAKEN) {
            return false;
        }
    }
    return true;
}

/* Takes free pages, all zero and with access. */
static bool take(size_t first, size_t count)
{
    if (!set_all_present(first, count, true)) {
        return false;
    }
    for (size_t i = first; i < first + count; i++) {
        if (state[i] & WRITTEN) {
            memset(arena[i], 0, PAGE);
        }
        state[i] |= TAKEN | WRITTEN;
    }
    return true;
}

static void give(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        state[i] &= ~TAKEN;
    }
}

/* The pages of a piece of the arena. False if it lies elsewhere, or begins within a page. */
static bool piece(const void *start, size_t length, size_t *first, size_t *count)
{
    uintptr_t offset = (uintptr_t)start - (uintptr_t)arena;
    if (offset % PAGE != 0 || offset >= sizeof(arena) || length == 0 || length > sizeof(arena) - offset) {
        return false;
    }
    *first = offset / PAGE;
    *count = DIV_ROUND_UP(length, PAGE);
    return true;
}

static void *map(size_t length, bool access)
{
    if (length == 0 || length > sizeof(arena)) {
        return NULL;
    }
    size_t count = DIV_ROUND_UP(length, PAGE);
    void *start = NULL;
    lock_take(&lock);
    take_out_pending();
    size_t first = find(count);
    if (first != PAGES && take(first, count)) {
        start = arena[first];
        if (!access) {
            pending_first = first;
            pending_count = count;
        }
    }
    lock_give(&lock);
    return start;
}

void *memory_map(size_t length)
{
    return map(length, true);
}

/* Touches no thread-local storage: a thread gives back its own stack so. */
long memory_unmap(void *start, size_t length)
{
    size_t first, count;
    if (!piece(start, length, &first, &count)) {
        return -EINVAL;
    }
    lock_take(&lock);
    give(first, count);
    lock_give(&lock);
    return 0;
}

static long sys_mmap(va_list arguments)
{
    void *wish = va_arg(arguments, void *);
    size_t length = va_arg(arguments, size_t);
    int access = va_arg(arguments, int);
    int flags = va_arg(arguments, int);
    (void)wish;
    if (length == 0) {
        return -EINVAL;
    }
    /* No files in memory, no place of the caller's choice, nothing that is executable. */
    if (!(flags & MAP_ANONYMOUS) || flags & MAP_FIXED || access & PROT_EXEC) {
        return -ENODEV;
    }
    void *start = map(length, access != PROT_NONE);
    return start != NULL ? (long)start : -ENOMEM;
}

static long sys_munmap(va_list arguments)
{
    void *start = va_arg(arguments, void *);
    return memory_unmap(start, va_arg(arguments, size_t));
}

static long sys_mprotect(va_list arguments)
{
    void *start = va_arg(arguments, void *);
    size_t length = va_arg(arguments, size_t);
    int access = va_arg(arguments, int);
    size_t first, count;
    if (!piece(start, length, &first, &count)) {
        return -ENOMEM;
    }
    lock_take(&lock);
    if (access != PROT_NONE && first > pending_first && first + count == pending_first + pending_count) {
        pending_count -= count;
    }
    take_out_pending();
    bool done = set_all_present(first, count, access != PROT_NONE);
    lock_give(&lock);
    return done ? 0 : -ENOMEM;
}

static long sys_mremap(va_list arguments)
{
    void *start = va_arg(arguments, void *);
    size_t length = va_arg(arguments, size_t);
    size_t wanted = va_arg(arguments, size_t);
    int flags = va_arg(arguments, int);
    size_t first, count;
    if (!piece(start, length, &first, &count)) {
        return -EFAULT;
    }
    size_t more = DIV_ROUND_UP(wanted, PAGE);
    if (wanted == 0 || flags & MREMAP_FIXED) {
        return -EINVAL;
    }
    lock_take(&lock);
    take_out_pending();
    bool here = true;
    if (more < count) {
        give(first + more, count - more);
    } else if (more > count) {
        here = is_free(first + count, more - count) && take(first + count, more - count);
    }
    lock_give(&lock);
    if (here) {
        return (long)start;
    }
    void *moved = flags & MREMAP_MAYMOVE ? map(wanted, true) : NULL;
    if (moved == NULL) {
        return -ENOMEM;
    }
    memcpy(moved, start, length);
    memory_unmap(start, length);
    return (long)moved;
}

void memory_install(void)
{
    muslcsys_install_syscall(__NR_mmap, sys_mmap);
    muslcsys_install_syscall(__NR_munmap, sys_munmap);
    muslcsys_install_syscall(__NR_mprotect, sys_mprotect);
    muslcsys_install_syscall(__NR_mremap, sys_mremap);
}
