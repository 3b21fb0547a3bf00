/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * mmap and its kin: thread stacks and large blocks. muslc's malloc takes small blocks from muslcsys' own region, and comes
 * here when that is used up. There are two regions: an arena in the image, and addresses where untyped memory is mapped as
 * it is needed (RUST_STD_GROWTH). Blocks come from the latter first; stacks only from the arena, whose pages have frames of
 * their own: guard pages are real, a page without access is taken out of the address space.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4muslcsys/gen_config.h>
#include <sel4runtime.h>
#include <sel4std.h>

#define PAGE BIT(seL4_PageBits)
#define PAGES (MEMORY_BYTES / PAGE)

#ifdef CONFIG_ARCH_AARCH64
#define page_map(frame, at, rights, executable)                    \
    seL4_ARM_Page_Map(frame, seL4_CapInitThreadVSpace, at, rights, \
                      seL4_ARM_Default_VMAttributes | ((executable) ? 0 : seL4_ARM_ExecuteNever))
#define page_unmap(frame) seL4_ARM_Page_Unmap(frame)
#else
/* The kernel has no attribute that forbids execution. */
#define page_map(frame, at, rights, executable) \
    seL4_X86_Page_Map(frame, seL4_CapInitThreadVSpace, at, rights, seL4_X86_Default_VMAttributes)
#define page_unmap(frame) seL4_X86_Page_Unmap(frame)
#endif

#define GROWTH_START 0x4000000000ul
#define GROWTH_PAGES (GROWTH_BYTES / PAGE)
#define LARGE (BIT(seL4_LargePageBits) / PAGE)

/* State of each page. */
enum { TAKEN = 1, ABSENT = 2, WRITTEN = 4, READ_ONLY = 8, CODE = 16 };
/* The part of it that is the access to the page: one of these, or 0 for reading and writing. CODE can be read and executed. */
#define ACCESS (ABSENT | READ_ONLY | CODE)
#define NO_ACCESS 0xff

typedef struct {
    char (*page)[PAGE];
    size_t pages;
    unsigned char *state;
} region_t;

static char arena_pages[PAGES][PAGE] __attribute__((aligned(BIT(seL4_PageBits))));
static unsigned char arena_state[PAGES], growth_state[GROWTH_PAGES + 1];
static region_t arena = { arena_pages, PAGES, arena_state };
static region_t growth = { (void *)GROWTH_START, GROWTH_PAGES, growth_state };
static lock_t lock;

/* Of the arena: pthread_create() asks for a stack without access, and then for access to all but its guard. So that not every page is
 * taken out and put back, this much of the newest such piece still waits to be taken out. */
static size_t pending_first, pending_count;

bool memory_prepare(void)
{
    return lock_prepare(&lock);
}

#ifdef SEL4STD_COMPONENT
/* The instance has no capabilities of its image's pages: each can be read and written. */
static bool change_access(size_t page, unsigned char access)
{
    if (access == 0 || access == ABSENT) {
        arena_state[page] = (arena_state[page] & ~ACCESS) | access;
        return true;
    }
    return false;
}
#else
/* Changes the access to a page of the arena. Without access, it is taken out of the address space. */
static bool change_access(size_t page, unsigned char access)
{
    seL4_CPtr frame = image_frame(arena_pages[page]);
    seL4_CapRights_t rights = access == 0 ? seL4_AllRights : seL4_CanRead;
    message_t message;
    message_keep(&message, FEW_WORDS);
    seL4_Error error = access == ABSENT ? page_unmap(frame)
                                        : page_map(frame, (seL4_Word)arena_pages[page], rights, access == CODE);
    message_restore(&message);
    if (error == seL4_NoError) {
        arena_state[page] = (arena_state[page] & ~ACCESS) | access;
    }
    return error == seL4_NoError;
}
#endif

#ifdef SEL4STD_COMPONENT
int growth_lacks = NOTHING;

static bool grow(size_t page)
{
    (void)page;
    return false;
}

seL4_CPtr growth_make(int kind)
{
    (void)kind;
    return seL4_CapNull;
}

void growth_put(int kind, seL4_CPtr object)
{
    (void)kind;
    (void)object;
}
#else
static bool grow(size_t page)
{
    size_t first = page / LARGE * LARGE;
    if (!growth_map(growth.page[first])) {
        return false;
    }
    for (size_t i = first; i < first + LARGE; i++) {
        growth_state[i] &= ~ABSENT;
    }
    return true;
}
#endif

