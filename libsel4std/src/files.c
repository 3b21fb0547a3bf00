/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files: reading what lies in muslcsys' CPIO archive. Its handlers stop the program over what they do not know; these
 * answer that with an error, and pass on the rest.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <bits/syscall.h>
#include <muslcsys/vsyscall.h>
#include <sel4std.h>

#define FIRST_FILE 3

static muslcsys_syscall_t old_openat, old_close, old_readv, old_writev, old_lseek, old_ioctl;
/* muslcsys keeps its table of open files for one thread. */
static lock_t lock;

bool files_prepare(void)
{
    return lock_prepare(&lock);
}

static long pass_on(muslcsys_syscall_t handler, ...)
{
    va_list arguments;
    va_start(arguments, handler);
    lock_take(&lock);
    long result = handler(arguments);
    lock_give(&lock);
    va_end(arguments);
    return result;
}

static long open_file(const char *path, int flags)
{
    if ((flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC)) {
        return -EROFS;
    }
    if (flags & O_DIRECTORY) {
        return -ENOSYS;
    }
    /* Names in the archive have no root. */
    return pass_on(old_openat, AT_FDCWD, path + strspn(path, "/"), O_RDONLY, 0);
}

static long sys_openat(va_list arguments)
{
    int folder = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    return folder == AT_FDCWD ? open_file(path, va_arg(arguments, int)) : -EBADF;
}

static long sys_close(va_list arguments)
{
    int file = va_arg(arguments, int);
    return file >= FIRST_FILE ? pass_on(old_close, file) : 0;
}

static long read_into(int file, const struct iovec *pieces, int count)
{
    if (file == STDIN_FILENO) {
        long all = 0;
        for (int i = 0; i < count; i++) {
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
    return file >= FIRST_FILE ? pass_on(old_readv, file, pieces, count) : -EBADF;
}

static long sys_readv(va_list arguments)
{
    int file = va_arg(arguments, int);
    const struct iovec *pieces = va_arg(arguments, const struct iovec *);
    return read_into(file, pieces, va_arg(arguments, int));
}

static long sys_read(va_list arguments)
{
    int file = va_arg(arguments, int);
    struct iovec piece = { .iov_base = va_arg(arguments, void *) };
    piece.iov_len = va_arg(arguments, size_t);
    return read_into(file, &piece, 1);
}

/* Without the lock: it is no file, and muslcsys prints while it looks for one. */
static long sys_writev(va_list arguments)
{
    va_list copy;
    va_copy(copy, arguments);
    int file = va_arg(copy, int);
    va_end(copy);
    return file == STDOUT_FILENO || file == STDERR_FILENO ? old_writev(arguments) : -EBADF;
}

static long sys_lseek(va_list arguments)
{
    int file = va_arg(arguments, int);
    off_t offset = va_arg(arguments, off_t);
    int whence = va_arg(arguments, int);
    return file >= FIRST_FILE ? pass_on(old_lseek, file, offset, whence) : -ESPIPE;
}

static long sys_ioctl(va_list arguments)
{
    int file = va_arg(arguments, int);
    unsigned long request = va_arg(arguments, unsigned long);
    return file == STDOUT_FILENO ? pass_on(old_ioctl, file, request) : -ENOTTY;
}

/* The size of an open file. */
static long size_of(int file)
{
    long here = pass_on(old_lseek, file, (off_t)0, SEEK_CUR);
    long size = pass_on(old_lseek, file, (off_t)0, SEEK_END);
    pass_on(old_lseek, file, (off_t)here, SEEK_SET);
    return size;
}

/* On these machines the C library's structure is that of the system call. */
static long tell(int file, struct stat *result)
{
    *result = (struct stat) {
        .st_nlink = 1, .st_blksize = 4096, .st_mode = S_IFCHR | 0600
    };
    if (file >= FIRST_FILE) {
        long size = size_of(file);
        if (size < 0) {
            return size;
        }
        result->st_mode = S_IFREG | 0444;
        result->st_size = size;
    }
    return 0;
}

static long tell_by_name(const char *path, struct stat *result)
{
    int file = open_file(path, O_RDONLY);
    if (file < 0) {
        return file;
    }
    long error = tell(file, result);
    pass_on(old_close, file);
    return error;
}

static long sys_fstat(va_list arguments)
{
    int file = va_arg(arguments, int);
    return tell(file, va_arg(arguments, struct stat *));
}

static long sys_newfstatat(va_list arguments)
{
    int folder = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    struct stat *result = va_arg(arguments, struct stat *);
    return folder == AT_FDCWD ? tell_by_name(path, result) : -EBADF;
}

/* The only property that can be asked for is that a file is closed with the program, and all are. */
static long sys_fcntl(va_list arguments)
{
    (void)va_arg(arguments, int);
    switch (va_arg(arguments, int)) {
    case F_GETFD:
        return FD_CLOEXEC;
    case F_SETFD:
    case F_GETFL:
        return 0;
    default:
        return -EINVAL;
    }
}

ssize_t __attribute__((weak)) sel4std_stdin(void *bytes, size_t count)
{
    (void)bytes;
    (void)count;
    return 0;
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
#endif

/* What writes, and what makes sense with a file system only. */
static long read_only(va_list arguments)
{
    (void)arguments;
    return -EROFS;
}

void files_install(void)
{
    old_openat = muslcsys_install_syscall(__NR_openat, sys_openat);
    old_close = muslcsys_install_syscall(__NR_close, sys_close);
    old_readv = muslcsys_install_syscall(__NR_readv, sys_readv);
    old_writev = muslcsys_install_syscall(__NR_writev, sys_writev);
    old_lseek = muslcsys_install_syscall(__NR_lseek, sys_lseek);
    old_ioctl = muslcsys_install_syscall(__NR_ioctl, sys_ioctl);
    muslcsys_install_syscall(__NR_read, sys_read);
    muslcsys_install_syscall(__NR_fstat, sys_fstat);
    muslcsys_install_syscall(__NR_newfstatat, sys_newfstatat);
    muslcsys_install_syscall(__NR_fcntl, sys_fcntl);
#ifdef __NR_open
    muslcsys_install_syscall(__NR_open, sys_open);
    muslcsys_install_syscall(__NR_stat, sys_stat);
    muslcsys_install_syscall(__NR_lstat, sys_stat);
#endif
    static const int writing[] = { __NR_mkdirat, __NR_unlinkat, __NR_renameat2, __NR_linkat, __NR_symlinkat,
                                   __NR_fchmodat, __NR_ftruncate
                                 };
    for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++) {
        muslcsys_install_syscall(writing[i], read_only);
    }
}
