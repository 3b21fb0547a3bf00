// SPDX-License-Identifier: BSD-2-Clause

//! Read-only files from a CPIO archive in the program, as with libsel4muslcsys on a kernel. `open` makes a copy
//! in memory, so Linux serves all other calls on an open file.
//!
//! Once an archive is installed, or if the program contains std, seL4 threads cannot open Linux' files, except
//! the executable and its libraries, which a backtrace reads.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulong, c_void};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::{ptr, slice};

use sel4_hosted::in_thread;

use crate::archive::Archive;
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
        fn readdir64(folder: *mut libc::DIR) -> *mut libc::dirent64;
        fn dirfd(folder: *mut libc::DIR) -> c_int;
        fn closedir(folder: *mut libc::DIR) -> c_int;
        fn realpath(path: *const c_char, result: *mut c_char) -> *mut c_char;
        fn getcwd(result: *mut c_char, bytes: usize) -> *mut c_char;
        fn chdir(path: *const c_char) -> c_int;
        fn mkdir(path: *const c_char, mode: libc::mode_t) -> c_int;
        fn rmdir(path: *const c_char) -> c_int;
        fn unlink(path: *const c_char) -> c_int;
        fn rename(from: *const c_char, to: *const c_char) -> c_int;
        fn linkat(
            from_folder: c_int,
            from: *const c_char,
            to_folder: c_int,
            to: *const c_char,
            flags: c_int,
        ) -> c_int;
        fn symlink(from: *const c_char, to: *const c_char) -> c_int;
        fn chmod(path: *const c_char, mode: libc::mode_t) -> c_int;
    }
}

/// Function that finds a file of an archive by its name, and its size.
type Find = unsafe extern "C" fn(
    archive: *const c_void,
    length: c_ulong,
    name: *const c_char,
    size: *mut c_ulong,
) -> *const c_void;

static ARCHIVE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static LENGTH: AtomicUsize = AtomicUsize::new(0);
static FIND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Installs the archive of files, and the function that finds a file in it.
#[unsafe(no_mangle)]
extern "C" fn muslcsys_install_cpio_interface(archive: *const c_void, length: c_ulong, find: Find) {
    ARCHIVE.store(archive.cast_mut(), Relaxed);
    LENGTH.store(length as usize, Relaxed);
    FIND.store(find as *mut c_void, Relaxed);
}

/// Returns whether the caller, an seL4 thread, sees the archive's files in place of Linux'.
fn sees_archive() -> bool {
    (cfg!(feature = "std") || !ARCHIVE.load(Relaxed).is_null()) && in_thread()
}

/// Normalises a path to the archive's form: without a root, `.` and `..`.
///
/// # Safety
///
/// `path` is a C string.
unsafe fn normalise(path: *const c_char) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    // SAFETY: as the caller promises.
    for part in unsafe { CStr::from_ptr(path) }
        .to_bytes()
        .split(|byte| *byte == b'/')
    {
        match part {
            b"" | b"." => {}
            b".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

/// Returns the installed archive, or an empty one.
fn archive() -> Archive<'static> {
    let start = ARCHIVE.load(Relaxed);
    if start.is_null() {
        return Archive(&[]);
    }
    // SAFETY: the program has installed the archive, and never changes it.
    Archive(unsafe { slice::from_raw_parts(start.cast(), LENGTH.load(Relaxed)) })
}

/// Returns the content of a file of the archive.
fn find(name: &[u8]) -> Option<&'static [u8]> {
    let (archive, find) = (ARCHIVE.load(Relaxed), FIND.load(Relaxed));
    if archive.is_null() {
        return None;
    }
    let name = CString::new(name).ok()?;
    // SAFETY: the program has installed the archive and this function for it.
    unsafe {
        let mut size = 0;
        let find = std::mem::transmute::<*mut c_void, Find>(find);
        let length = LENGTH.load(Relaxed) as c_ulong;
        let content = find(archive, length, name.as_ptr(), &raw mut size);
        (!content.is_null()).then(|| slice::from_raw_parts(content.cast(), size as usize))
    }
}

