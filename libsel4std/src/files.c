/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files: Linux' calls for reading, over the archive; the console; and what is refused. Nothing here stops the program or
 * prints: what cannot be done is an error, which std makes an io::Error.
 */
#define _GNU_SOURCE
#include "archive.h"
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

typedef struct {
    bool open;
    place_t place;
    size_t at; /* bytes read, or where the list of a folder goes on */
} file_t;

static file_t files[FILES];
static lock_t lock;
static muslcsys_syscall_t old_write, old_writev;
const events_t *events;

/* Passes a call on a descriptor that is none of a file. */
#define PASS_ON(call) (__atomic_load_n(&events, __ATOMIC_ACQUIRE) != NULL ? events->call : -EBADF)

bool files_prepare(void)
{
    return lock_prepare(&lock);
}

void files_lock(void)
{
    lock_take(&lock);
}

void files_unlock(void)
{
    lock_give(&lock);
}

/* With the lock. NULL if there is no such file. */
static file_t *file_of(int number)
{
    file_t *file = number >= FIRST_FILE && number < FIRST_FILE + FILES ? &files[number - FIRST_FILE] : NULL;
    return file != NULL && file->open ? file : NULL;
}

bool files_is_open(int number)
{
    lock_take(&lock);
    bool open = (number >= 0 && number < FIRST_FILE) || file_of(number) != NULL;
    lock_give(&lock);
    return open;
}

static long find(const char *path, place_t *place)
{
    return *path != 0 && archive_find(path, place) ? 0 : -ENOENT;
}

static long open_file(const char *path, int flags)
{
    if ((flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC)) {
        return -EROFS;
    }
    place_t place;
    if (find(path, &place) != 0) {
        return -ENOENT;
    }
    if (flags & O_DIRECTORY && !place.folder) {
        return -ENOTDIR;
    }
    long result = -EMFILE;
    lock_take(&lock);
    for (int i = 0; i < FILES && result < 0; i++) {
        if (!files[i].open) {
            files[i] = (file_t) { .open = true, .place = place };
            result = FIRST_FILE + i;
        }
    }
    lock_give(&lock);
    return result;
}

static long sys_openat(va_list arguments)
{
    int folder = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    return folder == AT_FDCWD ? open_file(path, va_arg(arguments, int)) : -EBADF;
}

static long sys_close(va_list arguments)
{
    int number = va_arg(arguments, int);
    if (number >= FIRST_EVENT) {
        return PASS_ON(close(number));
    }
    lock_take(&lock);
    file_t *file = file_of(number);
    if (file != NULL) {
        file->open = false;
    }
    lock_give(&lock);
    return file != NULL || (number >= 0 && number < FIRST_FILE) ? 0 : -EBADF;
}

static long read_standard_input(const struct iovec *pieces, int count)
{
    long all = 0;
    for (int i = 0; i < count; i++) {
        assert_no_lock();
        ssize_t some = sel4std_stdin(pieces[i].iov_base, pieces[i].iov_len);
        if (some < 0) {
            return all > 0 ? all : -EIO;
        }
        all += some;
        if ((size_t)some < pieces[i].iov_len) {
            break;
        }
    }
    return all;
}

/* Returns the number of bytes from `at` on that the pieces can take. */
static size_t readable(const place_t *place, size_t at, const struct iovec *pieces, int count)
{
    size_t rest = at < place->entry.size ? place->entry.size - at : 0, all = 0;
    for (int i = 0; i < count && all < rest; i++) {
        all += MIN(pieces[i].iov_len, rest - all);
    }
    return all;
}

/* Reads from `*at` on, or if that is NULL, from the position of the file. The position moves under the lock and the bytes are
 * written without it: a fault there leaves the lock free. */
