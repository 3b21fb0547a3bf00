/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Descriptors that threads wait for: Linux' eventfd, timerfd, pipe, socketpair, and epoll and poll over them. Event loops such
 * as those of tokio and smol wait there, wake each other and keep time. There are no descriptors of devices or networks.
 *
 * All this is installed by the first call of a function that makes such a descriptor; a raw system call does not do it.
 *
 * The lock of files guards all of it. What changes a descriptor counts up one word, on which all waits sleep by the futex.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <muslcsys/vsyscall.h>

#define DESCRIPTORS 64
/* Bytes that a pipe, or one direction of a socketpair, holds. */
#define STREAM_BYTES 4096
/* Bytes of the caller's that are moved at a time: into a copy, since its memory is not accessed under the lock. */
#define PIECE 1024
#define MOST_EVENTS 64
#define NEVER UINT64_MAX

typedef enum { COUNTER, TIMER, PIPE, SOCKET, POLLER } kind_t;

typedef struct object source_t;
typedef struct interest interest_t;

struct object {
    kind_t kind;
    int uses; /* descriptors, and calls under way */
    bool nonblocking;
    unsigned long changed; /* how often it has become more ready */
    uint64_t count;        /* of a COUNTER its value, of a TIMER how often it has expired */
    bool semaphore;
    clockid_t clock;
    uint64_t deadline, interval;
    source_t *other; /* other end of a PIPE or SOCKET, NULL once it is closed */
    bool reads, writes;
    size_t first, used;    /* of `bytes`, which arrived at this end */
    interest_t *interests; /* of a POLLER */
    source_t *next;        /* POLLER */
    char bytes[];
};

struct interest {
    interest_t *next;
    source_t *object;
    int number;
    bool spent; /* EPOLLONESHOT, reported */
    struct epoll_event event;
    unsigned long seen; /* `changed` of the object when it was reported */
};

static source_t *descriptors[DESCRIPTORS];
static source_t *pollers;
/* Counts changes, and the threads that wait for one. */
static volatile int changes;
static int waiting;

/* Notes that `object` is more ready than before. The caller has the lock, and calls unlock(). */
static void change(source_t *object)
{
    object->changed++;
    __atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST);
}

/* Releases the lock, and wakes those that wait for a change since `before`. */
static void unlock(int before)
{
    bool wakes = changes != before && __atomic_load_n(&waiting, __ATOMIC_SEQ_CST) > 0;
    files_unlock();
    if (wakes) {
        futex_wake(&changes, INT_MAX);
    }
}

/* Releases the lock, and waits for a change or the deadline. Returns a negative error number if it cannot wait. */
static int unlock_and_wait(uint64_t deadline)
{
    int seen = changes;
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    files_unlock();
    int error = futex_wait(&changes, seen, deadline);
    __atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    return error == -EAGAIN || error == -ETIMEDOUT ? 0 : error;
}

/* With the lock. */
static source_t *object_of(int number)
{
    return number >= FIRST_EVENT && number < FIRST_EVENT + DESCRIPTORS ? descriptors[number - FIRST_EVENT] : NULL;
}

/* Returns the object of a descriptor for a call, which ends with put(). */
static source_t *get(int number)
{
    files_lock();
    source_t *object = object_of(number);
    if (object != NULL) {
        object->uses++;
    }
    files_unlock();
    return object;
}

/* Takes the interests in `object` out of all pollers, and appends them to `gone`. With the lock. */
static void forget(const source_t *object, interest_t **gone)
{
    for (source_t *poller = pollers; poller != NULL; poller = poller->next) {
        for (interest_t **at = &poller->interests; *at != NULL;) {
            interest_t *interest = *at;
            if (interest->object == object) {
                *at = interest->next;
                interest->next = *gone;
                *gone = interest;
            } else {
                at = &interest->next;
            }
        }
    }
}

/* Ends a use of the object, and the object with its last use. */
static void put(source_t *object)
{
    interest_t *gone = NULL;
    files_lock();
    int before = changes;
    bool last = --object->uses == 0;
    if (last) {
        forget(object, &gone);
        for (source_t **at = &pollers; *at != NULL; at = &(*at)->next) {
            if (*at == object) {
                *at = object->next;
                break;
            }
        }
        if (object->other != NULL) {
            object->other->other = NULL;
            change(object->other);
        }
    }
    unlock(before);
    for (interest_t *next; gone != NULL; gone = next) {
        next = gone->next;
        free(gone);
    }
    if (last) {
        for (interest_t *next; object->interests != NULL; object->interests = next) {
            next = object->interests->next;
            free(object->interests);
        }
        free(object);
    }
}