/// Lists a folder of the archive: names, and whether they are folders. Returns `None` if the archive has no such
/// folder.
fn list(folder: &[u8]) -> Option<Vec<(Vec<u8>, bool)>> {
    let mut found: Vec<(Vec<u8>, bool)> = Vec::new();
    let mut is_there = folder.is_empty() && !ARCHIVE.load(Relaxed).is_null();
    for entry in archive() {
        is_there |= entry.is_folder && entry.name == folder;
        let below = match entry.name.strip_prefix(folder) {
            Some(rest) if folder.is_empty() => rest,
            Some([b'/', rest @ ..]) => rest,
            _ => continue,
        };
        is_there = true;
        let end = below.iter().position(|byte| *byte == b'/');
        let name = &below[..end.unwrap_or(below.len())];
        let is_folder = end.is_some() || entry.is_folder;
        match found.iter_mut().find(|(other, _)| other == name) {
            Some((_, folder)) => *folder |= is_folder,
            None => found.push((name.to_vec(), is_folder)),
        }
    }
    is_there.then_some(found)
}

/// Returns whether the file is the executable or one of its shared libraries.
///
/// # Safety
///
/// `path` is a C string.
unsafe fn belongs_to_program(path: *const c_char) -> bool {
    let mut own = [0; libc::PATH_MAX as usize];
    // SAFETY: the buffer has room for the name; dlclose() releases the reference that dlopen() took.
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
    // SAFETY: each thread has an `errno`.
    unsafe { *libc::__errno_location() = error };
    -1
}

/// Opens a file of the archive, or of the program.
///
/// # Safety
///
/// `path` is a C string.
unsafe fn open_file(path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0
        {
            return fail(libc::EROFS);
        }
        let name = normalise(path);
        if let Some(content) = find(&name) {
            let copy = libc::memfd_create(c"file".as_ptr(), libc::MFD_CLOEXEC);
            let mut written = 0;
            while written < content.len() {
                let rest = &content[written..];
                match libc::write(copy, rest.as_ptr().cast(), rest.len()) {
                    count @ 1.. => written += count as usize,
                    _ => break,
                }
            }
            let entry = archive().find(|entry| entry.name == name);
            let modified = libc::timespec {
                tv_sec: entry.map_or(0, |entry| entry.modified) as libc::time_t,
                tv_nsec: 0,
            };
            libc::futimens(copy, [modified; 2].as_ptr());
            libc::fchmod(copy, 0o444);
            // Reopen the copy read-only.
            let name = format!("/proc/self/fd/{copy}\0");
            let file = c::open64(name.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC, 0);
            libc::close(copy);
            return file;
        }
        if list(&name).is_some() {
            // A folder can be opened, but not read.
            return c::open64(
                c"/proc/self/task".as_ptr(),
                libc::O_RDONLY | libc::O_CLOEXEC,
                0,
            );
        }
        if belongs_to_program(path) {
            return c::open64(path, flags, 0);
        }
        fail(libc::ENOENT)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if sees_archive() {
            return open_file(path, flags);
        }
        c::open64(path, flags, mode)
    }
}