static long read_into(int number, const struct iovec *pieces, int count, const size_t *at)
{
    if (number >= FIRST_EVENT) {
        return at == NULL ? PASS_ON(read(number, pieces, count)) : -ESPIPE;
    }
    if (number == STDIN_FILENO) {
        return at == NULL ? read_standard_input(pieces, count) : -ESPIPE;
    }
    lock_take(&lock);
    file_t *file = file_of(number), copy = file != NULL ? *file : (file_t) { .open = false };
    size_t from = at != NULL ? *at : copy.at;
    size_t all = copy.open && !copy.place.folder ? readable(&copy.place, from, pieces, count) : 0;
    if (all > 0 && at == NULL) {
        file->at += all;
    }
    lock_give(&lock);
    if (!copy.open || copy.place.folder) {
        return copy.open ? -EISDIR : -EBADF;
    }
    for (size_t i = 0, done = 0; done < all; i++) {
        size_t some = MIN(pieces[i].iov_len, all - done);
        memcpy(pieces[i].iov_base, copy.place.entry.data + from + done, some);
        done += some;
    }
    return all;
}

static long sys_readv(va_list arguments)
{
    int number = va_arg(arguments, int);
    const struct iovec *pieces = va_arg(arguments, const struct iovec *);
    return read_into(number, pieces, va_arg(arguments, int), NULL);
}

static long sys_read(va_list arguments)
{
    int number = va_arg(arguments, int);
    struct iovec piece = { .iov_base = va_arg(arguments, void *) };
    piece.iov_len = va_arg(arguments, size_t);
    return read_into(number, &piece, 1, NULL);
}

static long sys_pread64(va_list arguments)
{
    int number = va_arg(arguments, int);
    struct iovec piece = { .iov_base = va_arg(arguments, void *) };
    piece.iov_len = va_arg(arguments, size_t);
    off_t at = va_arg(arguments, off_t);
    size_t from = at;
    return at < 0 ? -EINVAL : read_into(number, &piece, 1, &from);
}

static bool is_console(int number)
{
    return number == STDOUT_FILENO || number == STDERR_FILENO;
}

static long sys_writev(va_list arguments)
{
    va_list copy;
    va_copy(copy, arguments);
    int number = va_arg(copy, int);
    const struct iovec *pieces = va_arg(copy, const struct iovec *);
    int count = va_arg(copy, int);
    va_end(copy);
    if (number >= FIRST_EVENT) {
        return PASS_ON(write(number, pieces, count));
    }
    return is_console(number) ? old_writev(arguments) : -EBADF;
}

/* muslcsys' version makes a writev() of it, and loses the error. */
static long sys_write(va_list arguments)
{
    va_list copy;
    va_copy(copy, arguments);
    int number = va_arg(copy, int);
    struct iovec piece = { .iov_base = va_arg(copy, void *) };
    piece.iov_len = va_arg(copy, size_t);
    va_end(copy);
    if (number >= FIRST_EVENT) {
        return PASS_ON(write(number, &piece, 1));
    }
    return is_console(number) ? old_write(arguments) : -EBADF;
}

static long sys_lseek(va_list arguments)
{
    int number = va_arg(arguments, int);
    off_t offset = va_arg(arguments, off_t);
    int whence = va_arg(arguments, int);
    if ((number >= 0 && number < FIRST_FILE) || number >= FIRST_EVENT) {
        return -ESPIPE;
    }
    long result = -EBADF;
    lock_take(&lock);
    file_t *file = file_of(number);
    if (file != NULL) {
        off_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (off_t)file->at : (off_t)file->place.entry.size;
        bool known = whence == SEEK_SET || whence == SEEK_CUR || (whence == SEEK_END && !file->place.folder);
        off_t to;
        result = -EINVAL;
        if (known && !__builtin_add_overflow(from, offset, &to) && to >= 0) {
            file->at = to;
            result = to;
        }
    }
    lock_give(&lock);
    return result;
}

