// SPDX-License-Identifier: BSD-2-Clause

//! `seal`: a Rust archive without what the C side provides.
//!
//! Every Rust static library carries compiler_builtins: memcpy and its kin, integer and float
//! helpers, libm. In a C image these are the C library's and libgcc's. Which copy a linker takes
//! depends on the order of its command line, and some of Rust's helpers have another float ABI
//! than the C code (riscv64). So a member of compiler_builtins is dropped when everything that it
//! defines is provided.
//!
//! A member that defines something provided and something else stays whole: it is only pulled in
//! for what nobody else has, and what it defines besides is weak, so that C's own wins. Members of
//! other crates stay always, also where they define a name of the C library: that is their author's will.
//!
//! A name that two crates export is refused: a linker takes the first that it meets, without a word.
//!
//! The tables for unwinding can be left out too. The prebuilt core and alloc bring theirs into
//! every image, though panics abort; C's code on seL4 has none (`-fno-asynchronous-unwind-tables`).
//!
//! Where C's inline functions were inlined into the Rust code, by link-time optimisation outside of
//! rustc, the object that came of it takes the place of rustc's own.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::FileHeader;
use object::{FileKind, LittleEndian, Object, ObjectSymbol};

use crate::failure::{Failure, Result};
use crate::output;

use super::archive::{Archive, Member, read};
use super::{read_tp, symbolizer};

/// Writes to `out` the Rust static library `archive`, without the members of compiler_builtins
/// that the libraries `provided_by` make superfluous. All other members keep their order, and their
/// bytes but for this: without `unwind_tables` each `.eh_frame` is marked as left out of images, and without `symbolizer` or
/// `read_tp` nothing calls that.
/// The object `inlined`, if there is one, takes the place of the members that it was made of.
///
/// # Errors
///
/// When `archive` is no Rust archive or is cut off, when two crates in it export the same name, when
/// a library cannot be read, or when `inlined` was not made of all Rust code of `archive`.
pub fn seal(
    archive: &Path,
    out: &Path,
    provided_by: &[PathBuf],
    inlined: Option<&Path>,
    kept: Kept,
) -> Result<()> {
    let bytes = read(archive)?;
    let mut libraries = Vec::new();
    for library in provided_by {
        libraries.push((&**library, read(library)?));
    }
    let libraries: Vec<File<'_>> = libraries
        .iter()
        .map(|(path, bytes)| (*path, &**bytes))
        .collect();
    let object = inlined.map(read).transpose()?;
    let object = inlined.zip(object.as_deref());
    let sealed = sealed((archive, &bytes), &libraries, object, kept)?;
    output::write_if_changed(out, &sealed)?;
    Ok(())
}

/// What could be left out of the members, and is not.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// The tables for unwinding.
    pub unwind_tables: bool,
    /// std's search for the names of frames.
    pub symbolizer: bool,
    /// Calls for aarch32's thread pointer.
    pub read_tp: bool,
}

/// A file's path, for messages, and its content.
pub type File<'a> = (&'a Path, &'a [u8]);

/// What [`seal`] writes.
///
/// # Errors
///
/// As those of [`seal`].
pub fn sealed(
    (archive, bytes): File<'_>,
    provided_by: &[File<'_>],
    inlined: Option<File<'_>>,
    kept: Kept,
) -> Result<Vec<u8>> {
    let mut rust = Archive::parse(archive, bytes)?;
    let builtins = match rust.builtins() {
        Some(builtins) => builtins,
        None if rust
            .members
            .iter()
            .any(|member| member.crate_name().is_some()) =>
        {
            eprintln!(
                "note: nothing in `{}` is of compiler_builtins, so its copies of C's functions stay in it",
                archive.display()
            );
            0..0
        }
        None => {
            return Err(Failure::new(format!(
                "`{}` is not a Rust static library: nothing in it is of compiler_builtins",
                archive.display()
            ))
            .help(
                "give the archive that cargo made of a crate with crate-type = [\"staticlib\"]",
            ));
        }
    };
    rust.exports_once()?;
    let mut provided: HashSet<Vec<u8>> = HashSet::new();
    for (library, bytes) in provided_by {
        let symbols = Archive::parse(library, bytes)?.symbols;
        provided.extend(symbols.into_iter().map(|(name, _)| name.to_vec()));
    }

    let mut keep = vec![true; rust.members.len()];
    for index in builtins {
        let mut defined = rust
            .symbols
            .iter()
            .filter(|(_, member)| *member == index)
            .peekable();
        keep[index] =
            defined.peek().is_none() || !defined.all(|(name, _)| provided.contains(*name));
    }
    if let Some((path, object)) = inlined {
        rust.replace(path, object, &mut keep)?;
    }
    for member in &mut rust.members {
        let tables = match kept.unwind_tables {
            true => Ok(()),
            false => exclude_unwind_tables(&mut member.data),
        };
        let left_out = tables.and_then(|()| match kept.symbolizer {
            true => Ok(()),
            false => symbolizer::leave_out(&mut member.data),
        });
        let left_out = left_out.and_then(|()| match kept.read_tp {
            true => Ok(()),
            false => read_tp::leave_out(&mut member.data),
        });
        left_out.map_err(|error| {
            Failure::new(format!(
                "the member `{}` of `{}` is not a whole object: {error}",
                String::from_utf8_lossy(member.name),
                archive.display()
            ))
            .help("delete the archive and build it again")
        })?;
    }
    Ok(rust.write(&keep))
}

/// Sets SHF_EXCLUDE on each `.eh_frame` of an object. Data other than an ELF object in little-endian order stays as it is.
fn exclude_unwind_tables(data: &mut Cow<'_, [u8]>) -> object::Result<()> {
    let flags = match FileKind::parse(&**data) {
        Ok(FileKind::Elf32) => flags_of_unwind_tables::<FileHeader32<LittleEndian>>(data)?,
        Ok(FileKind::Elf64) => flags_of_unwind_tables::<FileHeader64<LittleEndian>>(data)?,
        _ => return Ok(()),
    };
    for at in flags {
        // Bit 31 is SHF_EXCLUDE, in both classes.
        data.to_mut()[at + 3] |= 0x80;
    }
    Ok(())
}

/// Offsets of the field `sh_flags` of each section `.eh_frame` in an object.
fn flags_of_unwind_tables<Elf: FileHeader<Endian = LittleEndian>>(
    data: &[u8],
) -> object::Result<Vec<usize>> {
    let header = Elf::parse(data)?;
    let Ok(endian) = header.endian() else {
        return Ok(Vec::new());
    };
    let sections = header.sections(endian, data)?;
    let table: u64 = header.e_shoff(endian).into();
    let size = usize::from(header.e_shentsize(endian));
    let mut found = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        if sections.section_name(endian, section)? == b".eh_frame" {
            // `sh_name` and `sh_type` come before, of 32 bits each in both classes.
            found.push(table as usize + index * size + 8);
        }
    }
    Ok(found)
}

