/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Starts test programs of Rust's one after the other, each as Linux would: on a thread of its own, with arguments, an
 * environment, a file, a date and randomness.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cpio/cpio.h>
#include <muslcsys/io.h>
#include <sel4std.h>

#define STACK (256 << 10)

extern const char _cpio_archive[], _cpio_archive_end[];

/* The programs, and how many: suite.py writes them beside the programs' object. */
typedef struct {
    const char *name;
    int (*main)(int count, char **arguments);
    int count;
    char **arguments;
} program_t;
extern const program_t suite_programs[];
extern const int suite_count;

static sem_t ended, never;

/* A line on the console at once. stdio's buffers have locks, which a program that ended by exit() may hold. */
static void say(const char *before, const char *name, const char *after)
{
    char line[160];
    int length = snprintf(line, sizeof(line), "%s%s%s\n", before, name, after);
    write(STDOUT_FILENO, line, length < (int)sizeof(line) ? length : (int)sizeof(line) - 1);
}

static _Noreturn void end(void)
{
    sem_post(&ended);
    for (;;) {
        sem_wait(&never);
    }
}

/* The linker passes calls of exit() here: they end the program that runs, not the root server. */
_Noreturn void __wrap_exit(int code)
{
    (void)code;
    end();
}

/* And those of pause(): std lets the first thread exit, and all others pause at their ends. */
int __wrap_pause(void)
{
    end();
}

static void *run(void *argument)
{
    const program_t *program = argument;
    program->main(program->count, program->arguments);
    end();
}

#ifndef CONFIG_PLAT_HOSTED
/* A machine that came up with the year 2026. */
int sel4std_wall_clock(struct timespec *now)
{
    clock_gettime(CLOCK_MONOTONIC, now);
    now->tv_sec += 1767225600;
    return 0;
}

/* Numbers that are different each time; enough for tests. */
int sel4std_entropy(void *bytes, size_t count)
{
    static uint64_t state;
    for (size_t i = 0; i < count; i++) {
        uint64_t z = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15, __ATOMIC_SEQ_CST);
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        ((unsigned char *)bytes)[i] = z ^ z >> 31;
    }
    return 0;
}
#endif

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    fflush(stdout);
    muslcsys_install_cpio_interface(_cpio_archive, _cpio_archive_end - _cpio_archive, cpio_get_file);
    /* With it libtest takes the options that are unstable. */
    setenv("RUSTC_BOOTSTRAP", "1", 1);
    sem_init(&ended, 0, 0);
    sem_init(&never, 0, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    for (int i = 0; i < suite_count; i++) {
        pthread_t thread;
        say("The suite ", suite_programs[i].name, " begins");
        if (pthread_create(&thread, &attributes, run, (void *)&suite_programs[i]) != 0) {
            say("There is no thread for ", suite_programs[i].name, "");
            return 1;
        }
        while (sem_wait(&ended) != 0) {
        }
        say("The suite ", suite_programs[i].name, " has ended");
    }
    say("All suites", "", " ended");
    return 0;
}