/* Only the arena's pages can have another access than reading and writing. */
static bool set_access(const region_t *region, size_t first, size_t count, unsigned char access)
{
    for (size_t i = first; i < first + count; i++) {
        if ((region->state[i] & ACCESS) == access) {
            continue;
        }
        if (!(region == &arena ? change_access(i, access) : access == 0 && grow(i))) {
            return false;
        }
    }
    return true;
}

/* The state for Linux' access flags; NO_ACCESS for one that pages of the region cannot have. Nothing can be written and
 * executed, and memory beyond the image can always be read and written. */
static unsigned char state_of(const region_t *region, int access)
{
    if (access == PROT_NONE) {
        return region == &arena ? ABSENT : NO_ACCESS;
    }
    if (access & PROT_EXEC) {
        return EXECUTABLE && region == &arena && !(access & PROT_WRITE) ? CODE : NO_ACCESS;
    }
    return access & PROT_WRITE ? 0 : region == &arena ? READ_ONLY : NO_ACCESS;
}

static void take_out_pending(void)
{
    set_access(&arena, pending_first, pending_count, ABSENT);
    pending_count = 0;
}

/* Finds `count` free pages in a row. False if there are none. */
static bool find(const region_t *region, size_t count, size_t *first)
{
    size_t run = 0;
    for (size_t i = 0; i < region->pages; i++) {
        run = region->state[i] & TAKEN ? 0 : run + 1;
        if (run == count) {
            *first = i + 1 - count;
            return true;
        }
    }
    return false;
}

static bool is_free(const region_t *region, size_t first, size_t count)
{
    if (first > region->pages || count > region->pages - first) {
        return false;
    }
    for (size_t i = first; i < first + count; i++) {
        if (region->state[i] & TAKEN) {
            return false;
        }
    }
    return true;
}

/* Takes free pages, all zero and with access. */
static bool take(const region_t *region, size_t first, size_t count)
{
    if (!set_access(region, first, count, 0)) {
        return false;
    }
    for (size_t i = first; i < first + count; i++) {
        if (region->state[i] & WRITTEN) {
            memset(region->page[i], 0, PAGE);
        }
        region->state[i] |= TAKEN | WRITTEN;
    }
    return true;
}

/* Returns whether all pages are in use. */
static bool is_taken(const region_t *region, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        if (!(region->state[i] & TAKEN)) {
            return false;
        }
    }
    return true;
}

static void give(const region_t *region, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        region->state[i] &= ~TAKEN;
    }
}

/* The region and pages of a piece of memory. NULL if it is none of ours, or begins within a page. */
static const region_t *piece(const void *start, size_t length, size_t *first, size_t *count)
{
    const region_t *region = (uintptr_t)start >= GROWTH_START ? &growth : &arena;
    uintptr_t offset = (uintptr_t)start - (uintptr_t)region->page;
    size_t size = region->pages * PAGE;
    if (offset % PAGE != 0 || offset >= size || length == 0 || length > size - offset) {
        return NULL;
    }
    *first = offset / PAGE;
    *count = DIV_ROUND_UP(length, PAGE);
    return region;
}

static void *map_in(const region_t *region, size_t length)
{
    size_t first, count = DIV_ROUND_UP(length, PAGE);
    if (length > region->pages * PAGE || !find(region, count, &first) || !take(region, first, count)) {
        return NULL;
    }
    return region->page[first];
}

/* Makes the kernel object that growth_map() lacked. The caller does not have the lock. */
static bool supply(int kind)
{
    seL4_CPtr object = kind != NOTHING ? growth_make(kind) : seL4_CapNull;
    if (object == seL4_CapNull) {
        return false;
    }
    lock_take(&lock);
    growth_put(kind, object);
    lock_give(&lock);
    return true;
}

static void *map_growing(size_t length)
{
    void *start;
    int lacks;
    do {
        lock_take(&lock);
        growth_lacks = NOTHING;
        start = map_in(&growth, length);
        lacks = growth_lacks;
        lock_give(&lock);
    } while (start == NULL && supply(lacks));
    return start;
}

static void *map(size_t length, bool access)
{
    void *start = access && GROWTH_PAGES > 0 ? map_growing(length) : NULL;
    if (start != NULL) {
        return start;
    }
    lock_take(&lock);
    take_out_pending();
    start = map_in(&arena, length);
    if (start != NULL && !access) {
        piece(start, length, &pending_first, &pending_count);
    }
    lock_give(&lock);
    return start;
}

