// SPDX-License-Identifier: BSD-2-Clause

//! Link map of GNU ld: members of the C library in an image, and the objects that pull them in.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// Members of musl whose assembly contains the trap instruction.
const TRAPS: [&str; 5] = [
    "clone.o",
    "vfork.o",
    "syscall_cp.o",
    "__unmapself.o",
    "restore.o",
];

/// Returns the map that a linker's command line asks for already.
pub fn asked_for(arguments: &[String]) -> Option<PathBuf> {
    arguments.iter().find_map(|argument| {
        let rest = argument.strip_prefix("-Wl,")?.trim_start_matches('-');
        let file = rest.strip_prefix("Map")?.strip_prefix(['=', ','])?;
        Some(PathBuf::from(file))
    })
}

/// Refuses an image with a member of `libc` that enters the kernel by itself.
pub fn no_traps(map: &str, libc: &Path) -> Result<()> {
    let name = libc.file_name().unwrap_or_default().to_string_lossy();
    let member_of = |line: &str| {
        let (path, member) = line.trim().strip_suffix(')')?.rsplit_once('(')?;
        (path.rsplit('/').next() == Some(&name)).then(|| member.to_owned())
    };
    // A line of a section ends with its address, size and file. Discarded sections have the address 0.
    let mut any = false;
    for line in map.lines() {
        let mut words = line.split_whitespace().rev();
        let Some(member) = words.next().and_then(member_of) else {
            continue;
        };
        let mut number = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        let (Some(1..), Some(1..)) = (number(), number()) else {
            continue;
        };
        any = true;
        if TRAPS.contains(&&*member) {
            let asked = asked_by(map, &member, member_of).unwrap_or("the linker's command line");
            return Err(Failure::new(format!(
                "`{member}` of {name} would be in the image, but it makes system calls of Linux; {asked} refers to it"
            ))
            .help("remove the calls that need it: fork(), vfork(), pthread_cancel() and clone() do not exist on seL4"));
        }
    }
    if any {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the link map shows nothing in the image from `{}`",
        libc.display()
    ))
    .help("link with GNU ld, or switch this check off: configure with -DRUST_STD_CHECK=off"))
}

/// Returns the object that pulled in `member`: the line below its own in the map's list of included members.
fn asked_by<'a>(
    map: &'a str,
    member: &str,
    member_of: impl Fn(&str) -> Option<String>,
) -> Option<&'a str> {
    let mut lines = map.lines();
    lines.find(|line| {
        let mut words = line.split_whitespace();
        words.next().and_then(&member_of).as_deref() == Some(member)
    })?;
    lines.next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "Archive member included to satisfy reference by file (symbol)

lib/libc.a(write.o)           main.o (write)
lib/libc.a(vfork.o)
                              lib/libc.a(long_name.o) (vfork)

Discarded input sections

 .text          0x0000000000000000       0x10 lib/libc.a(vfork.o)

Linker script and memory map

 .text          0x0000000000400100       0x20 lib/libc.a(write.o)
 .data          0x0000000000500000        0x0 lib/libc.a(vfork.o)
";

    #[test]
    fn what_was_discarded_is_no_trap() {
        no_traps(MAP, Path::new("stage/libc.a")).expect("no trap");
    }

    #[test]
    fn a_trap_is_refused_and_who_asks_for_it_is_named() {
        let map = format!("{MAP} .text.vfork\n    0x0000000000400200   0x10 lib/libc.a(vfork.o)\n");
        let error = no_traps(&map, Path::new("stage/libc.a")).expect_err("a trap");
        let error = error.to_string();
        assert!(
            error.contains("`vfork.o` of libc.a would be in the image"),
            "{error}"
        );
        assert!(
            error.contains("lib/libc.a(long_name.o) (vfork) refers to it"),
            "{error}"
        );
    }

    #[test]
    fn a_map_that_tells_nothing_is_no_answer() {
        let error =
            no_traps("VMA LMA Size\n", Path::new("stage/libc.a")).expect_err("no map of GNU ld");
        assert!(error.to_string().contains("link with GNU ld"), "{error}");
    }

    #[test]
    fn a_map_of_the_project_is_found() {
        for option in ["-Wl,-Map=out.map", "-Wl,--Map,out.map", "-Wl,-Map,out.map"] {
            let found = asked_for(&["-g".to_owned(), option.to_owned()]);
            assert_eq!(found.as_deref(), Some(Path::new("out.map")), "{option}");
        }
        assert_eq!(asked_for(&["-Wl,--gc-sections".to_owned()]), None);
    }
}
