/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Clocks and deadlines, from the processor's counter and the application's wall clock.
 */
#ifdef SEL4STD_COMPONENT
#include <sel4std_component.h>
#endif
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
#ifdef SEL4STD_COMPONENT
    const seL4_BootInfoHeader *told = sel4std_component_frequency;
    if (hertz == 0 && told != NULL && told->id == SEL4_BOOTINFO_HEADER_X86_TSC_FREQ) {
        hertz = *(const uint32_t *)(told + 1) * 1000000ull;
    }
#else
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
#endif
    return hertz != 0 ? hertz : NANOSECONDS;
}
#endif

/* Bits behind the binary point of the nanoseconds in a tick of the counter. Counters are faster than 15 kHz. */
#define FRACTION 48

/* Returns the nanoseconds in a tick. In steps, for which 64 bits are enough. */
static uint64_t __attribute__((noinline, cold)) length_of_tick(void)
{
    uint64_t hertz = frequency(), whole = NANOSECONDS / hertz, rest = NANOSECONDS % hertz;
    for (int bits = 0; bits < FRACTION; bits += FRACTION / 2) {
        rest <<= FRACTION / 2;
        whole = whole << FRACTION / 2 | rest / hertz;
        rest %= hertz;
    }
    return whole;
}

/* A product in place of a quotient of 128 bits, which takes a hundred instructions. */
static inline uint64_t now_by_counter(void)
{
    static uint64_t tick;
    uint64_t nanoseconds = __atomic_load_n(&tick, __ATOMIC_RELAXED);
    if (__builtin_expect(nanoseconds == 0, false)) {
        nanoseconds = length_of_tick();
        __atomic_store_n(&tick, nanoseconds, __ATOMIC_RELAXED);
    }
    return (unsigned __int128)counter() * nanoseconds >> FRACTION;
}

uint64_t clock_now(void)
{
    return now_by_counter();
}

static bool is_monotonic(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE
           || clock == CLOCK_BOOTTIME;
}

/* Clocks that the counter alone does not tell. Returns 1 for one that counts as the monotonic one does. */
static long __attribute__((noinline, cold)) read_other_clock(clockid_t clock, struct timespec *now)
{
    static bool said_of_date;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        assert_no_lock();
        if (sel4std_wall_clock(now) == 0) {
            return 0;
        }
        say_once(&said_of_date,
                 "sel4std: the date is not known, the clock counts from 1970; define sel4std_wall_clock()\n");
        return 1;
#ifndef CONFIG_PLAT_HOSTED /* where it is Linux' */
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID: {
        static bool said;
        say_once(&said, "sel4std: there is no clock of the processor time of a thread\n");
        return -EINVAL;
    }
#endif
    default: return -EINVAL;
    }
}

static inline long read_clock(clockid_t clock, struct timespec *now)
{
    if (__builtin_expect(!is_monotonic(clock), false)) {
        long result = read_other_clock(clock, now);
        if (result <= 0) {
            return result;
        }
    }
    uint64_t time = now_by_counter();
    *now = (struct timespec) { .tv_sec = time / NANOSECONDS, .tv_nsec = time % NANOSECONDS };
    return 0;
}

static long sys_clock_gettime(va_list arguments)
{
    clockid_t clock = va_arg(arguments, clockid_t);
    return read_clock(clock, va_arg(arguments, struct timespec *));
}

#ifndef CONFIG_PLAT_HOSTED
/* muslc's version looks for Linux' vDSO, and then asks by a system call. */
int __clock_gettime(clockid_t clock, struct timespec *now)
{
    long error = read_clock(clock, now);
    if (error < 0) {
        errno = -error;
        return -1;
    }
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) __attribute__((alias("__clock_gettime")));
#endif

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