static source_t *new_descriptor_object(kind_t kind, bool nonblocking)
{
    source_t *object = calloc(1, sizeof(source_t) + (kind == PIPE || kind == SOCKET ? STREAM_BYTES : 0));
    if (object != NULL) {
        *object = (source_t) {
            .kind = kind,
            .uses = 1,
            .nonblocking = nonblocking,
            .deadline = NEVER,
            .reads = kind != POLLER,
            .writes = kind == COUNTER || kind == SOCKET,
        };
    }
    return object;
}

/* Gives the object a descriptor, which has its use. On failure, ends the use. */
static long describe(source_t *object, int lowest)
{
    if (object == NULL) {
        return -ENOMEM;
    }
    long number = -EMFILE;
    files_lock();
    for (int i = lowest > FIRST_EVENT ? lowest - FIRST_EVENT : 0; i < DESCRIPTORS && number < 0; i++) {
        if (descriptors[i] == NULL) {
            descriptors[i] = object;
            number = FIRST_EVENT + i;
        }
    }
    files_unlock();
    if (number < 0) {
        put(object);
    }
    return number;
}

static long event_close(int number)
{
    files_lock();
    source_t *object = object_of(number);
    if (object != NULL) {
        descriptors[number - FIRST_EVENT] = NULL;
    }
    files_unlock();
    if (object == NULL) {
        return -EBADF;
    }
    put(object);
    return 0;
}

/* Counts how often a timer has expired by now. With the lock. */
static void expire(source_t *timer)
{
    uint64_t now;
    if (timer->deadline == NEVER || (now = clock_now()) < timer->deadline) {
        return;
    }
    uint64_t times = timer->interval > 0 ? 1 + (now - timer->deadline) / timer->interval : 1;
    timer->count += times;
    timer->deadline = timer->interval > 0 ? timer->deadline + times * timer->interval : NEVER;
    timer->changed++;
}

/* Returns what an object is ready for, as poll() and epoll have it: their numbers are the same. With the lock. */
static unsigned ready(source_t *object)
{
    switch (object->kind) {
    case COUNTER: return (object->count > 0 ? POLLIN : 0) | (object->count < UINT64_MAX - 1 ? POLLOUT : 0);
    case TIMER: expire(object); return object->count > 0 ? POLLIN : 0;
    case POLLER: return 0;
    default: break;
    }
    unsigned result = object->reads && object->used > 0 ? POLLIN : 0;
    if (object->other != NULL) {
        return result | (object->writes && object->other->used < STREAM_BYTES ? POLLOUT : 0);
    }
    if (object->kind == SOCKET) {
        return result | POLLIN | POLLOUT | POLLHUP | POLLRDHUP;
    }
    return result | (object->writes ? POLLOUT | POLLERR : POLLHUP);
}

typedef struct {
    char bytes[PIECE];
    size_t length;
} piece_t;

/* Reads from an object. With the lock. */
static long take_from(source_t *object, piece_t *piece)
{
    if (!object->reads) {
        return object->kind == POLLER ? -EINVAL : -EBADF;
    }
    if (object->kind == COUNTER || object->kind == TIMER) {
        if (piece->length < sizeof(uint64_t)) {
            return -EINVAL;
        }
        if (object->kind == TIMER) {
            expire(object);
        }
        uint64_t value = object->semaphore && object->count > 0 ? 1 : object->count;
        if (value == 0) {
            return -EAGAIN;
        }
        object->count -= value;
        change(object);
        memcpy(piece->bytes, &value, sizeof(value));
        return sizeof(value);
    }
    if (object->used == 0) {
        return object->other == NULL || piece->length == 0 ? 0 : -EAGAIN;
    }
    size_t count = MIN(piece->length, object->used);
    for (size_t i = 0; i < count; i++) {
        piece->bytes[i] = object->bytes[(object->first + i) % STREAM_BYTES];
    }
    object->first = (object->first + count) % STREAM_BYTES;
    object->used -= count;
    if (object->other != NULL) {
        change(object->other);
    }
    return count;
}

