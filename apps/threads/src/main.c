/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * C has the jobs, and Rust has the threads.
 */
#include <inttypes.h>
#include <stdio.h>
#include <pool.h>

#define WORKERS 4
#define JOBS 8

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    struct Pool *pool = pool_new(WORKERS);
    if (pool == NULL) {
        return 1;
    }
    printf("%d workers wait for jobs\n", WORKERS);

    /* The queue holds fewer jobs. While it is full, pool_put() sleeps until a worker takes a job. */
    for (uint32_t job = 1; job <= JOBS; job++) {
        pool_put(pool, 1000 * job);
    }
    printf("C has put %d jobs through a queue with room for %d\n", JOBS, POOL_ROOM);

    printf("C has the sum: %" PRIu64 "\n", pool_finish(pool));
    return 0;
}
