// SPDX-License-Identifier: BSD-2-Clause

//! CPIO archives in the format `newc`.

use std::ffi::{CStr, c_char, c_ulong, c_void};
use std::{ptr, slice};

/// File or folder of an archive.
pub(crate) struct Entry<'a> {
    pub name: &'a [u8],
    pub content: &'a [u8],
    pub is_folder: bool,
    /// Time of the last change, in seconds since 1970.
    pub modified: usize,
}

/// Iterator over an archive in the format `newc`. Each entry has a header of hexadecimal numbers, its name and
/// its content, the latter two padded to a multiple of four bytes.
pub(crate) struct Archive<'a>(pub &'a [u8]);

impl<'a> Iterator for Archive<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        const HEADER: usize = 110;
        const MODE: usize = 14;
        const MODIFIED: usize = 46;
        const SIZE: usize = 54;
        const NAME_SIZE: usize = 94;
        let bytes = self.0;
        if !bytes.starts_with(b"070701") {
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
        (name != b"TRAILER!!!").then_some(Entry {
            name,
            content,
            is_folder: number(MODE)? as libc::mode_t & libc::S_IFMT == libc::S_IFDIR,
            modified: number(MODIFIED)?,
        })
    }
}

/// Returns the content of a file of an archive, and its size; null if the archive has no such file.
///
/// # Safety
///
/// The archive has `length` bytes, `name` is a C string, and `size` is null or can be written to.
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
        let mut files = Archive(slice::from_raw_parts(archive.cast(), length as usize));
        let Some(entry) = files.find(|entry| entry.name == name && !entry.is_folder) else {
            return ptr::null();
        };
        if let Some(size) = size.as_mut() {
            *size = entry.content.len() as c_ulong;
        }
        entry.content.as_ptr().cast()
    }
}
