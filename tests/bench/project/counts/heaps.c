/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * 10 to 10,000 blocks of 16 to 4096 bytes, all magnitudes alike, live in a heap; then 50,000 times a block chosen at random
 * is freed and a new one allocated. These pairs are counted, each call by itself. The same workload as the benchmark of
 * rust/libsel4-rt on the host. The room that the blocks take, from the first to the last, is compared with their bytes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <counted.h>

#include "counter.h"
#include "counts.h"

#define MAX_BLOCKS 10000
#define PAIRS 50000

static struct {
    void *start;
    size_t bytes;
} blocks[MAX_BLOCKS];

struct count {
    uint64_t sum;
    uint32_t worst;
};

/* Random numbers (xorshift64*, Vigna 2016) from 0 to 1, the same for every heap. */
static uint64_t state;

static double random_part(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)((state * 0x2545f4914f6cdd1dull) >> 11) / (double)(1ull << 53);
}

static size_t random_size(void)
{
    return (size_t)(16 * pow(256, random_part()));
}

static void *c_alloc(size_t bytes)
{
    return malloc(bytes);
}

static void c_free(void *block, size_t bytes)
{
    (void)bytes;
    free(block);
}

static void add(struct count *count, uint32_t instructions)
{
    count->sum += instructions;
    if (instructions > count->worst) {
        count->worst = instructions;
    }
}

/* Where the blocks of a heap have been, and the most bytes that lived at a time. */
struct room {
    uintptr_t start, end;
    size_t bytes, most;
};

static void place(struct room *room, int block, void *start, size_t bytes)
{
    if (start == NULL) {
        printf("the heap is too small: no %lu bytes\n", (unsigned long)bytes);
        abort();
    }
    blocks[block].start = start;
    blocks[block].bytes = bytes;
    room->bytes += bytes;
    room->most = room->bytes > room->most ? room->bytes : room->most;
    room->start = (uintptr_t)start < room->start ? (uintptr_t)start : room->start;
    room->end = (uintptr_t)start + bytes > room->end ? (uintptr_t)start + bytes : room->end;
}

static void count_heap(const char *name, int live, void *(*alloc)(size_t), void (*release)(void *, size_t))
{
    struct count allocs = { 0, 0 }, frees = { 0, 0 };
    struct room room = { UINTPTR_MAX, 0, 0, 0 };
    uint32_t cost = counter_cost();
    state = 1;
    for (int i = 0; i < live; i++) {
        size_t bytes = random_size();
        place(&room, i, alloc(bytes), bytes);
    }
    for (int i = 0; i < PAIRS; i++) {
        int one = (int)(random_part() * live);
        room.bytes -= blocks[one].bytes;
        uint32_t before = counter_read();
        release(blocks[one].start, blocks[one].bytes);
        add(&frees, counter_read() - before - cost);

        size_t bytes = random_size();
        before = counter_read();
        void *start = alloc(bytes);
        add(&allocs, counter_read() - before - cost);
        place(&room, one, start, bytes);
    }
    for (int i = 0; i < live; i++) {
        release(blocks[i].start, blocks[i].bytes);
    }
    printf("heap %s with %d: alloc sum %llu worst %u, free sum %llu worst %u, of %d each, room %lu for %lu\n", name,
           live, (unsigned long long)allocs.sum, (unsigned)allocs.worst, (unsigned long long)frees.sum,
           (unsigned)frees.worst, PAIRS, (unsigned long)(room.end - room.start), (unsigned long)room.most);
}

void count_heaps(void)
{
    for (int live = 10; live <= MAX_BLOCKS; live *= 10) {
        count_heap("of C", live, c_alloc, c_free);
        count_heap("of Rust", live, rust_alloc, rust_free);
    }
}
