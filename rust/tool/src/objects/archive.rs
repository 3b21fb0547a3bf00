// SPDX-License-Identifier: BSD-2-Clause

//! Archives in the format of GNU ar: read whole, and written with a choice of their members.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use object::read::archive::{ArchiveFile, ArchiveKind};
use object::{Object, ObjectSymbol};

use crate::failure::{Failure, Result};

/// Reads the bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Failure::io("read", path, &error))
}

/// One file in an archive.
pub(crate) struct Member<'a> {
    pub name: Cow<'a, [u8]>,
    pub data: Cow<'a, [u8]>,
}

impl Member<'_> {
    /// Name of the crate that rustc compiled to this member, from a name such as `greeter-0123456789abcdef.greeter.….rcgu.o`.
    pub fn crate_name(&self) -> Option<String> {
        let name = std::str::from_utf8(&self.name).ok()?;
        // A crate that is also a dynamic library has no hash in its name.
        let (name, _) = name.strip_suffix(".rcgu.o")?.split_once(['-', '.'])?;
        Some(name.to_owned())
    }

    /// Removes the part of the name that rustc draws at random in incremental builds, such as `102hrja` in
    /// `greeter-0123456789abcdef.0zhzmd6qwdklhmyqf35ne5cn9.102hrja.rcgu.o`.
    pub fn drop_random_part(&mut self) {
        let parts: Vec<&[u8]> = self.name.split(|byte| *byte == b'.').collect();
        // Other builds number the objects of a crate, in one part more.
        if let [krate, object, _, b"rcgu", b"o"] = parts[..] {
            self.name = Cow::Owned([krate, object, b"rcgu.o"].join(&b'.'));
        }
    }

    /// Returns whether the member has a strong definition of the global `symbol`.
    pub fn defines_strongly(&self, symbol: &[u8]) -> bool {
        object::File::parse(&*self.data).is_ok_and(|object| {
            object.symbols().any(|known| {
                known.is_global()
                    && known.is_definition()
                    && !known.is_weak()
                    && known.name_bytes() == Ok(symbol)
            })
        })
    }
}

/// An archive in memory.
pub(crate) struct Archive<'a> {
    pub(crate) members: Vec<Member<'a>>,
    /// Symbols in the archive's index, each with the number of the member that defines it.
    pub(super) symbols: Vec<(&'a [u8], usize)>,
}

impl<'a> Archive<'a> {
    /// Reads the archive `bytes`. Messages name its `path`.
    pub(crate) fn parse(path: &Path, bytes: &'a [u8]) -> Result<Self> {
        let broken = |why: &dyn std::fmt::Display| {
            Failure::new(format!(
                "`{}` is not a complete archive: {why}",
                path.display()
            ))
            .help("delete it and build it again")
        };
        let file = ArchiveFile::parse(bytes).map_err(|error| broken(&error))?;
        if file.is_thin() {
            return Err(Failure::new(format!(
                "`{}` is a thin archive, without its members",
                path.display()
            ))
            .help("make it with `ar rcs` instead of `ar rcsT`"));
        }
        if !matches!(
            file.kind(),
            ArchiveKind::Gnu | ArchiveKind::Gnu64 | ArchiveKind::Unknown
        ) {
            return Err(broken(&"it is not in the GNU format"));
        }
        let mut members = Vec::new();
        let mut offsets = Vec::new();
        for member in file.members() {
            let member = member.map_err(|error| broken(&error))?;
            let data = member.data(bytes).map_err(|error| broken(&error))?;
            offsets.push(member.file_range().0);
            members.push(Member {
                name: Cow::Borrowed(member.name()),
                data: Cow::Borrowed(data),
            });
        }
        let index = file.symbols().map_err(|error| broken(&error))?;
        let Some(index) = index else {
            if members.is_empty() {
                return Ok(Self {
                    members,
                    symbols: Vec::new(),
                });
            }
            return Err(
                Failure::new(format!("`{}` has no symbol index", path.display()))
                    .help(format!("ranlib {}", path.display())),
            );
        };
        let mut symbols = Vec::new();
        for symbol in index {
            let symbol = symbol.map_err(|error| broken(&error))?;
            // The index counts from the header in front of a member's data.
            let at = symbol.offset().0 + HEADER as u64;
            let member = offsets.binary_search(&at);
            let member = member.map_err(|_| broken(&"its index points at nothing"))?;
            symbols.push((symbol.name(), member));
        }
        Ok(Self { members, symbols })
    }

    /// Contents of the members, in order.
    pub(crate) fn contents(&self) -> impl Iterator<Item = &[u8]> {
        self.members.iter().map(|member| &*member.data)
    }

