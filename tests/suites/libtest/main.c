/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Starts a test program of Rust's as Linux would: with arguments, an environment, a file, and a date.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <bits/syscall.h>
#include <cpio/cpio.h>
#include <muslcsys/io.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

extern const char _cpio_archive[], _cpio_archive_end[];

/* How many, and what: written beside the program's object. */
extern int suite_argument_count;
extern char *suite_arguments[];

/* main() of the program, as programs.py has named it. */
int suite_main(int count, char **arguments);

/* Rust's start code asks whether the console is open. */
static long console_is_open(va_list arguments)
{
    (void)arguments;
    return 0;
}

/* A machine that came up with the year 2026. */
int sel4std_wall_clock(struct timespec *now)
{
    clock_gettime(CLOCK_MONOTONIC, now);
    now->tv_sec += 1767225600;
    return 0;
}

void sel4std_exit(int code)
{
    printf("The suite ended with %d\n", code);
    for (;;) {
        seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    }
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    muslcsys_install_cpio_interface(_cpio_archive, _cpio_archive_end - _cpio_archive, cpio_get_file);
#ifdef __NR_poll
    muslcsys_install_syscall(__NR_poll, console_is_open);
#endif
    muslcsys_install_syscall(__NR_ppoll, console_is_open);
    /* With it libtest takes the options that are unstable. */
    setenv("RUSTC_BOOTSTRAP", "1", 1);
    exit(suite_main(suite_argument_count, suite_arguments));
}
