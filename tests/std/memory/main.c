/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of Rust's std up to its end: blocks that need untyped memory, what comes back, and what running out is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <store.h>

#define PAGE 4096

/* What C's calls answer. */
static int maps(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS, access = PROT_READ | PROT_WRITE;
    char *pages = mmap(NULL, 3 * PAGE, access, flags, -1, 0);
    if (pages == MAP_FAILED) {
        return 0;
    }
    memset(pages, 1, 3 * PAGE);
    /* Freed memory is allocated again, and is zero. */
    int right = munmap(pages + PAGE, PAGE) == 0;
    char *again = mmap(NULL, PAGE, access, flags, -1, 0);
    right = right && again != MAP_FAILED && again[0] == 0 && again[PAGE - 1] == 0 && pages[0] == 1;
    right = right && munmap(again, PAGE) == 0 && munmap(pages, PAGE) == 0 && munmap(pages + 2 * PAGE, PAGE) == 0;
    /* What is not there, or not to be had. */
    right = right && mmap(NULL, 1ul << 40, access, flags, -1, 0) == MAP_FAILED && errno == ENOMEM;
    right = right && mmap(NULL, PAGE, access | PROT_EXEC, flags, -1, 0) == MAP_FAILED;
    right = right && mmap(NULL, PAGE, access, MAP_PRIVATE, 3, 0) == MAP_FAILED;
    right = right && munmap((void *)PAGE, PAGE) != 0 && munmap(pages + 1, PAGE) != 0;
    return right;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    printf("C maps and unmaps: %s\n", maps() ? "yes" : "no");
    store_shows();
    store_runs_out();
    printf("and does not come back\n");
    return 0;
}
