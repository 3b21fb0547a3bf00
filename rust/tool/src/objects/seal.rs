// SPDX-License-Identifier: BSD-2-Clause

//! `seal`: copies a Rust archive without the functions that C's libraries provide.
//!
//! Every Rust static library carries compiler_builtins: memcpy and the like, integer and float helpers, libm. In a C
//! image these functions are the C library's and libgcc's. The order of the linker's command line decides which copy it
//! takes, and some of Rust's helpers have another float ABI than the C code (riscv64). Therefore a member of
//! compiler_builtins is dropped if the C libraries provide every symbol that it defines.
//!
//! A member that also defines other symbols stays whole. The linker pulls it in only for those, and its other definitions
//! are weak, so that C's own win. Members of other crates always stay, even if they define a name of the C library on
//! purpose.
//!
//! A name that two crates export is an error, since a linker silently takes the first. So is an instruction that enters the
//! kernel, because libsel4's are in C.
//!
//! Tables for unwinding can be left out too. The prebuilt core and alloc bring theirs into every image, though panics
//! abort; C's code on seL4 has none (`-fno-asynchronous-unwind-tables`).
//!
//! If link-time optimisation outside of rustc inlined C's functions into the Rust code, its object replaces rustc's own.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::FileHeader;
use object::{FileKind, LittleEndian, Object, ObjectSection, ObjectSymbol};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};
use crate::output;

use super::archive::{Archive, Member, read};
use super::{host, read_tp, symbolizer, traps, witness};

/// An archive to seal, and what to leave out of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// Archive that cargo made.
    pub archive: PathBuf,
    /// Archive to write.
    pub out: PathBuf,
    /// Libraries of C, whose symbols Rust's archive leaves to them.
    #[serde(default)]
    pub provided_by: Vec<PathBuf>,
    /// Object that takes the place of the Rust code.
    pub inlined: Option<PathBuf>,
    /// Leaves out the tables for unwinding.
    #[serde(default)]
    pub no_unwind_tables: bool,
    /// Leaves out std's search for the names of frames.
    #[serde(default)]
    pub no_symbolizer: bool,
    /// Replaces calls for aarch32's thread pointer.
    #[serde(default)]
    pub no_read_tp: bool,
    /// Functions that C refers to weakly, for which a linker takes nothing out of an archive. A `*` in front stands for
    /// any letters. The file `needed` beside `out` has the linker's options for those that the archive defines, and for
    /// what stands in an array that the start of the program, or a crate, goes through.
    #[serde(default)]
    pub callbacks: Vec<String>,
    /// Headers that must have a prototype of each export.
    #[serde(default)]
    pub exports: witness::Request,
    /// Crates whose code may enter the kernel by instructions of its own.
    #[serde(default)]
    pub trap_crates: Vec<String>,
}

/// Writes the archive of a request: without the members of compiler_builtins that C's libraries make superfluous. All
/// other members keep their order, and their bytes but for the parts that the request leaves out. The object `inlined`
/// replaces the members that it was made of.
///
/// # Errors
///
/// When the input is not a Rust archive or is truncated, when two crates in it export the same name, when a library cannot
/// be read, when a crate enters the kernel by an instruction of its own, when `inlined` was not made of all Rust code of the archive, or when an export lacks a prototype that the
/// request insists on.
pub fn run(request: &Request) -> Result<()> {
    let bytes = read(&request.archive)?;
    let mut libraries = Vec::new();
    for library in &request.provided_by {
        libraries.push((&**library, read(library)?));
    }
    let libraries: Vec<File<'_>> = libraries
        .iter()
        .map(|(path, bytes)| (*path, &**bytes))
        .collect();
    let inlined = request.inlined.as_deref();
    let object = inlined.map(read).transpose()?;
    let options = SealOptions {
        unwind_tables: !request.no_unwind_tables,
        symbolizer: !request.no_symbolizer,
        read_tp: !request.no_read_tp,
        trap_crates: &request.trap_crates,
    };
    let archive = (&*request.archive, &*bytes);
    let sealed = sealed(archive, &libraries, inlined.zip(object.as_deref()), options)?;
    let rust = Archive::parse(&request.archive, &bytes)?;
    let provided = symbols(&libraries)?;
    witness::check((&request.archive, &rust), &request.exports, &provided)?;
    host::check(&rust, request.exports.target_folder.as_deref(), &provided);
    output::write_if_changed(&request.out, &sealed)?;
    let options = Archive::parse(&request.out, &sealed)?.options_for(&request.callbacks);
    output::write_if_changed(&request.out.with_file_name("needed"), options.as_bytes())?;
    Ok(())
}