/* Writes to an object. With the lock. */
static long give_to(source_t *object, piece_t *piece)
{
    if (!object->writes) {
        return object->kind == POLLER || object->kind == TIMER ? -EINVAL : -EBADF;
    }
    if (object->kind == COUNTER) {
        uint64_t value;
        if (piece->length < sizeof(value)) {
            return -EINVAL;
        }
        memcpy(&value, piece->bytes, sizeof(value));
        if (value == UINT64_MAX) {
            return -EINVAL;
        }
        if (object->count > UINT64_MAX - 1 - value) {
            return -EAGAIN;
        }
        object->count += value;
        change(object);
        return sizeof(value);
    }
    source_t *other = object->other;
    if (other == NULL) {
        return -EPIPE;
    }
    size_t room = STREAM_BYTES - other->used, count = MIN(piece->length, room);
    if (room == 0) {
        return -EAGAIN;
    }
    for (size_t i = 0; i < count; i++) {
        other->bytes[(other->first + other->used + i) % STREAM_BYTES] = piece->bytes[i];
    }
    other->used += count;
    change(other);
    return count;
}

/* Tries `act` until it does not have to wait, once if `waits` is false. */
static long attempt(source_t *object, long (*act)(source_t *, piece_t *), piece_t *piece, bool waits)
{
    for (;;) {
        files_lock();
        int before = changes;
        long result = act(object, piece);
        if (result != -EAGAIN || !waits || object->nonblocking) {
            unlock(before);
            return result;
        }
        int error = unlock_and_wait(object->deadline);
        if (error < 0) {
            return error;
        }
    }
}

/* A read ends with what there is; a write waits until all is written. */
static long move(int number, const struct iovec *pieces, int count, bool writes, bool waits)
{
    source_t *object = get(number);
    if (object == NULL) {
        return -EBADF;
    }
    long all = 0, some = 0;
    bool whole = object->kind == COUNTER || object->kind == TIMER || object->kind == POLLER, ends = false;
    for (int i = 0; i < count && !ends; i++) {
        for (size_t at = 0; !ends && (at < pieces[i].iov_len || (whole && at == 0)); at += some) {
            piece_t piece = { .length = MIN(pieces[i].iov_len - at, (size_t)PIECE) };
            if (writes) {
                memcpy(piece.bytes, (const char *)pieces[i].iov_base + at, piece.length);
            }
            some = attempt(object, writes ? give_to : take_from, &piece, waits && (writes || all == 0));
            if (some <= 0) {
                ends = true;
                break;
            }
            if (!writes) {
                memcpy((char *)pieces[i].iov_base + at, piece.bytes, some);
            }
            all += some;
            ends = whole || (!writes && (size_t)some < piece.length);
        }
    }
    put(object);
    return all > 0 ? all : some;
}

static long event_read(int number, const struct iovec *pieces, int count)
{
    return move(number, pieces, count, false, true);
}

static long event_write(int number, const struct iovec *pieces, int count)
{
    return move(number, pieces, count, true, true);
}

static long event_stat(int number, struct stat *result)
{
    source_t *object = get(number);
    if (object == NULL) {
        return -EBADF;
    }
    unsigned kind = object->kind == SOCKET ? S_IFSOCK : object->kind == PIPE ? S_IFIFO : 0;
    put(object);
    *result = (struct stat) { .st_nlink = 1, .st_blksize = 4096, .st_mode = kind | 0600 };
    return 0;
}

static long set_nonblocking(source_t *object, bool nonblocking)
{
    files_lock();
    object->nonblocking = nonblocking;
    files_unlock();
    put(object);
    return 0;
}

static long event_ioctl(int number, int request, const int *argument)
{
    source_t *object = get(number);
    if (object == NULL) {
        return -EBADF;
    }
    if (request == FIONBIO) {
        return set_nonblocking(object, *argument != 0);
    }
    put(object);
    return -ENOTTY;
}

static long event_fcntl(int number, int what, long argument)
{
    source_t *object = get(number);
    if (object == NULL) {
        return -EBADF;
    }
    long result = -EINVAL;
    switch (what) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: return describe(object, argument);
    case F_GETFD: result = FD_CLOEXEC; break;
    case F_SETFD: result = 0; break;
    case F_GETFL:
        result = (object->nonblocking ? O_NONBLOCK : 0)
                 | (object->reads && object->writes ? O_RDWR
                    : object->writes                ? O_WRONLY
                                                    : O_RDONLY);
        break;
    case F_SETFL: return set_nonblocking(object, argument & O_NONBLOCK);
    default: break;
    }
    put(object);
    return result;
}