    /// Content of the member that the index names for `symbol`.
    pub(crate) fn member_of(&self, symbol: &[u8]) -> Option<&[u8]> {
        let mut symbols = self.symbols.iter();
        let (_, index) = symbols.find(|(name, _)| *name == symbol)?;
        Some(&self.members[*index].data)
    }

    /// Returns an archive of the members that `keep` marks, in the format of GNU ar: index, long names, members.
    ///
    /// # Errors
    ///
    /// The size, where a member lies beyond 4 GiB: offsets have 32 bits in the format that every linker reads.
    pub(super) fn write(&self, keep: &[bool]) -> std::result::Result<Vec<u8>, usize> {
        let symbols: Vec<_> = self
            .symbols
            .iter()
            .filter(|(_, member)| keep[*member])
            .collect();
        let index = 4 + symbols
            .iter()
            .map(|(name, _)| 4 + name.len() + 1)
            .sum::<usize>();
        let mut names = Vec::new();
        let mut headers = Vec::new();
        for (member, keep) in self.members.iter().zip(keep) {
            // A name ends with a slash; one that does not fit into the header stands in a table.
            let short = member.name.len() < 16 && !member.name.contains(&b'/');
            headers.push(if short {
                [&*member.name, b"/"].concat()
            } else {
                format!("/{}", names.len()).into_bytes()
            });
            if *keep && !short {
                names.extend_from_slice(&member.name);
                names.extend_from_slice(b"/\n");
            }
        }

        let mut at = MAGIC.len() + HEADER + even(index);
        if !names.is_empty() {
            at += HEADER + even(names.len());
        }
        let mut places = Vec::new();
        for (member, keep) in self.members.iter().zip(keep) {
            places.push(at);
            if *keep {
                at += HEADER + even(member.data.len());
            }
        }

        if u32::try_from(at).is_err() {
            return Err(at);
        }
        let mut out = Vec::with_capacity(at);
        out.extend_from_slice(MAGIC);
        let mut table = (symbols.len() as u32).to_be_bytes().to_vec();
        for (_, member) in &symbols {
            table.extend_from_slice(&(places[*member] as u32).to_be_bytes());
        }
        for (name, _) in &symbols {
            table.extend_from_slice(name);
            table.push(0);
        }
        put(&mut out, b"/", "0", &table);
        if !names.is_empty() {
            put(&mut out, b"//", "", &names);
        }
        for (index, member) in self.members.iter().enumerate() {
            if keep[index] {
                put(&mut out, &headers[index], "644", &member.data);
            }
        }
        Ok(out)
    }
}

const MAGIC: &[u8] = b"!<arch>\n";

/// Size of the header in front of each member, in bytes.
const HEADER: usize = 60;

fn even(length: usize) -> usize {
    length.next_multiple_of(2)
}

/// Appends one member. Times and owners are 0, so that equal archives are equal files.
fn put(out: &mut Vec<u8>, name: &[u8], mode: &str, data: &[u8]) {
    out.extend_from_slice(name);
    out.resize(out.len() + 16_usize.saturating_sub(name.len()), b' ');
    let (zero, length) = (0, data.len());
    let rest = format!("{zero:<12}{zero:<6}{zero:<6}{mode:<8}{length:<10}`\n");
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(data);
    if data.len() % 2 == 1 {
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_the_same_name_in_each_incremental_build() {
        for (name, stays) in [
            (
                "a-0123456789abcdef.0zhzmd6q.102hrja.rcgu.o",
                "a-0123456789abcdef.0zhzmd6q.rcgu.o",
            ),
            (
                "a-01.a.ec710110c72d6c87-cgu.0.rcgu.o",
                "a-01.a.ec710110c72d6c87-cgu.0.rcgu.o",
            ),
            ("c.o", "c.o"),
        ] {
            let mut member = Member {
                name: Cow::Borrowed(name.as_bytes()),
                data: Cow::Borrowed(&[]),
            };
            member.drop_random_part();
            assert_eq!(member.name, stays.as_bytes());
        }
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_archive_of_4_gib_is_not_written() {
        // Zeroes that nobody reads take no memory.
        let member = |size| Member {
            name: Cow::Borrowed(b"a.o"),
            data: Cow::Owned(vec![0; size]),
        };
        let archive = Archive {
            members: vec![member(u32::MAX as usize), member(1)],
            symbols: vec![(b"far", 1)],
        };
        assert!(archive.write(&[true, true]).is_err());
        assert!(archive.write(&[false, true]).is_ok());
    }
}
