/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Ends in the way that the configuration names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <endings.h>

/* A frame of C's between two of Rust's, and one that faults. */
__attribute__((noinline)) int c_between(int depth)
{
    int result = ending_deepest(depth);
    printf("C goes on with %d\n", result);
    return result;
}

__attribute__((noinline)) void c_fault(volatile int *nowhere)
{
    *nowhere = 1;
    printf("There was memory\n");
}

int main(void)
{
    printf("Ending: %s\n", ENDING);
    if (strcmp(ENDING, "escape") == 0) {
        c_between(0);
    } else if (strcmp(ENDING, "caught") == 0) {
        printf("Rust returned %d\n", ending_caught());
    } else if (strcmp(ENDING, "fault") == 0) {
        ending_fault();
    } else if (strcmp(ENDING, "capture") == 0) {
        ending_capture();
        return 0;
    } else if (strcmp(ENDING, "without-objects") == 0) {
        ending_without_objects();
        return 0;
    } else if (strcmp(ENDING, "rust-exit") == 0) {
        ending_exit(3);
    } else if (strcmp(ENDING, "c-exit") == 0) {
        exit(4);
    } else if (strcmp(ENDING, "exit-in-thread") == 0) {
        ending_exit_in_thread(5);
    } else if (strcmp(ENDING, "success") == 0) {
        ending_exit(0);
    } else if (strcmp(ENDING, "return") == 0) {
        return 6;
    } else if (strcmp(ENDING, "abort") == 0) {
        abort();
    }
    printf("There is no such ending\n");
    return 1;
}