impl<'a> Archive<'a> {
    /// Refuses two crates that export the same name.
    fn exports_once(&self) -> Result<()> {
        let mut known = HashMap::new();
        for &(symbol, member) in &self.symbols {
            let Some(other) = known.insert(symbol, member) else {
                continue;
            };
            let (one, two) = (&self.members[other], &self.members[member]);
            if let (Some(first), Some(second)) = (one.crate_name(), two.crate_name())
                && one.defines_strongly(symbol)
                && two.defines_strongly(symbol)
            {
                // The order in the archive is that of their hashes.
                let mut names = [first, second];
                names.sort();
                let [first, second] = names;
                return Err(Failure::new(format!(
                    "the crates `{first}` and `{second}` both export `{}`, and one executable links them",
                    String::from_utf8_lossy(symbol)
                ))
                .help("give one of the two another name"));
            }
        }
        Ok(())
    }

    /// The members of compiler_builtins. rustc adds one crate after the other, each with the
    /// C objects it bundles behind its own, and this crate, on which all depend, last.
    fn builtins(&self) -> Option<Range<usize>> {
        let is_builtin = |member: &Member<'_>| member.name.starts_with(BUILTINS);
        let start = self.members.iter().position(is_builtin)?;
        let foreign =
            |member: &Member<'_>| member.name.ends_with(b".rcgu.o") && !is_builtin(member);
        let length = self.members[start..].iter().position(foreign);
        Some(start..length.map_or(self.members.len(), |length| start + length))
    }

    /// Puts the object `path` where the members are that it was made of.
    fn replace(&mut self, path: &Path, bytes: &'a [u8], keep: &mut [bool]) -> Result<()> {
        let wrong = |why: String| {
            Failure::new(format!("`{}` {why}", path.display()))
                .help("link the C side of libsel4-sys plainly: configure with -DRUST_INLINE=OFF")
        };
        let object = object::File::parse(bytes)
            .map_err(|error| wrong(format!("is not an object file: {error}")))?;
        let mut defined = HashSet::new();
        for symbol in object.symbols().filter(object::Symbol::is_global) {
            let name = symbol
                .name_bytes()
                .map_err(|error| wrong(format!("is damaged: {error}")))?;
            if symbol.is_definition() {
                defined.insert(name);
            } else if name.starts_with(b"_R") || name.starts_with(b"_ZN") {
                let name = String::from_utf8_lossy(name);
                return Err(wrong(format!("lacks the Rust function `{name}`")));
            }
        }
        let whole = |index: usize| {
            let mut names = self.symbols.iter().filter(|(_, member)| *member == index);
            names.all(|(name, _)| defined.contains(name))
        };
        let rust = self.members.iter().enumerate().filter(|(_, member)| {
            member.name.ends_with(b".rcgu.o") && !member.name.starts_with(BUILTINS)
        });
        let (replaced, rest): (Vec<usize>, Vec<usize>) = rust
            .map(|(index, _)| index)
            .partition(|index| whole(*index));
        let (Some(&place), true) = (replaced.first(), rest.is_empty()) else {
            return Err(wrong(
                "does not hold all Rust code of the archive".to_owned(),
            ));
        };
        for &index in &replaced {
            keep[index] = index == place;
        }
        self.members[place] = Member {
            name: b"inlined.o",
            data: Cow::Borrowed(bytes),
        };
        self.symbols
            .retain(|(_, member)| !replaced.contains(member));
        let mut names: Vec<&[u8]> = defined.into_iter().collect();
        names.sort_unstable();
        self.symbols
            .extend(names.into_iter().map(|name| (name, place)));
        Ok(())
    }
}

/// How the members of compiler_builtins are called.
const BUILTINS: &[u8] = b"compiler_builtins-";