void *memory_stack(size_t length)
{
    size_t first, count = DIV_ROUND_UP(length, PAGE) + 1;
    lock_take(&lock);
    take_out_pending();
    bool found = find(&arena, count, &first) && take(&arena, first, count);
    if (found && !set_access(&arena, first, 1, ABSENT)) {
        give(&arena, first, count);
        found = false;
    }
    lock_give(&lock);
    return found ? arena.page[first + 1] : NULL;
}

bool memory_is_guard(const void *address)
{
    size_t first, count;
    const void *page = (const void *)((uintptr_t)address & -PAGE);
    const region_t *region = piece(page, 1, &first, &count);
    return region == &arena && (arena_state[first] & (TAKEN | ABSENT)) == (TAKEN | ABSENT);
}

static long unmap(void *start, size_t length)
{
    size_t first, count;
    const region_t *region = piece(start, length, &first, &count);
    if (region == NULL) {
        return -EINVAL;
    }
    lock_take(&lock);
    give(region, first, count);
    lock_give(&lock);
    return 0;
}

void memory_unmap_last(void *start, size_t length)
{
    size_t first, count;
    const region_t *region = piece(start, length, &first, &count);
    if (region != NULL) {
        lock_take_last(&lock);
        give(region, first, count);
        lock_give_last(&lock);
    }
}

/* Says which option gives more memory, the first time that a request is refused. */
static long refuse_memory(size_t length, bool access)
{
    static bool said;
    char line[160];
    snprintf(line, sizeof(line), "sel4std: there is no memory for a request of %zu bytes; configure a larger %s\n",
             length, access ? "RUST_STD_MEMORY or RUST_STD_GROWTH" : "RUST_STD_MEMORY");
    say_once(&said, line);
    return -ENOMEM;
}

/* Zeroes pages in use, and changes the access to them. The caller's own thread uses them, so that no lock is needed while they
 * are written. */
static long renew(const region_t *region, size_t first, size_t count, unsigned char state)
{
    lock_take(&lock);
    take_out_pending();
    bool done = is_taken(region, first, count) && set_access(region, first, count, 0);
    lock_give(&lock);
    if (!done) {
        return -ENOMEM;
    }
    memset(region->page[first], 0, count * PAGE);
    lock_take(&lock);
    done = set_access(region, first, count, state);
    lock_give(&lock);
    return done ? 0 : -ENOMEM;
}

/* MAP_FIXED: only over the caller's own memory, which is renewed. */
static long map_over(void *start, size_t length, int access)
{
    size_t first, count;
    const region_t *region = piece(start, length, &first, &count);
    if (region == NULL) {
        return -ENOMEM;
    }
    unsigned char state = state_of(region, access);
    if (state == NO_ACCESS) {
        return -EACCES;
    }
    long error = renew(region, first, count, state);
    return error != 0 ? error : (long)start;
}

static long sys_mmap(va_list arguments)
{
    void *wish = va_arg(arguments, void *);
    size_t length = va_arg(arguments, size_t);
    int access = va_arg(arguments, int);
    int flags = va_arg(arguments, int);
    if (length == 0) {
        return -EINVAL;
    }
    /* No files in memory. Code is written first, and then made executable by mprotect(). */
    if (!(flags & MAP_ANONYMOUS)) {
        return -ENODEV;
    }
    if (access & PROT_EXEC) {
        return -EACCES;
    }
    if (flags & MAP_FIXED) {
        return map_over(wish, length, access);
    }
    void *start = map(length, access != PROT_NONE);
    return start != NULL ? (long)start : refuse_memory(length, access != PROT_NONE);
}

static long sys_munmap(va_list arguments)
{
    void *start = va_arg(arguments, void *);
    return unmap(start, va_arg(arguments, size_t));
}

