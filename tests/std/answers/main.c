/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of system calls that crates build on: memory, identity, signals, randomness, and descriptors that threads wait for.
 * Each line says whether the answer is what Linux' manual promises, or an error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <answers.h>

#define PAGE 4096
#define MILLISECOND 1000000

static void tell(const char *what, bool right)
{
    printf("%s: %s\n", what, right ? "yes" : "no");
}

static void *block(size_t length)
{
    return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool is_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void memory(void)
{
    const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    char *pages = block(4 * PAGE);
    memset(pages, 7, 4 * PAGE);
    mprotect(pages + 2 * PAGE, PAGE, PROT_READ);
    tell("Memory that is not needed is zero afterwards", madvise(pages + PAGE, 2 * PAGE, MADV_DONTNEED) == 0
                                                             && is_zero(pages + PAGE, 2 * PAGE) && pages[0] == 7
                                                             && pages[3 * PAGE] == 7);
    pages[PAGE] = 7;
    tell("A new mapping takes the place of one's own",
         mmap(pages + PAGE, PAGE, PROT_READ | PROT_WRITE, fixed, -1, 0) == pages + PAGE && pages[PAGE] == 0
             && pages[0] == 7);
    munmap(pages, 4 * PAGE);
    tell("and of nobody else's", mmap(pages, PAGE, PROT_READ, fixed, -1, 0) == MAP_FAILED
                                     && mmap((void *)memory, PAGE, PROT_READ, fixed, -1, 0) == MAP_FAILED);
    tell("Nothing can be written and executed",
         mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
             && errno == EACCES);
    tell("A barrier of all threads", syscall(SYS_membarrier, 0, 0) > 0 && syscall(SYS_membarrier, 8, 0) == 0);
    tell("A request that is too large is refused", block(1ul << 40) == MAP_FAILED && errno == ENOMEM);
}

/* Returns 42. */
#ifdef __aarch64__
static const uint32_t code[] = { 0x52800540, 0xd65f03c0 };
#else
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
#endif

static void execution(void)
{
    char *page = block(PAGE);
    memcpy(page, code, sizeof(code));
    if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0) {
        printf("Code that the program writes is refused: %s\n", strerror(errno));
        return;
    }
    __builtin___clear_cache(page, page + sizeof(code));
    printf("Code that the program writes returns %d\n", ((int (*)(void))page)());
    tell("and cannot be changed any more", mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == -1);
}

static void identity(void)
{
    struct utsname name;
    struct sysinfo info;
    tell("Nobody in particular runs the program",
         getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0 && getppid() == 0);
    tell("The system has a name", uname(&name) == 0 && strcmp(name.sysname, "seL4") == 0);
    tell("and memory", sysinfo(&info) == 0 && info.totalram >= 4 << 20 && info.mem_unit == 1);
    tell("The thread is on a core", sched_getcpu() == 0);
    tell("The processor has features", getauxval(AT_HWCAP) != 0);
    struct timespec time;
    tell("The processor time of a thread is an error",
         clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == -1 && errno == EINVAL);
}

static void handler(int signal)
{
    (void)signal;
}

static void signals(void)
{
    struct sigaction action = { .sa_handler = handler };
    stack_t stack = { .ss_sp = block(16 * PAGE), .ss_size = 16 * PAGE }, old;
    tell("Handlers that would never run are refused", sigaction(SIGUSR1, &action, NULL) == -1 && errno == ENOSYS);
    tell("those of faults are not, nor a stack for them",
         sigaction(SIGSEGV, &action, NULL) == 0 && sigaltstack(&stack, NULL) == 0 && sigaltstack(NULL, &old) == 0
             && old.ss_size == stack.ss_size);
    signal(SIGSEGV, SIG_DFL);
}

static void *add_later(void *number)
{
    struct timespec soon = { .tv_nsec = 2 * MILLISECOND };
    nanosleep(&soon, NULL);
    eventfd_write(*(int *)number, 3);
    return NULL;
}

static void counters(void)
{
    eventfd_t value = 0;
    int counter = eventfd(2, EFD_NONBLOCK), one_by_one = eventfd(2, EFD_SEMAPHORE);
    tell("A counter is read, and then empty",
         eventfd_read(counter, &value) == 0 && value == 2 && eventfd_read(counter, &value) == -1 && errno == EAGAIN);
    tell("or counts down",
         eventfd_read(one_by_one, &value) == 0 && value == 1 && eventfd_read(one_by_one, &value) == 0 && value == 1);
    pthread_t thread;
    pthread_create(&thread, NULL, add_later, &one_by_one);
    tell("A read waits for a write", eventfd_read(one_by_one, &value) == 0 && value == 1);
    pthread_join(thread, NULL);
    int again = dup(counter);
    close(counter);
    tell("A second descriptor is the same counter", eventfd_write(again, 5) == 0 && eventfd_read(again, &value) == 0
                                                        && value == 5 && close(again) == 0 && close(again) == -1
                                                        && errno == EBADF);
    close(one_by_one);
}

