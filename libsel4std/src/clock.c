/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Clocks and deadlines, from the processor's counter and the application's wall clock.
 */
#include "internal.h"

#include <errno.h>
#include <time.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4runtime.h>
#include <sel4std.h>

#define NANOSECONDS 1000000000ull

#ifdef CONFIG_PLAT_HOSTED
static uint64_t counter(void)
{
    return sel4_hosted_clock();
}

static uint64_t frequency(void)
{
    return 1000000;
}
#elif defined(CONFIG_ARCH_AARCH64)
/* User level can read this counter if KernelArmExportVCNTUser is set; otherwise a read faults. */
static uint64_t counter(void)
{
    uint64_t value;
    asm volatile("isb; mrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
}

static uint64_t frequency(void)
{
    uint64_t hertz;
    asm("mrs %0, cntfrq_el0" : "=r"(hertz));
    return hertz;
}
#else
static uint64_t counter(void)
{
    uint32_t low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* The kernel measures the frequency at boot and passes it in MHz, behind the BootInfo. */
static uint64_t frequency(void)
{
    static uint64_t hertz;
    seL4_BootInfo *info = sel4runtime_bootinfo();
    if (hertz == 0 && info != NULL) {
        const char *at = (const char *)info + seL4_BootInfoFrameSize;
        const char *end = at + info->extraLen;
        while (at < end) {
            const seL4_BootInfoHeader *header = (const void *)at;
            if (header->id == SEL4_BOOTINFO_HEADER_X86_TSC_FREQ) {
                hertz = *(const uint32_t *)(header + 1) * 1000000ull;
            }
            at += header->len;
        }
    }
    return hertz != 0 ? hertz : NANOSECONDS;
}
#endif

uint64_t clock_now(void)
{
    return (unsigned __int128)counter() * NANOSECONDS / frequency();
}

static bool is_monotonic(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE
           || clock == CLOCK_BOOTTIME;
}

static long read_clock(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        assert_no_lock();
        if (sel4std_wall_clock(now) == 0) {
            return 0;
        }
        static bool said;
        say_once(&said, "sel4std: the date is not known, the clock counts from 1970; define sel4std_wall_clock()\n");
    } else if (!is_monotonic(clock)) {
        return -EINVAL;
    }
    uint64_t time = clock_now();
    *now = (struct timespec) { .tv_sec = time / NANOSECONDS, .tv_nsec = time % NANOSECONDS };
    return 0;
}

static long sys_clock_gettime(va_list arguments)
{
    clockid_t clock = va_arg(arguments, clockid_t);
    return read_clock(clock, va_arg(arguments, struct timespec *));
}

static long sys_clock_getres(va_list arguments)
{
    (void)va_arg(arguments, clockid_t);
    struct timespec *resolution = va_arg(arguments, struct timespec *);
    if (resolution != NULL) {
        *resolution = (struct timespec) { .tv_nsec = NANOSECONDS / frequency() + 1 };
    }
    return 0;
}

/* Converts to nanoseconds; UINT64_MAX on overflow. */
static uint64_t saturated(const struct timespec *time)
{
    uint64_t sum;
    if (__builtin_mul_overflow((uint64_t)time->tv_sec, NANOSECONDS, &sum)
        || __builtin_add_overflow(sum, (uint64_t)time->tv_nsec, &sum)) {
        return UINT64_MAX;
    }
    return sum;
}

uint64_t clock_deadline(const struct timespec *time, bool absolute, clockid_t clock)
{
    uint64_t end = saturated(time), now = clock_now();
    if (absolute && clock == CLOCK_REALTIME) {
        struct timespec wall;
        read_clock(CLOCK_REALTIME, &wall);
        uint64_t today = saturated(&wall);
        end = end > today ? end - today : 0;
        absolute = false;
    }
    if (!absolute && __builtin_add_overflow(end, now, &end)) {
        end = UINT64_MAX;
    }
    return end;
}

static bool valid(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && (uint64_t)time->tv_nsec < NANOSECONDS;
}

static long sys_clock_nanosleep(va_list arguments)
{
    clockid_t clock = va_arg(arguments, clockid_t);
    int flags = va_arg(arguments, int);
    const struct timespec *time = va_arg(arguments, const struct timespec *);
    if (!valid(time) || !(clock == CLOCK_REALTIME || is_monotonic(clock))) {
        return -EINVAL;
    }
    return futex_sleep(clock_deadline(time, flags & TIMER_ABSTIME, clock));
}

static long sys_nanosleep(va_list arguments)
{
    const struct timespec *time = va_arg(arguments, const struct timespec *);
    return valid(time) ? futex_sleep(clock_deadline(time, false, CLOCK_MONOTONIC)) : -EINVAL;
}

void clock_install(void)
{
    muslcsys_install_syscall(__NR_clock_gettime, sys_clock_gettime);
    muslcsys_install_syscall(__NR_clock_getres, sys_clock_getres);
    muslcsys_install_syscall(__NR_clock_nanosleep, sys_clock_nanosleep);
    muslcsys_install_syscall(__NR_nanosleep, sys_nanosleep);
}