/// Opens a file for C, which calls [`open64`] by this name where files have sizes of 64 bits anyway.
///
/// C declares `open` with `...`, and from 1.99 on rustc denies a definition without it. Rust 1.95 cannot define such a
/// function. In the calling conventions of x86_64 and aarch64 a parameter has the same register either way.
#[unsafe(no_mangle)]
#[allow(invalid_runtime_symbol_definitions)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { open64(path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fopen(path: *const c_char, mode: *const c_char) -> *mut libc::FILE {
    // SAFETY: as the caller promises.
    unsafe {
        if !sees_archive() {
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
        if !sees_archive() || *path == 0 {
            return c::statx(folder, path, flags, mask, result);
        }
        // The path may be relative to an open folder.
        let mut path = path;
        let below = with_open_folders(|all| {
            let place = all.values().find(|place| place.file == folder)?;
            Some(
                [
                    &place.name,
                    &b"/"[..],
                    CStr::from_ptr(path).to_bytes_with_nul(),
                ]
                .concat(),
            )
        });
        if let Some(below) = &below {
            path = below.as_ptr().cast();
        }
        if list(&normalise(path)).is_some() {
            result.write_bytes(0, 1);
            (*result).stx_mask = libc::STATX_BASIC_STATS;
            (*result).stx_mode = (libc::S_IFDIR | 0o555) as u16;
            (*result).stx_nlink = 1;
            return 0;
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

/// Open folder of the archive.
struct Folder {
    name: Vec<u8>,
    /// File descriptor that stands for the folder.
    file: c_int,
    entries: Vec<(Vec<u8>, bool)>,
    /// Storage of the entry returned last.
    entry: Box<libc::dirent64>,
}

/// Accesses the open folders, by their `DIR` pointers.
fn with_open_folders<R>(work: impl FnOnce(&mut BTreeMap<usize, Folder>) -> R) -> R {
    static ALL: Mutex<BTreeMap<usize, Folder>> = Mutex::new(BTreeMap::new());
    work(&mut ALL.lock().unwrap_or_else(PoisonError::into_inner))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn opendir(path: *const c_char) -> *mut libc::DIR {
    // SAFETY: as the caller promises.
    unsafe {
        if !sees_archive() {
            return c::opendir(path);
        }
        let name = normalise(path);
        let Some(entries) = list(&name).filter(|_| *path != 0) else {
            let is_file = find(&name).is_some();
            fail(if is_file { libc::ENOTDIR } else { libc::ENOENT });
            return ptr::null_mut();
        };
        let folder = Folder {
            name,
            file: libc::memfd_create(c"folder".as_ptr(), libc::MFD_CLOEXEC),
            entries: entries.into_iter().rev().collect(),
            entry: Box::new(std::mem::zeroed()),
        };
        let handle = (&raw const *folder.entry).expose_provenance();
        with_open_folders(|all| all.insert(handle, folder));
        ptr::with_exposed_provenance_mut(handle)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn readdir64(handle: *mut libc::DIR) -> *mut libc::dirent64 {
    let next = with_open_folders(|all| {
        let folder = all.get_mut(&handle.addr())?;
        let Some((name, is_folder)) = folder.entries.pop() else {
            return Some(ptr::null_mut());
        };
        let entry = &mut *folder.entry;
        entry.d_type = if is_folder {
            libc::DT_DIR
        } else {
            libc::DT_REG
        };
        entry.d_ino = 1;
        let length = name.len().min(entry.d_name.len() - 1);
        for (to, from) in entry.d_name.iter_mut().zip(&name[..length]) {
            *to = *from as c_char;
        }
        entry.d_name[length] = 0;
        Some(&raw mut *entry)
    });
    // SAFETY: as the caller promises.
    next.unwrap_or_else(|| unsafe { c::readdir64(handle) })
}

/// Reads an entry for C, which calls [`readdir64`] by this name where file sizes have 64 bits.
#[unsafe(no_mangle)]
unsafe extern "C" fn readdir(handle: *mut libc::DIR) -> *mut libc::dirent64 {
    // SAFETY: as the caller promises.
    unsafe { readdir64(handle) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn dirfd(handle: *mut libc::DIR) -> c_int {
    let own = with_open_folders(|all| all.get(&handle.addr()).map(|folder| folder.file));
    // SAFETY: as the caller promises.
    own.unwrap_or_else(|| unsafe { c::dirfd(handle) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn closedir(handle: *mut libc::DIR) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        match with_open_folders(|all| all.remove(&handle.addr())) {
            Some(folder) => libc::close(folder.file),
            None => c::closedir(handle),
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realpath(path: *const c_char, result: *mut c_char) -> *mut c_char {
    // SAFETY: as the caller promises; `result` is null or has room for the longest path.
    unsafe {
        if !sees_archive() {
            return c::realpath(path, result);
        }
        let name = normalise(path);
        if find(&name).is_none() && list(&name).is_none() {
            fail(libc::ENOENT);
            return ptr::null_mut();
        }
        let name = [b"/", &name[..], b"\0"].concat();
        if name.len() > libc::PATH_MAX as usize {
            fail(libc::ENAMETOOLONG);
            return ptr::null_mut();
        }
        if result.is_null() {
            return libc::strdup(name.as_ptr().cast());
        }
        libc::strcpy(result, name.as_ptr().cast())
    }
}

/// Returns `/`, the only working directory.
#[unsafe(no_mangle)]
unsafe extern "C" fn getcwd(result: *mut c_char, bytes: usize) -> *mut c_char {
    // SAFETY: as the caller promises.
    unsafe {
        if !sees_archive() || result.is_null() {
            return c::getcwd(result, bytes);
        }
        if bytes < 2 {
            fail(libc::ERANGE);
            return ptr::null_mut();
        }
        libc::strcpy(result, c"/".as_ptr())
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn chdir(path: *const c_char) -> c_int {
    if sees_archive() {
        return fail(libc::ENOSYS);
    }
    // SAFETY: as the caller promises.
    unsafe { c::chdir(path) }
}

/// Defines functions that change files, all of which fail with `EROFS`.
macro_rules! read_only {
    ($(fn $name:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $type),*) -> c_int {
            if sees_archive() {
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
    fn linkat(from_folder: c_int, from: *const c_char, to_folder: c_int, to: *const c_char, flags: c_int);
    fn symlink(from: *const c_char, to: *const c_char);
    fn chmod(path: *const c_char, mode: libc::mode_t);
}