/* Linux' structure, which that of the C library is. */
static long sys_getdents64(va_list arguments)
{
    int number = va_arg(arguments, int);
    char *bytes = va_arg(arguments, char *);
    size_t length = va_arg(arguments, size_t), used = 0;
    lock_take(&lock);
    file_t *file = file_of(number), copy = file != NULL ? *file : (file_t) { .open = false };
    lock_give(&lock);
    long result = !copy.open ? -EBADF : copy.place.folder ? 0 : -ENOTDIR;
    child_t child;
    for (size_t next = result == 0 ? copy.at : 0; result == 0 && archive_list(&copy.place, &next, &child);) {
        size_t size = (offsetof(struct dirent, d_name) + child.length + 1 + 7) & -8ul;
        struct dirent *entry = (void *)(bytes + used);
        if (child.length >= sizeof(entry->d_name) || size > length - used) {
            result = used == 0 ? -EINVAL : 0;
            break;
        }
        entry->d_ino = next;
        entry->d_off = next;
        entry->d_reclen = size;
        entry->d_type = child.folder ? DT_DIR : DT_REG;
        memcpy(entry->d_name, child.name, child.length);
        entry->d_name[child.length] = 0;
        used += size;
        copy.at = next;
    }
    lock_take(&lock);
    file = result == 0 ? file_of(number) : NULL;
    if (file != NULL) {
        file->at = copy.at;
    }
    lock_give(&lock);
    return result < 0 ? result : (long)used;
}

static long sys_ioctl(va_list arguments)
{
    int number = va_arg(arguments, int);
    if (number >= FIRST_EVENT) {
        int request = va_arg(arguments, int);
        return PASS_ON(ioctl(number, request, va_arg(arguments, const int *)));
    }
    /* muslc asks whether it writes to a terminal, and then does so line by line. The size of the console is not known. */
    if (number != STDOUT_FILENO || va_arg(arguments, int) != TIOCGWINSZ) {
        return -ENOTTY;
    }
    *va_arg(arguments, struct winsize *) = (struct winsize) { 0 };
    return 0;
}

/* On these machines the C library's structure is that of the system call. */
static void tell(const place_t *place, struct stat *result)
{
    *result = (struct stat) { .st_nlink = 1, .st_blksize = 4096, .st_mode = S_IFCHR | 0600 };
    if (place != NULL) {
        result->st_mode = place->folder ? S_IFDIR | 0555 : S_IFREG | (place->entry.mode & 0555);
        result->st_size = place->folder ? 0 : place->entry.size;
        result->st_ino = place->entry.next;
        result->st_mtim.tv_sec = place->entry.time;
    }
}

static long tell_by_name(const char *path, struct stat *result)
{
    place_t place;
    long error = find(path, &place);
    if (error == 0) {
        tell(&place, result);
    }
    return error;
}

static long sys_fstat(va_list arguments)
{
    int number = va_arg(arguments, int);
    struct stat *result = va_arg(arguments, struct stat *);
    if (number >= FIRST_EVENT) {
        return PASS_ON(stat(number, result));
    }
    if (number >= 0 && number < FIRST_FILE) {
        tell(NULL, result);
        return 0;
    }
    lock_take(&lock);
    const file_t *file = file_of(number);
    file_t copy = file != NULL ? *file : (file_t) { .open = false };
    lock_give(&lock);
    if (copy.open) {
        tell(&copy.place, result);
    }
    return copy.open ? 0 : -EBADF;
}

static long sys_newfstatat(va_list arguments)
{
    int folder = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    return folder == AT_FDCWD ? tell_by_name(path, va_arg(arguments, struct stat *)) : -EBADF;
}

static long may(const char *path, int how)
{
    place_t place;
    long error = find(path, &place);
    return error != 0 ? error : how & W_OK ? -EROFS : 0;
}

static long sys_faccessat(va_list arguments)
{
    int folder = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    return folder == AT_FDCWD ? may(path, va_arg(arguments, int)) : -EBADF;
}