static long sys_dup(va_list arguments)
{
    int number = va_arg(arguments, int);
    source_t *object = get(number);
    /* Files of the archive have one descriptor. */
    return object != NULL ? describe(object, 0) : number < FIRST_EVENT ? -EINVAL : -EBADF;
}

static long sys_eventfd2(va_list arguments)
{
    unsigned value = va_arg(arguments, unsigned);
    int flags = va_arg(arguments, int);
    if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) {
        return -EINVAL;
    }
    source_t *object = new_descriptor_object(COUNTER, flags & EFD_NONBLOCK);
    if (object != NULL) {
        object->count = value;
        object->semaphore = flags & EFD_SEMAPHORE;
    }
    return describe(object, 0);
}

static long pair(kind_t kind, int flags, int *result)
{
    source_t *one = new_descriptor_object(kind, flags & O_NONBLOCK);
    source_t *two = new_descriptor_object(kind, flags & O_NONBLOCK);
    if (one == NULL || two == NULL) {
        free(one);
        free(two);
        return -ENOMEM;
    }
    one->other = two;
    two->other = one;
    if (kind == PIPE) {
        one->writes = two->reads = false;
        two->writes = true;
    }
    long first = describe(one, 0);
    long second = first >= 0 ? describe(two, 0) : -EMFILE;
    if (second < 0) {
        if (first >= 0) {
            event_close(first);
        } else {
            put(two);
        }
        return second;
    }
    result[0] = first;
    result[1] = second;
    return 0;
}

static long sys_pipe2(va_list arguments)
{
    int *result = va_arg(arguments, int *);
    int flags = va_arg(arguments, int);
    return flags & ~(O_CLOEXEC | O_NONBLOCK) ? -EINVAL : pair(PIPE, flags, result);
}

static long sys_socketpair(va_list arguments)
{
    int domain = va_arg(arguments, int);
    int type = va_arg(arguments, int);
    int protocol = va_arg(arguments, int);
    if (domain != AF_UNIX) {
        return -EAFNOSUPPORT;
    }
    if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM || protocol != 0) {
        return -EPROTONOSUPPORT;
    }
    return pair(SOCKET, type & SOCK_NONBLOCK ? O_NONBLOCK : 0, va_arg(arguments, int *));
}

/* Moves bytes over a socketpair, without any address. */
static long transfer(va_list arguments, bool writes)
{
    int number = va_arg(arguments, int);
    struct iovec piece = { .iov_base = va_arg(arguments, void *) };
    piece.iov_len = va_arg(arguments, size_t);
    int flags = va_arg(arguments, int);
    source_t *object = get(number);
    if (object == NULL) {
        return number < FIRST_EVENT ? -ENOTSOCK : -EBADF;
    }
    bool socket = object->kind == SOCKET;
    put(object);
    if (!socket) {
        return -ENOTSOCK;
    }
    if (flags & ~(MSG_NOSIGNAL | MSG_DONTWAIT)) {
        return -EOPNOTSUPP;
    }
    return move(number, &piece, 1, writes, !(flags & MSG_DONTWAIT));
}

static long sys_sendto(va_list arguments)
{
    return transfer(arguments, true);
}

static long sys_recvfrom(va_list arguments)
{
    return transfer(arguments, false);
}

#define NANOSECONDS 1000000000ull

static struct timespec timespec_of(uint64_t nanoseconds)
{
    return (struct timespec) { .tv_sec = nanoseconds / NANOSECONDS, .tv_nsec = nanoseconds % NANOSECONDS };
}

static bool valid(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && (uint64_t)time->tv_nsec < NANOSECONDS;
}

static long sys_timerfd_create(va_list arguments)
{
    clockid_t clock = va_arg(arguments, clockid_t);
    int flags = va_arg(arguments, int);
    if ((clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME)
        || flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) {
        return -EINVAL;
    }
    source_t *object = new_descriptor_object(TIMER, flags & TFD_NONBLOCK);
    if (object != NULL) {
        object->clock = clock;
    }
    return describe(object, 0);
}

