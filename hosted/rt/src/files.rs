// SPDX-License-Identifier: BSD-2-Clause

//! Files: those of a CPIO archive in the program, to read, as with muslcsys on a kernel. What is opened is a
//! copy in memory, so that all else about an open file is Linux' business.
//!
//! Once there is an archive, or std is in the program, Linux' own files are none of an seL4 thread's, but for
//! those that the program itself is made of: a backtrace reads them.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use sel4_hosted::in_thread;

use crate::original::original;

mod c {
    use super::*;
    original! {
        fn open64(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int;
        fn fopen(path: *const c_char, mode: *const c_char) -> *mut libc::FILE;
        fn statx(
            folder: c_int,
            path: *const c_char,
            flags: c_int,
            mask: c_uint,
            result: *mut libc::statx,
        ) -> c_int;
        fn opendir(path: *const c_char) -> *mut libc::DIR;
        fn mkdir(path: *const c_char, mode: libc::mode_t) -> c_int;
        fn rmdir(path: *const c_char) -> c_int;
        fn unlink(path: *const c_char) -> c_int;
        fn rename(from: *const c_char, to: *const c_char) -> c_int;
        fn link(from: *const c_char, to: *const c_char) -> c_int;
        fn symlink(from: *const c_char, to: *const c_char) -> c_int;
        fn chmod(path: *const c_char, mode: libc::mode_t) -> c_int;
    }
}

/// Finds a file of an archive by its name, and gives its size.
type Find = unsafe extern "C" fn(
    archive: *const c_void,
    length: c_ulong,
    name: *const c_char,
    size: *mut c_ulong,
) -> *const c_void;

static ARCHIVE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static LENGTH: AtomicUsize = AtomicUsize::new(0);
static FIND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Names the archive that files are in, and what finds them.
#[unsafe(no_mangle)]
extern "C" fn muslcsys_install_cpio_interface(archive: *const c_void, length: c_ulong, find: Find) {
    ARCHIVE.store(archive.cast_mut(), Relaxed);
    LENGTH.store(length as usize, Relaxed);
    FIND.store(find as *mut c_void, Relaxed);
}

/// Whether files are those of the archive for who asks.
fn replaces() -> bool {
    (cfg!(feature = "std") || !ARCHIVE.load(Relaxed).is_null()) && in_thread()
}

/// What a file of the archive contains.
///
/// # Safety
///
/// The path is text of C's.
unsafe fn find(path: *const c_char) -> Option<&'static [u8]> {
    let (archive, find) = (ARCHIVE.load(Relaxed), FIND.load(Relaxed));
    if archive.is_null() {
        return None;
    }
    // Names in the archive have no root.
    // SAFETY: as the caller promises; the archive stays, and what finds files in it was told.
    unsafe {
        let root = CStr::from_ptr(path).to_bytes().iter();
        let name = path.add(root.take_while(|byte| **byte == b'/').count());
        let mut size = 0;
        let find = std::mem::transmute::<*mut c_void, Find>(find);
        let content = find(
            archive,
            LENGTH.load(Relaxed) as c_ulong,
            name,
            &raw mut size,
        );
        (!content.is_null()).then(|| slice::from_raw_parts(content.cast(), size as usize))
    }
}

/// Whether this file is a part of the program: its own, or one of its libraries.
///
/// # Safety
///
/// The path is text of C's.
unsafe fn is_programs_own(path: *const c_char) -> bool {
    let mut own = [0; libc::PATH_MAX as usize];
    // SAFETY: there is room for the name; a library that is there is counted, and given back.
    unsafe {
        let room = own.len() - 1;
        libc::readlink(c"/proc/self/exe".as_ptr(), own.as_mut_ptr(), room);
        if *path != b'/' as c_char || libc::strcmp(path, own.as_ptr()) == 0 {
            return *path == b'/' as c_char;
        }
        let library = libc::dlopen(path, libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        !library.is_null() && libc::dlclose(library) == 0
    }
}

fn fail(error: c_int) -> c_int {
    // SAFETY: each thread has one.
    unsafe { *libc::__errno_location() = error };
    -1
}

/// Opens a file as an seL4 thread sees it.
///
/// # Safety
///
/// The path is text of C's.
unsafe fn open_file(path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0
        {
            return fail(libc::EROFS);
        }
        if let Some(content) = find(path) {
            let copy = libc::memfd_create(c"file".as_ptr(), libc::MFD_CLOEXEC);
            let mut written = 0;
            while written < content.len() {
                let rest = &content[written..];
                match libc::write(copy, rest.as_ptr().cast(), rest.len()) {
                    count @ 1.. => written += count as usize,
                    _ => break,
                }
            }
            // Another way to it, which does not write.
            let name = format!("/proc/self/fd/{copy}\0");
            let file = c::open64(name.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC, 0);
            libc::close(copy);
            return file;
        }
        if is_programs_own(path) {
            return c::open64(path, flags, 0);
        }
        fail(libc::ENOENT)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if replaces() {
            return open_file(path, flags);
        }
        c::open64(path, flags, mode)
    }
}

