/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The console of the runtime. It is C's standard error, by the system call that stdio uses: that is in every table of system
 * calls, while CAmkES' has no `write`. No stream is touched, since muslc locks none in a program without pthread_create().
 */
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime.h"

/*
 * C's standard output becomes unbuffered, before any other constructor prints. So what C prints is on the console before
 * what Rust prints after it, and neither a panic nor a log line has to flush a stream that another thread is writing to.
 * This member is linked into images whose Rust code prints.
 */
__attribute__((constructor(101))) static void unbuffer(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
}

ssize_t sel4_rust_rt_write(const void *bytes, size_t count)
{
    struct iovec piece = { .iov_base = (void *)bytes, .iov_len = count };
    return writev(STDERR_FILENO, &piece, 1);
}