/* Time that a timer has left, and its interval. With the lock. */
static struct itimerspec left_of(source_t *timer)
{
    expire(timer);
    uint64_t now = clock_now(), left = timer->deadline > now ? timer->deadline - now : 1;
    return (struct itimerspec) {
        .it_interval = timespec_of(timer->interval),
        .it_value = timespec_of(timer->deadline != NEVER ? left : 0),
    };
}

static source_t *get_timer(int number, long *error)
{
    source_t *object = get(number);
    if (object != NULL && object->kind == TIMER) {
        return object;
    }
    *error = object != NULL || (number >= 0 && number < FIRST_EVENT) ? -EINVAL : -EBADF;
    if (object != NULL) {
        put(object);
    }
    return NULL;
}

static long sys_timerfd_settime(va_list arguments)
{
    int number = va_arg(arguments, int);
    int flags = va_arg(arguments, int);
    struct itimerspec wanted = *va_arg(arguments, const struct itimerspec *), before;
    struct itimerspec *old = va_arg(arguments, struct itimerspec *);
    long error;
    if (!valid(&wanted.it_value) || !valid(&wanted.it_interval)) {
        return -EINVAL;
    }
    source_t *timer = get_timer(number, &error);
    if (timer == NULL) {
        return error;
    }
    bool armed = wanted.it_value.tv_sec != 0 || wanted.it_value.tv_nsec != 0;
    uint64_t deadline = armed ? clock_deadline(&wanted.it_value, flags & TFD_TIMER_ABSTIME, timer->clock) : NEVER;
    files_lock();
    int seen = changes;
    before = left_of(timer);
    timer->count = 0;
    timer->deadline = deadline;
    timer->interval = wanted.it_interval.tv_sec * NANOSECONDS + wanted.it_interval.tv_nsec;
    change(timer);
    unlock(seen);
    put(timer);
    if (old != NULL) {
        *old = before;
    }
    return 0;
}

static long sys_timerfd_gettime(va_list arguments)
{
    int number = va_arg(arguments, int);
    struct itimerspec *result = va_arg(arguments, struct itimerspec *), now;
    long error;
    source_t *timer = get_timer(number, &error);
    if (timer == NULL) {
        return error;
    }
    files_lock();
    now = left_of(timer);
    files_unlock();
    put(timer);
    *result = now;
    return 0;
}

static long sys_epoll_create1(va_list arguments)
{
    int flags = va_arg(arguments, int);
    if (flags & ~EPOLL_CLOEXEC) {
        return -EINVAL;
    }
    source_t *poller = new_descriptor_object(POLLER, false);
    if (poller != NULL) {
        files_lock();
        poller->next = pollers;
        pollers = poller;
        files_unlock();
    }
    return describe(poller, 0);
}

/* With the lock. */
static long control(source_t *poller, int operation, const interest_t *wanted, interest_t **fresh)
{
    interest_t **at = &poller->interests;
    while (*at != NULL && !((*at)->object == wanted->object && (*at)->number == wanted->number)) {
        at = &(*at)->next;
    }
    interest_t *known = *at;
    if (operation == EPOLL_CTL_ADD) {
        if (known != NULL) {
            return -EEXIST;
        }
        *at = *fresh;
        **at = *wanted;
        *fresh = NULL;
    } else if (known == NULL) {
        return -ENOENT;
    } else if (operation == EPOLL_CTL_DEL) {
        *at = known->next;
        *fresh = known;
        return 0;
    } else {
        interest_t *next = known->next;
        *known = *wanted;
        known->next = next;
    }
    /* Those that wait look at it. */
    change(poller);
    return 0;
}