/// The same, as C calls it on machines whose files have sizes of 64 bits anyway.
#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { open64(path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fopen(path: *const c_char, mode: *const c_char) -> *mut libc::FILE {
    // SAFETY: as the caller promises.
    unsafe {
        if !replaces() {
            return c::fopen(path, mode);
        }
        let reads = *mode == b'r' as c_char && libc::strchr(mode, c_int::from(b'+')).is_null();
        let file = open_file(path, if reads { libc::O_RDONLY } else { libc::O_RDWR });
        if file < 0 {
            return ptr::null_mut();
        }
        libc::fdopen(file, mode)
    }
}

#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn statx(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mask: c_uint,
    result: *mut libc::statx,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if !replaces() || *path == 0 {
            return c::statx(folder, path, flags, mask, result);
        }
        let file = open_file(path, libc::O_RDONLY);
        if file < 0 {
            return file;
        }
        let error = c::statx(file, c"".as_ptr(), libc::AT_EMPTY_PATH, mask, result);
        libc::close(file);
        error
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn opendir(path: *const c_char) -> *mut libc::DIR {
    if replaces() {
        fail(libc::ENOSYS);
        return ptr::null_mut();
    }
    // SAFETY: as the caller promises.
    unsafe { c::opendir(path) }
}

/// What writes, which nobody can.
macro_rules! read_only {
    ($(fn $name:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $type),*) -> c_int {
            if replaces() {
                return fail(libc::EROFS);
            }
            // SAFETY: as the caller promises.
            unsafe { c::$name($($argument),*) }
        }
    )*};
}

read_only! {
    fn mkdir(path: *const c_char, mode: libc::mode_t);
    fn rmdir(path: *const c_char);
    fn unlink(path: *const c_char);
    fn rename(from: *const c_char, to: *const c_char);
    fn link(from: *const c_char, to: *const c_char);
    fn symlink(from: *const c_char, to: *const c_char);
    fn chmod(path: *const c_char, mode: libc::mode_t);
}

/// An archive in the format that has "newc" for a name: of each file a header of numbers as text, its name and
/// its content, both up to a multiple of four.
struct Archive<'a>(&'a [u8]);

impl<'a> Iterator for Archive<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const HEADER: usize = 110;
        const SIZE: usize = 54;
        const NAME_SIZE: usize = 94;
        let bytes = self.0;
        if !bytes.starts_with(b"07070") {
            return None;
        }
        let number = |at: usize| {
            let text = std::str::from_utf8(bytes.get(at..at + 8)?).ok()?;
            usize::from_str_radix(text, 16).ok()
        };
        let (size, name_size) = (number(SIZE)?, number(NAME_SIZE)?);
        let name = bytes.get(HEADER..HEADER.checked_add(name_size)?)?;
        let start = (HEADER + name_size).next_multiple_of(4);
        let end = start.checked_add(size)?;
        let content = bytes.get(start..end)?;
        self.0 = bytes.get(end.next_multiple_of(4)..).unwrap_or_default();
        let name = name.split_last()?.1;
        (name != b"TRAILER!!!").then_some((name, content))
    }
}

/// The content of a file of an archive, and its size; null if there is no such file.
///
/// # Safety
///
/// The archive has `length` bytes, the name is text of C's, and there is room for a size, or it is null.
#[unsafe(no_mangle)]
unsafe extern "C" fn cpio_get_file(
    archive: *const c_void,
    length: c_ulong,
    name: *const c_char,
    size: *mut c_ulong,
) -> *const c_void {
    // SAFETY: as the caller promises.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes();
        let files = Archive(slice::from_raw_parts(archive.cast(), length as usize));
        let Some((_, content)) = { files }.find(|(other, _)| *other == name) else {
            return ptr::null();
        };
        if let Some(size) = size.as_mut() {
            *size = content.len() as c_ulong;
        }
        content.as_ptr().cast()
    }
}
