/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The clock of Rust's std: how late sleepers wake, what they take while they sleep, and times that are too long to tell.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <clock.h>
#include <sel4std.h>

#define BOOT 1782864000 /* 2026-07-01 */

/* A clock that was set at boot. */
int sel4std_wall_clock(struct timespec *now)
{
    if (clock_gettime(CLOCK_MONOTONIC, now) != 0) {
        return -1;
    }
    now->tv_sec += BOOT;
    return 0;
}

/* What C's calls answer to times that are none, or over. */
static int refused(void)
{
    struct timespec too_fine = { .tv_nsec = 1000000000 }, negative = { .tv_sec = -1 }, past = { .tv_sec = BOOT };
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &too_fine, NULL) == EINVAL
           && clock_nanosleep(CLOCK_MONOTONIC, 0, &negative, NULL) == EINVAL
           && clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &past, NULL) != 0
           && clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL) == 0;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    printf("The date is this year's: %s\n", clock_year() == 2026 ? "yes" : "no");
    printf("C's calls refuse times that are none: %s\n", refused() ? "yes" : "no");
    return clock_shows();
}