static long sys_epoll_ctl(va_list arguments)
{
    int at = va_arg(arguments, int);
    int operation = va_arg(arguments, int);
    interest_t wanted = { .number = va_arg(arguments, int) }, *fresh = NULL;
    const struct epoll_event *event = va_arg(arguments, const struct epoll_event *);
    if (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD && operation != EPOLL_CTL_DEL) {
        return -EINVAL;
    }
    if (operation != EPOLL_CTL_DEL) {
        wanted.event = *event;
    }
    source_t *poller = get(at);
    wanted.object = get(wanted.number);
    long result = poller == NULL || wanted.object == NULL ? -EBADF : 0;
    if (poller != NULL && wanted.object == NULL && files_is_open(wanted.number)) {
        result = -EPERM;
    } else if (result == 0 && (poller->kind != POLLER || wanted.object->kind == POLLER)) {
        result = -EINVAL;
    }
    if (result == 0 && operation == EPOLL_CTL_ADD && (fresh = malloc(sizeof(*fresh))) == NULL) {
        result = -ENOMEM;
    }
    if (result == 0) {
        files_lock();
        int before = changes;
        /* What is ready now is reported. */
        wanted.seen = wanted.object->changed - 1;
        result = control(poller, operation, &wanted, &fresh);
        unlock(before);
    }
    free(fresh);
    if (wanted.object != NULL) {
        put(wanted.object);
    }
    if (poller != NULL) {
        put(poller);
    }
    return result;
}

/* Takes what is ready, and moves it behind the rest, so that all get their turn. `deadline` becomes that of the next timer, if
 * that is earlier. With the lock. */
static int collect(source_t *poller, struct epoll_event *events, int most, uint64_t *deadline)
{
    int count = 0;
    interest_t *reported = NULL, **end = &reported, **at = &poller->interests;
    while (*at != NULL) {
        interest_t *interest = *at;
        source_t *object = interest->object;
        unsigned asked = interest->event.events, is = ready(object) & (asked | EPOLLERR | EPOLLHUP);
        bool edge = !(asked & EPOLLET) || interest->seen != object->changed;
        if (object->kind == TIMER) {
            *deadline = MIN(*deadline, object->deadline);
        }
        if (is == 0 || !edge || interest->spent || count == most) {
            at = &interest->next;
            continue;
        }
        events[count++] = (struct epoll_event) { .events = is, .data = interest->event.data };
        interest->seen = object->changed;
        interest->spent = asked & EPOLLONESHOT;
        *at = interest->next;
        interest->next = NULL;
        *end = interest;
        end = &interest->next;
    }
    *at = reported;
    return count;
}

static long wait_for_events(int number, struct epoll_event *result, int most, uint64_t deadline)
{
    if (most <= 0) {
        return -EINVAL;
    }
    source_t *poller = get(number);
    if (poller == NULL) {
        return -EBADF;
    }
    struct epoll_event events[MOST_EVENTS];
    long count = poller->kind == POLLER ? 0 : -EINVAL;
    while (count == 0) {
        uint64_t end = deadline;
        files_lock();
        count = collect(poller, events, MIN(most, MOST_EVENTS), &end);
        if (count > 0 || clock_now() >= deadline) {
            files_unlock();
            break;
        }
        count = unlock_and_wait(end);
    }
    put(poller);
    if (count > 0) {
        memcpy(result, events, count * sizeof(*events));
    }
    return count;
}

static uint64_t deadline_of(const struct timespec *timeout)
{
    return timeout != NULL ? clock_deadline(timeout, false, CLOCK_MONOTONIC) : NEVER;
}

static uint64_t deadline_of_milliseconds(int timeout)
{
    struct timespec time = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000l };
    return deadline_of(timeout >= 0 ? &time : NULL);
}

static long sys_epoll_pwait(va_list arguments)
{
    int number = va_arg(arguments, int);
    struct epoll_event *events = va_arg(arguments, struct epoll_event *);
    int most = va_arg(arguments, int);
    return wait_for_events(number, events, most, deadline_of_milliseconds(va_arg(arguments, int)));
}

static long sys_epoll_pwait2(va_list arguments)
{
    int number = va_arg(arguments, int);
    struct epoll_event *events = va_arg(arguments, struct epoll_event *);
    int most = va_arg(arguments, int);
    const struct timespec *timeout = va_arg(arguments, const struct timespec *);
    if (timeout != NULL && !valid(timeout)) {
        return -EINVAL;
    }
    return wait_for_events(number, events, most, deadline_of(timeout));
}

/* State of one descriptor for poll(). With the lock. */
static unsigned state_of(const struct pollfd *asked, uint64_t *deadline)
{
    source_t *object = object_of(asked->fd);
    if (object == NULL) {
        return POLLNVAL;
    }
    unsigned is = ready(object);
    if (object->kind == TIMER) {
        *deadline = MIN(*deadline, object->deadline);
    }
    return is & (asked->events | POLLERR | POLLHUP);
}

