// SPDX-License-Identifier: BSD-2-Clause

//! Where std keeps the arguments of the program.
//!
//! With musl, std has them from the `main` that rustc writes. In an image `main` is C's, and std keeps them in statics that
//! it shows to nobody. Those get names for others here, by which libsel4std fills them before `main`. All that is relied on
//! is what std calls its statics, and that each is a word: where a later std has no such statics, nothing is named, and
//! `args()` is empty.
//!
//! Link-time optimisation finds that nobody writes them, and leaves them out. So the bundle holds on to the function of
//! std that would, by its address alone, and the linker, which sees that nobody wants that address, leaves it out.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use object::elf::{FileHeader64, SHT_SYMTAB, STB_GLOBAL, STB_LOCAL, STT_OBJECT, Sym64};
use object::pod::bytes_of;
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, SectionHeader, Sym};
use object::{Endianness, FileKind, SectionIndex};

use crate::failure::{Failure, Result};
use crate::objects::seal::read;

/// The function that fills them.
const START: &str = "std::rt::lang_start_internal";

/// What std calls the statics, and how libsel4std does.
const STATICS: [(&str, &str); 2] = [
    ("std::sys::args::unix::imp::ARGC", "sel4_rust_argc"),
    ("std::sys::args::unix::imp::ARGV", "sel4_rust_argv"),
];

/// The symbol of the function in std that fills the statics. None if there is no such function.
/// `folder` holds the prebuilt std of a target.
///
/// # Errors
///
/// When std cannot be read.
pub fn start(folder: &Path) -> Result<Option<String>> {
    let files = fs::read_dir(folder).map_err(|error| Failure::io("read", folder, &error))?;
    for file in files {
        let path = file
            .map_err(|error| Failure::io("read", folder, &error))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with("libstd-") || !name.ends_with(".rlib") {
            continue;
        }
        let bytes = read(&path)?;
        let Ok(Some(symbols)) = ArchiveFile::parse(&*bytes).and_then(|file| file.symbols()) else {
            continue;
        };
        let mut names = symbols
            .flatten()
            .map(|symbol| String::from_utf8_lossy(symbol.name()));
        let found = names.find(|name| path_of(name) == START);
        if let Some(name) = found {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

/// The names of the statics for others.
pub fn names() -> impl Iterator<Item = &'static [u8]> {
    STATICS.iter().map(|(_, name)| name.as_bytes())
}

/// Names the statics in an object for others. False where it has not both, or what is called so is not a word.
///
/// # Errors
///
/// When the object is cut off.
pub fn name(data: &mut Cow<'_, [u8]>) -> object::Result<bool> {
    if !matches!(FileKind::parse(&**data), Ok(FileKind::Elf64)) {
        return Ok(false);
    }
    let Some(tables) = Tables::with_names(data)? else {
        return Ok(false);
    };
    let data = data.to_mut();
    for (header, mut section, content) in [tables.symbols, tables.strings] {
        data.resize(data.len().next_multiple_of(8), 0);
        let endian = tables.endian;
        section.sh_offset.set(endian, data.len() as u64);
        section.sh_size.set(endian, content.len() as u64);
        data.extend_from_slice(&content);
        let header = header..header + size_of_val(&section);
        data[header].copy_from_slice(bytes_of(&section));
    }
    Ok(true)
}

/// A table: where its header stands, the header, and what is to be in it.
type Table = (usize, object::elf::SectionHeader64<Endianness>, Vec<u8>);

/// An object's tables of symbols and of their names.
struct Tables {
    endian: Endianness,
    symbols: Table,
    strings: Table,
}

impl Tables {
    /// Those of the object, with the new names behind all others.
    fn with_names(data: &[u8]) -> object::Result<Option<Self>> {
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, data)?;
        let symbols = sections.symbols(endian, data, SHT_SYMTAB)?;
        // A third table belongs to objects of more sections than a symbol can tell; std's have not so many.
        if symbols.is_empty() || symbols.shndx_section() != SectionIndex(0) {
            return Ok(None);
        }
        let table = |index: SectionIndex| -> object::Result<Table> {
            let section = sections.section(index)?;
            let at = header.e_shoff(endian) as usize + index.0 * size_of_val(section);
            Ok((at, *section, section.data(endian, data)?.to_vec()))
        };
        let mut tables = Self {
            endian,
            symbols: table(symbols.section())?,
            strings: table(symbols.string_section())?,
        };
        for (path, new) in STATICS {
            let mut found = Vec::new();
            for symbol in symbols.iter() {
                let name = symbol.name(endian, symbols.strings())?;
                if symbol.st_type() == STT_OBJECT
                    && symbol.st_bind() == STB_LOCAL
                    && symbol.st_size(endian) == 8
                    && path_of(&String::from_utf8_lossy(name)) == path
                {
                    found.push(*symbol);
                }
            }
            let [mut symbol]: [Sym64<Endianness>; 1] = match found.try_into() {
                Ok(one) => one,
                Err(_) => return Ok(None),
            };
            symbol.st_name.set(endian, tables.strings.2.len() as u32);
            symbol.set_st_info(STB_GLOBAL, STT_OBJECT);
            tables.symbols.2.extend_from_slice(bytes_of(&symbol));
            tables.strings.2.extend_from_slice(new.as_bytes());
            tables.strings.2.push(0);
        }
        Ok(Some(tables))
    }
}

/// What a symbol is called in Rust.
fn path_of(symbol: &str) -> String {
    // LLVM numbers the parts that it takes a static apart into.
    let whole = symbol.split('.').next().unwrap_or_default();
    format!("{:#}", rustc_demangle::demangle(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_is_known_by_name() {
        for (symbol, path) in [
            (
                "_RNvNtNtNtNtCs3vIF18vCiwS_3std3sys4args4unix3imp4ARGC.0",
                STATICS[0].0,
            ),
            (
                "_ZN3std3sys4args4unix3imp4ARGV17h508bc0237af9918dE",
                STATICS[1].0,
            ),
            ("_RNvNtCs3vIF18vCiwS_3std2rt19lang_start_internal", START),
        ] {
            assert_eq!(path_of(symbol), path);
        }
    }
}