/* Nothing in the archive is taken for a link. */
static long sys_readlinkat(va_list arguments)
{
    int folder = va_arg(arguments, int);
    place_t place;
    long error = find(va_arg(arguments, const char *), &place);
    return folder != AT_FDCWD ? -EBADF : error != 0 ? error : -EINVAL;
}

static long sys_getcwd(va_list arguments)
{
    char *result = va_arg(arguments, char *);
    if (va_arg(arguments, size_t) < 2) {
        return -ERANGE;
    }
    strcpy(result, "/");
    return 2;
}

/* The only property that can be asked for is that a file is closed with the program, and all are. */
static long sys_fcntl(va_list arguments)
{
    int number = va_arg(arguments, int), what = va_arg(arguments, int);
    if (number >= FIRST_EVENT) {
        return PASS_ON(fcntl(number, what, va_arg(arguments, long)));
    }
    switch (what) {
    case F_GETFD: return FD_CLOEXEC;
    case F_SETFD:
    case F_GETFL: return 0;
    default: return -EINVAL;
    }
}

/* Older names, which x86_64 has. */
#ifdef __NR_open
static long sys_open(va_list arguments)
{
    const char *path = va_arg(arguments, const char *);
    return open_file(path, va_arg(arguments, int));
}

static long sys_stat(va_list arguments)
{
    const char *path = va_arg(arguments, const char *);
    return tell_by_name(path, va_arg(arguments, struct stat *));
}

static long sys_access(va_list arguments)
{
    const char *path = va_arg(arguments, const char *);
    return may(path, va_arg(arguments, int));
}

static long sys_readlink(va_list arguments)
{
    place_t place;
    long error = find(va_arg(arguments, const char *), &place);
    return error != 0 ? error : -EINVAL;
}
#endif

/* System calls that write: refused, since an archive is read-only. */
static long read_only(va_list arguments)
{
    (void)arguments;
    return -EROFS;
}

void files_install(void)
{
    static const struct {
        int number;
        muslcsys_syscall_t function;
    } calls[] = {
        { __NR_openat, sys_openat },
        { __NR_close, sys_close },
        { __NR_read, sys_read },
        { __NR_readv, sys_readv },
        { __NR_pread64, sys_pread64 },
        { __NR_lseek, sys_lseek },
        { __NR_getdents64, sys_getdents64 },
        { __NR_fstat, sys_fstat },
        { __NR_newfstatat, sys_newfstatat },
        { __NR_faccessat, sys_faccessat },
        { __NR_readlinkat, sys_readlinkat },
        { __NR_getcwd, sys_getcwd },
        { __NR_ioctl, sys_ioctl },
        { __NR_fcntl, sys_fcntl },
        { __NR_mkdirat, read_only },
        { __NR_unlinkat, read_only },
        { __NR_renameat2, read_only },
        { __NR_linkat, read_only },
        { __NR_symlinkat, read_only },
        { __NR_fchmod, read_only },
        { __NR_fchmodat, read_only },
        { __NR_ftruncate, read_only },
        { __NR_utimensat, read_only },
#ifdef __NR_renameat
        { __NR_renameat, read_only },
#endif
#ifdef __NR_open
        { __NR_open, sys_open },
        { __NR_stat, sys_stat },
        { __NR_lstat, sys_stat },
        { __NR_access, sys_access },
        { __NR_readlink, sys_readlink },
        { __NR_mkdir, read_only },
        { __NR_rmdir, read_only },
        { __NR_unlink, read_only },
        { __NR_rename, read_only },
        { __NR_link, read_only },
        { __NR_symlink, read_only },
        { __NR_chmod, read_only },
#endif
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        muslcsys_install_syscall(calls[i].number, calls[i].function);
    }
    old_write = muslcsys_install_syscall(__NR_write, sys_write);
    old_writev = muslcsys_install_syscall(__NR_writev, sys_writev);
}
