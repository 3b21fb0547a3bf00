/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Defaults of functions that the application may define; those of objects, threads and alarms are in their files.
 */
#ifdef SEL4STD_COMPONENT
#include <sel4std_component.h>
#endif
#include "internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sel4std.h>

void say(const char *line)
{
    write(STDERR_FILENO, line, strlen(line));
}

void say_once(bool *said, const char *line)
{
    if (!__atomic_exchange_n(said, true, __ATOMIC_SEQ_CST)) {
        say(line);
    }
}

int __attribute__((weak)) sel4std_entropy(void *bytes, size_t count)
{
#ifdef CONFIG_PLAT_HOSTED
    return sel4_hosted_entropy(bytes, count);
#else
    (void)bytes;
    (void)count;
    return -1;
#endif
}

int __attribute__((weak)) sel4std_wall_clock(struct timespec *now)
{
#ifdef CONFIG_PLAT_HOSTED
    return sel4_hosted_wall_clock(now);
#else
    (void)now;
    return -1;
#endif
}

ssize_t __attribute__((weak)) sel4std_stdin(void *bytes, size_t count)
{
    (void)bytes;
    (void)count;
    return 0;
}

/* ./simulate exits with the code that this line names. A process of the hosted platform exits with it in any case. */
_Noreturn void __attribute__((weak)) sel4std_exit(int code)
{
#ifdef CONFIG_PLAT_HOSTED
    if (code == 0) {
        threads_stop();
    }
#endif
#ifdef SEL4STD_COMPONENT
    /* The system goes on. */
    char line[160];
    snprintf(line, sizeof(line), "%s: the component ended with exit code %d\n", get_instance_name(), code);
#else
    char line[48];
    snprintf(line, sizeof(line), "The program ended with exit code %d\n", code);
#endif
    say(line);
    threads_stop();
}