static void streams(void)
{
    static char bytes[3 * PAGE];
    int ends[2], both[2];
    struct stat status;
    tell("A pipe", pipe2(ends, O_NONBLOCK) == 0 && write(ends[1], "text", 4) == 4 && read(ends[0], bytes, 9) == 4
                       && memcmp(bytes, "text", 4) == 0 && read(ends[0], bytes, 9) == -1 && errno == EAGAIN);
    tell("holds so much", write(ends[1], bytes, sizeof(bytes)) == PAGE && write(ends[1], bytes, 1) == -1
                              && errno == EAGAIN && read(ends[0], bytes, sizeof(bytes)) == PAGE);
    close(ends[1]);
    tell("and has an end", read(ends[0], bytes, 1) == 0 && fstat(ends[0], &status) == 0 && S_ISFIFO(status.st_mode));
    close(ends[0]);
    tell("A pair of sockets goes both ways",
         socketpair(AF_UNIX, SOCK_STREAM, 0, both) == 0 && send(both[0], "to", 2, MSG_NOSIGNAL) == 2
             && recv(both[1], bytes, 9, 0) == 2 && write(both[1], "fro", 3) == 3 && read(both[0], bytes, 9) == 3);
    close(both[0]);
    tell("and ends for both",
         recv(both[1], bytes, 1, 0) == 0 && send(both[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
    close(both[1]);
    tell("There is no network", socket(AF_INET, SOCK_STREAM, 0) == -1);
}

static int events_in(int poller, int timeout)
{
    struct epoll_event events[4];
    return epoll_wait(poller, events, 4, timeout);
}

static void polling(void)
{
    int poller = epoll_create1(EPOLL_CLOEXEC), counter = eventfd(0, EFD_NONBLOCK);
    struct epoll_event level = { .events = EPOLLIN, .data.u64 = 77 }, edge = { .events = EPOLLIN | EPOLLET }, got;
    eventfd_t value;
    tell("An empty counter is not ready", epoll_ctl(poller, EPOLL_CTL_ADD, counter, &level) == 0
                                              && epoll_ctl(poller, EPOLL_CTL_ADD, counter, &level) == -1
                                              && errno == EEXIST && events_in(poller, 2) == 0);
    pthread_t thread;
    pthread_create(&thread, NULL, add_later, &counter);
    tell("A write ends the wait", epoll_wait(poller, &got, 1, -1) == 1 && got.data.u64 == 77 && got.events == EPOLLIN);
    pthread_join(thread, NULL);
    tell("and it is reported until it is read", events_in(poller, 0) == 1 && events_in(poller, 0) == 1);
    bool once = epoll_ctl(poller, EPOLL_CTL_MOD, counter, &edge) == 0 && events_in(poller, 0) == 1
                && events_in(poller, 0) == 0;
    tell("or once for each write",
         once && eventfd_write(counter, 1) == 0 && events_in(poller, 0) == 1 && events_in(poller, 0) == 0);
    edge.events = EPOLLIN | EPOLLONESHOT;
    tell("or only once", epoll_ctl(poller, EPOLL_CTL_MOD, counter, &edge) == 0 && events_in(poller, 0) == 1
                             && eventfd_write(counter, 1) == 0 && events_in(poller, 0) == 0);
    tell("until it is forgotten", epoll_ctl(poller, EPOLL_CTL_DEL, counter, NULL) == 0
                                      && epoll_ctl(poller, EPOLL_CTL_DEL, counter, NULL) == -1 && errno == ENOENT);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec time = { .it_value.tv_nsec = MILLISECOND, .it_interval.tv_nsec = MILLISECOND };
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &level);
    tell("A timer ends a wait, again and again",
         events_in(poller, 0) == 0 && timerfd_settime(timer, 0, &time, NULL) == 0 && events_in(poller, -1) == 1
             && read(timer, &value, sizeof(value)) == 8 && value >= 1 && events_in(poller, -1) == 1);
    close(timer);
    tell("A closed descriptor is not reported", events_in(poller, 0) == 0);
    tell("The console cannot be waited for", epoll_ctl(poller, EPOLL_CTL_ADD, 0, &level) == -1 && errno == EPERM);
    close(poller);
    struct pollfd all[] = { { counter, POLLIN, 0 }, { 99, POLLIN, 0 }, { -1, POLLIN, 0 } };
    eventfd_read(counter, &value);
    tell("poll() waits, too", poll(all, 1, 1) == 0 && eventfd_write(counter, 1) == 0 && poll(all, 3, -1) == 2
                                  && all[0].revents == POLLIN && all[1].revents == POLLNVAL);
    close(counter);
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    memory();
    execution();
    identity();
    signals();
    counters();
    streams();
    polling();
    answers_randomness();
    answers_tokio();
    answers_smol();
    printf("All is answered\n");
    return 0;
}