/// Returns the symbols that libraries define.
fn symbols(libraries: &[File<'_>]) -> Result<HashSet<Vec<u8>>> {
    let mut symbols = HashSet::new();
    for (library, bytes) in libraries {
        let index = Archive::parse(library, bytes)?.symbols;
        symbols.extend(index.into_iter().map(|(name, _)| name.to_vec()));
    }
    Ok(symbols)
}

/// Parts of the members to keep.
#[derive(Clone, Copy, Debug)]
pub struct SealOptions<'a> {
    /// Tables for unwinding.
    pub unwind_tables: bool,
    /// Code in std that finds the names of a backtrace's frames.
    pub symbolizer: bool,
    /// Calls for aarch32's thread pointer.
    pub read_tp: bool,
    /// Crates whose code may enter the kernel by instructions of its own.
    pub trap_crates: &'a [String],
}

/// Path of a file, for messages, and its content.
pub type File<'a> = (&'a Path, &'a [u8]);

/// Returns the archive that [`run`] writes.
///
/// # Errors
///
/// When [`run`] fails.
pub fn sealed(
    (archive, bytes): File<'_>,
    provided_by: &[File<'_>],
    inlined: Option<File<'_>>,
    options: SealOptions<'_>,
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
                "note: no member of `{}` belongs to compiler_builtins, so its copies of C's functions stay in it",
                archive.display()
            );
            0..0
        }
        None => {
            return Err(Failure::new(format!(
                "`{}` is not a Rust static library: no member of it belongs to compiler_builtins",
                archive.display()
            ))
            .help(
                "give the archive that cargo made of a crate with crate-type = [\"staticlib\"]",
            ));
        }
    };
    rust.exports_once()?;
    let provided = symbols(provided_by)?;

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
    // Before libsel4's functions are inlined.
    rust.enters_no_kernel(archive, &keep, options.trap_crates)?;
    if let Some((path, object)) = inlined {
        rust.replace(path, object, &mut keep)?;
    }
    for member in &mut rust.members {
        member.drop_random_part();
        let tables = match options.unwind_tables {
            true => Ok(()),
            false => exclude_unwind_tables(&mut member.data),
        };
        let left_out = tables.and_then(|()| match options.symbolizer {
            true => Ok(()),
            false => symbolizer::leave_out(&mut member.data),
        });
        let left_out = left_out.and_then(|()| match options.read_tp {
            true => Ok(()),
            false => read_tp::leave_out(&mut member.data),
        });
        left_out.map_err(|error| {
            Failure::new(format!(
                "the member `{}` of `{}` is not a complete object file: {error}",
                String::from_utf8_lossy(&member.name),
                archive.display()
            ))
            .help("delete the archive and build it again")
        })?;
    }
    rust.write(&keep).map_err(|size| {
        Failure::new(format!(
            "the Rust archive `{}` is too large: {size} bytes, and an archive's index counts to 4 GiB",
            archive.display()
        ))
        .help("build it without debug information: a profile with `debug = false`")
    })
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
    /// Refuses a name that two crates export.
    fn exports_once(&self) -> Result<()> {
        let mut definers: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for &(symbol, member) in &self.symbols {
            let definers = definers.entry(symbol).or_default();
            // Weak definitions, which give way, may lie between two strong ones.
            for &other in &*definers {
                let (one, two) = (&self.members[other], &self.members[member]);
                if other != member
                    && let (Some(first), Some(second)) = (one.crate_name(), two.crate_name())
                    && one.defines_strongly(symbol)
                    && two.defines_strongly(symbol)
                {
                    // The order in the archive depends on hashes.
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
            definers.push(member);
        }
        Ok(())
    }

    /// Refuses code with instructions that enter the kernel, except of the crates `allowed`. `path` is the archive's.
    fn enters_no_kernel(&self, path: &Path, keep: &[bool], allowed: &[String]) -> Result<()> {
        let mut found = BTreeSet::new();
        let mut bundled_by = None;
        for (member, keep) in self.members.iter().zip(keep) {
            // The C objects of a crate come behind its own.
            bundled_by = member.crate_name().or(bundled_by);
            if !keep {
                continue;
            }
            for trap in traps::of(&member.data) {
                let of_member = bundled_by.clone().unwrap_or_default();
                // The function of one crate may be compiled into the object of another.
                let of_function =
                    crate_of(&trap.function).filter(|_| member.crate_name().is_some());
                let name = of_function.unwrap_or(&of_member);
                if !allowed.iter().any(|known| known.replace('-', "_") == name) {
                    found.insert((name.to_owned(), trap));
                }
            }
        }
        let Some((first, _)) = found.first() else {
            return Ok(());
        };
        let first = first.clone();
        let mut text = String::new();
        for (name, trap) in found.iter().take(SHOWN) {
            text += &format!(
                "\n  crate `{name}`: `{}`, by `{}`",
                trap.function, trap.instruction
            );
        }
        if found.len() > SHOWN {
            text += &format!("\n  and {} more", found.len() - SHOWN);
        }
        Err(Failure::new(format!(
            "code in `{}` enters the kernel by instructions of its own, and seL4 takes the numbers of Linux for its own system calls:{text}",
            path.display()
        ))
        .help(format!(
            "choose the crate's feature for libc, or another crate; if these are system calls of seL4, configure with -DRUST_TRAP_CRATES={first}"
        )))
    }

    /// Returns the linker's options, one per line, that take the functions of these names out of the archive, and the
    /// parts of arrays, which nothing refers to: constructors, and sections that programs find by `__start_NAME`.
    fn options_for(&self, callbacks: &[String]) -> String {
        let is_callback = |name: &str| {
            let mangled = name.starts_with("_R") || name.starts_with("_ZN");
            let named = |callback: &String| match callback.strip_prefix('*') {
                Some(end) => name.ends_with(end),
                None => name == callback,
            };
            !mangled && callbacks.iter().any(named)
        };
        let mut names: BTreeSet<String> = self
            .symbols
            .iter()
            .filter_map(|(name, _)| std::str::from_utf8(name).ok())
            .filter(|name| is_callback(name))
            .map(str::to_owned)
            .collect();
        // C's own objects are taken by whole archives.
        let of_rust = self
            .members
            .iter()
            .filter(|member| member.name.ends_with(b".o"));
        for member in
            of_rust.filter(|member| member.crate_name().is_some() || *member.name == *b"inlined.o")
        {
            names.extend(parts_of_arrays(&member.data));
        }
        names
            .into_iter()
            .map(|name| format!("-Wl,-u,{name}\n"))
            .collect()
    }

    /// Returns the members of compiler_builtins. rustc appends crate after crate, each followed by the C objects that it
    /// bundles, and last this crate, on which all others depend.
    fn builtins(&self) -> Option<Range<usize>> {
        let is_builtin = |member: &Member<'_>| member.name.starts_with(BUILTINS);
        let start = self.members.iter().position(is_builtin)?;
        let foreign =
            |member: &Member<'_>| member.name.ends_with(b".rcgu.o") && !is_builtin(member);
        let length = self.members[start..].iter().position(foreign);
        Some(start..length.map_or(self.members.len(), |length| start + length))
    }

    /// Replaces members by the object `path`, which was made of them.
    fn replace(&mut self, path: &Path, bytes: &'a [u8], keep: &mut [bool]) -> Result<()> {
        let wrong = |why: String| {
            Failure::new(format!("`{}` {why}", path.display())).help(
                "to link C's functions without inlining them, configure with -DRUST_INLINE=OFF",
            )
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
            name: Cow::Borrowed(b"inlined.o"),
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

/// Returns the global symbols in those sections of an object that the linker makes an array of.
fn parts_of_arrays(data: &[u8]) -> Vec<String> {
    let Ok(object) = object::File::parse(data) else {
        return Vec::new();
    };
    let is_array = |name: &str| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut starts = [".init_array", ".fini_array", ".ctors"].iter();
        starts.any(|start| name.starts_with(start)) || name.bytes().all(is_word)
    };
    let sections: HashSet<_> = object
        .sections()
        .filter(|section| section.kind() != object::SectionKind::Metadata)
        .filter(|section| {
            section
                .name()
                .is_ok_and(|name| !name.is_empty() && is_array(name))
        })
        .map(|section| section.index())
        .collect();
    let symbols = object.symbols().filter(|symbol| {
        let inside = symbol
            .section_index()
            .is_some_and(|index| sections.contains(&index));
        inside && symbol.is_global() && symbol.is_definition()
    });
    symbols
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect()
}

/// Number of functions that an error lists; the rest is counted.
const SHOWN: usize = 5;

/// Crate of a function's demangled path, such as `rustix` of `<rustix::io::Errno as X>::f`. `None` for names of C.
fn crate_of(function: &str) -> Option<&str> {
    let path = function.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, _) = path.split_once("::")?;
    Some(name)
}

/// Start of the names of compiler_builtins' members.
const BUILTINS: &[u8] = b"compiler_builtins-";