static long poll_until(struct pollfd *all, nfds_t count, uint64_t deadline)
{
    for (;;) {
        uint64_t end = deadline;
        int found = 0, seen = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
        for (nfds_t i = 0; i < count; i++) {
            struct pollfd asked = all[i];
            unsigned is = 0;
            if (asked.fd >= FIRST_EVENT) {
                files_lock();
                is = state_of(&asked, &end);
                files_unlock();
            } else if (asked.fd >= 0) {
                /* Files, and the console, never let anybody wait. */
                is = files_is_open(asked.fd) ? asked.events & (POLLIN | POLLOUT) : POLLNVAL;
            }
            all[i].revents = is;
            found += is != 0;
        }
        if (found > 0 || clock_now() >= deadline) {
            return found;
        }
        __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
        int error = futex_wait(&changes, seen, end);
        __atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
        if (error < 0 && error != -ETIMEDOUT && error != -EAGAIN) {
            return error;
        }
    }
}

static long sys_ppoll(va_list arguments)
{
    struct pollfd *all = va_arg(arguments, struct pollfd *);
    nfds_t count = va_arg(arguments, nfds_t);
    const struct timespec *timeout = va_arg(arguments, const struct timespec *);
    return timeout != NULL && !valid(timeout) ? -EINVAL : poll_until(all, count, deadline_of(timeout));
}

/* Older names, which x86_64 has. */
#ifdef __NR_poll
static long sys_poll(va_list arguments)
{
    struct pollfd *all = va_arg(arguments, struct pollfd *);
    nfds_t count = va_arg(arguments, nfds_t);
    return poll_until(all, count, deadline_of_milliseconds(va_arg(arguments, int)));
}

static long sys_pipe(va_list arguments)
{
    return pair(PIPE, 0, va_arg(arguments, int *));
}
#endif

#ifdef CONFIG_PLAT_HOSTED
#define install events_install
#else
static
#endif
void install(void)
{
    static const events_t own = { event_close, event_read, event_write, event_stat, event_ioctl, event_fcntl };
    if (__atomic_load_n(&events, __ATOMIC_ACQUIRE) != NULL) {
        return;
    }
    static const struct {
        int number;
        muslcsys_syscall_t function;
    } calls[] = {
        { __NR_dup, sys_dup },
        { __NR_eventfd2, sys_eventfd2 },
        { __NR_pipe2, sys_pipe2 },
        { __NR_socketpair, sys_socketpair },
        { __NR_sendto, sys_sendto },
        { __NR_recvfrom, sys_recvfrom },
        { __NR_timerfd_create, sys_timerfd_create },
        { __NR_timerfd_settime, sys_timerfd_settime },
        { __NR_timerfd_gettime, sys_timerfd_gettime },
        { __NR_epoll_create1, sys_epoll_create1 },
        { __NR_epoll_ctl, sys_epoll_ctl },
        { __NR_epoll_pwait, sys_epoll_pwait },
        { __NR_epoll_pwait2, sys_epoll_pwait2 },
        { __NR_ppoll, sys_ppoll },
#ifdef __NR_poll
        { __NR_poll, sys_poll },
        { __NR_pipe, sys_pipe },
#endif
    };
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        muslcsys_install_syscall(calls[i].number, calls[i].function);
    }
    __atomic_store_n(&events, &own, __ATOMIC_RELEASE);
}

#ifndef CONFIG_PLAT_HOSTED
/* The C library's functions that make descriptors, or wait for them. The linker passes calls of them here (--wrap). */
#define WRAP(name, parameters, ...)        \
    int __real_##name parameters;          \
    int __wrap_##name parameters           \
    {                                      \
        install();                         \
        return __real_##name(__VA_ARGS__); \
    }
WRAP(epoll_create, (int size), size)
WRAP(epoll_create1, (int flags), flags)
WRAP(eventfd, (unsigned value, int flags), value, flags)
WRAP(pipe, (int *result), result)
WRAP(pipe2, (int *result, int flags), result, flags)
WRAP(poll, (struct pollfd * all, nfds_t count, int timeout), all, count, timeout)
WRAP(ppoll, (struct pollfd * all, nfds_t count, const struct timespec *timeout, const sigset_t *mask), all, count,
     timeout, mask)
WRAP(socketpair, (int domain, int type, int protocol, int *result), domain, type, protocol, result)
WRAP(timerfd_create, (int clock, int flags), clock, flags)
#endif