static long sys_mprotect(va_list arguments)
{
    void *start = va_arg(arguments, void *);
    size_t length = va_arg(arguments, size_t);
    int access = va_arg(arguments, int);
    size_t first, count;
    const region_t *region = piece(start, length, &first, &count);
    if (length == 0) {
        return 0;
    }
    if (region == NULL) {
        return -ENOMEM;
    }
    unsigned char state = state_of(region, access);
    if (state == NO_ACCESS) {
        return -EACCES;
    }
    lock_take(&lock);
    if (region == &arena && access != PROT_NONE && first > pending_first
        && first + count == pending_first + pending_count) {
        pending_count -= count;
    }
    take_out_pending();
    bool done = set_access(region, first, count, state);
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
    const region_t *region = piece(start, length, &first, &count);
    if (region == NULL) {
        return -EFAULT;
    }
    size_t more = DIV_ROUND_UP(wanted, PAGE);
    if (wanted == 0 || flags & MREMAP_FIXED) {
        return -EINVAL;
    }
    bool here;
    int lacks;
    do {
        lock_take(&lock);
        take_out_pending();
        growth_lacks = NOTHING;
        here = true;
        if (more < count) {
            give(region, first + more, count - more);
        } else if (more > count) {
            here = is_free(region, first + count, more - count) && take(region, first + count, more - count);
        }
        lacks = growth_lacks;
        lock_give(&lock);
    } while (!here && supply(lacks));
    if (here) {
        return (long)start;
    }
    void *moved = flags & MREMAP_MAYMOVE ? map(wanted, true) : NULL;
    if (moved == NULL) {
        return refuse_memory(wanted, true);
    }
    memcpy(moved, start, length);
    unmap(start, length);
    return (long)moved;
}

/* Linux' advice that discards the content, which is zero afterwards. The other kinds change nothing that a program sees. */
static long sys_madvise(va_list arguments)
{
    void *start = va_arg(arguments, void *);
    size_t length = va_arg(arguments, size_t);
    int advice = va_arg(arguments, int);
    if (advice < MADV_NORMAL || (advice > MADV_DONTNEED && advice != MADV_FREE)) {
        return -EINVAL;
    }
    if (advice != MADV_DONTNEED || length == 0) {
        return 0;
    }
    size_t first, count;
    const region_t *region = piece(start, length, &first, &count);
    if (region == NULL) {
        return -EINVAL;
    }
    lock_take(&lock);
    unsigned char state = region->state[first] & ACCESS;
    bool one = true;
    for (size_t i = first; i < first + count; i++) {
        one = one && (region->state[i] & ACCESS) == state;
    }
    lock_give(&lock);
    /* Pages of several kinds come one by one. */
    long error = one ? renew(region, first, count, state) : 0;
    for (size_t i = first; !one && error == 0 && i < first + count; i++) {
        error = renew(region, i, 1, region->state[i] & ACCESS);
    }
    return error;
}

/* Commands of Linux' membarrier(). */
enum { QUERY = 0, GLOBAL = 1, PRIVATE = 8, REGISTER_PRIVATE = 16, SYNC_CORE = 32, REGISTER_SYNC_CORE = 64 };

/* Threads on this core are in the kernel meanwhile, which is barrier enough; those on others are sent there. */
static long sys_membarrier(va_list arguments)
{
    const int known = GLOBAL | PRIVATE | REGISTER_PRIVATE | SYNC_CORE | REGISTER_SYNC_CORE;
    int command = va_arg(arguments, int);
    if (command == QUERY) {
        return known;
    }
    if (!(command & known) || command & (command - 1)) {
        return -EINVAL;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#ifdef CONFIG_ARCH_AARCH64
    asm volatile("isb" ::: "memory");
#endif
    if (CONFIG_MAX_NUM_NODES > 1) {
        threads_interrupt();
    }
    return 0;
}

#if CONFIG_LIB_SEL4_MUSLC_SYS_MORECORE_BYTES == 0
/* If muslcsys has no region for malloc, all blocks come from here. */
static long sys_brk(va_list arguments)
{
    (void)arguments;
    return 0;
}
#endif

void memory_install(void)
{
#if CONFIG_LIB_SEL4_MUSLC_SYS_MORECORE_BYTES == 0
    muslcsys_install_syscall(__NR_brk, sys_brk);
#endif
    memset(growth_state, ABSENT, sizeof(growth_state));
    muslcsys_install_syscall(__NR_mmap, sys_mmap);
    muslcsys_install_syscall(__NR_munmap, sys_munmap);
    muslcsys_install_syscall(__NR_mprotect, sys_mprotect);
    muslcsys_install_syscall(__NR_mremap, sys_mremap);
    muslcsys_install_syscall(__NR_madvise, sys_madvise);
    muslcsys_install_syscall(__NR_membarrier, sys_membarrier);
}
