/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts what is taken from C's heap, which is Rust's too. The linker sends the calls here (--wrap). calloc() and
 * posix_memalign() are made of those.
 */
#include <malloc.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

static size_t blocks, bytes;
/* What the newest block of this thread has been counted for. */
static __thread size_t newest;

size_t blocks_taken(void)
{
    return __atomic_load_n(&blocks, __ATOMIC_SEQ_CST);
}

size_t bytes_taken(void)
{
    return __atomic_load_n(&bytes, __ATOMIC_SEQ_CST);
}

static void count(int more_blocks, size_t more_bytes)
{
    __atomic_fetch_add(&blocks, more_blocks, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&bytes, more_bytes, __ATOMIC_SEQ_CST);
}

void *__wrap_malloc(size_t size)
{
    void *block = __real_malloc(size);
    if (block != NULL) {
        newest = malloc_usable_size(block);
        count(1, newest);
    }
    return block;
}

/* Takes a larger block by malloc(), and frees what is before and behind. */
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    void *block = __real_aligned_alloc(alignment, size);
    if (block != NULL) {
        count(0, malloc_usable_size(block) - newest);
    }
    return block;
}

void *__wrap_realloc(void *block, size_t size)
{
    size_t before = malloc_usable_size(block);
    void *moved = __real_realloc(block, size);
    if (moved != NULL) {
        count(block == NULL, malloc_usable_size(moved) - before);
    }
    return moved;
}

void __wrap_free(void *block)
{
    if (block != NULL) {
        count(-1, -malloc_usable_size(block));
    }
    __real_free(block);
}
