/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Randomness, from the application. Without it, only HashMap gets keys, which can be guessed.
 */
#include "internal.h"

#include <errno.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

/* Linux' flag for bytes that may be predictable. std uses it for the keys of HashMap and for nothing else. */
#define GRND_INSECURE 4u

/* Mixes the bits of the clock. Not secret: the time determines the keys. */
static uint64_t next_key(void)
{
    static uint64_t state;
    uint64_t x = __atomic_fetch_add(&state, 0x9e3779b97f4a7c15, __ATOMIC_SEQ_CST) + clock_now();
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static long sys_getrandom(va_list arguments)
{
    unsigned char *bytes = va_arg(arguments, unsigned char *);
    size_t count = va_arg(arguments, size_t);
    unsigned flags = va_arg(arguments, unsigned);
    assert_no_lock();
    /* Crates ask for no bytes to find out whether the call exists. */
    if (count == 0 || sel4std_entropy(bytes, count) == 0) {
        return count;
    }
    static bool said;
    if (!(flags & GRND_INSECURE)) {
        static bool refused;
        say_once(&refused, "sel4std: there is no source of randomness; define sel4std_entropy()\n");
        /* Crates take ENOSYS for an old Linux, and then look for /dev/urandom. */
        return -EIO;
    }
    say_once(&said, "sel4std: keys of HashMap come from the clock and can be guessed; define sel4std_entropy()\n");
    for (size_t i = 0; i < count; i++) {
        bytes[i] = next_key();
    }
    return count;
}

void random_install(void)
{
    muslcsys_install_syscall(__NR_getrandom, sys_getrandom);
}
