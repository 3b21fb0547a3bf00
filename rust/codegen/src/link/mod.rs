// SPDX-License-Identifier: BSD-2-Clause

//! `link`: runs the linker of an executable with Rust's std in it, then looks at what came out.
//!
//! | what is wrong | what it would do |
//! |---|---|
//! | an object of muslc whose system call is an instruction | Linux' number reaches seL4, which takes it for another |
//! | muslc is of another version than the musl that Rust's std was made for | what they say to each other may differ |
//! | parts of std that have nothing behind them | they return errors, or do nothing |
//!
//! What is left of the image after `--gc-sections` is what is reached from where it begins, so the image itself tells what it uses.

mod facilities;
mod map;
mod paths;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol};

use crate::failure::{Failure, Result};
use crate::seal::{self, Archive};

/// What to link and what to compare.
#[derive(Debug)]
pub struct Request {
    /// The linker's command line, as the build has it.
    pub command: Vec<String>,
    /// The Rust archive that the command links.
    pub archive: PathBuf,
    /// The C library that the command links.
    pub libc: PathBuf,
    /// The C library that Rust's std was made with.
    pub rust_libc: PathBuf,
    /// Whether parts of std with nothing behind them are an error, and not a warning.
    pub strict: bool,
}

/// Links, and checks.
///
/// # Errors
///
/// When the linker fails, when the executable has what would enter a kernel by itself, when the C libraries are of two
/// versions, and if `strict` when parts of std have nothing behind them. The executable is then removed.
pub fn link(request: &Request) -> Result<()> {
    let (program, arguments) = request
        .command
        .split_first()
        .ok_or_else(|| Failure::new("there is no linker to run"))?;
    let output = arguments
        .iter()
        .skip_while(|argument| *argument != "-o")
        .nth(1)
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("the linker's command line has no `-o`"))?;
    let scratch = tempfile::tempdir().map_err(|error| {
        Failure::new(format!("cannot make a temporary folder: {error}"))
            .help("see to it that there is room in it, or name another with TMPDIR")
    })?;
    // A project that wants a map for itself gets it, and one is enough.
    let (map, own) = match map::asked_for(arguments) {
        Some(map) => (map, None),
        None => {
            let map = scratch.path().join("map");
            let option = format!("-Wl,-Map={}", map.display());
            (map, Some(option))
        }
    };
    let status = Command::new(program)
        .args(arguments)
        .args(own)
        .status()
        .map_err(|error| Failure::new(format!("cannot run `{program}`: {error}")))?;
    if !status.success() {
        return Err(
            Failure::new(format!("`{}` was not linked", output.display()))
                .help("the linker's own message is above"),
        );
    }
    check(request, &output, &map).inspect_err(|_| {
        // The check has failed already; what cannot be removed is linked anew all the same.
        let _ = fs::remove_file(&output);
    })
}

fn check(request: &Request, output: &Path, map: &Path) -> Result<()> {
    same_version(&request.libc, &request.rust_libc)?;
    let map = fs::read(map).map_err(|error| Failure::io("read", map, &error))?;
    map::no_traps(&String::from_utf8_lossy(&map), &request.libc)?;

    let image = seal::read(output)?;
    let archive = seal::read(&request.archive)?;
    let archive = Archive::parse(&request.archive, &archive)?;
    let Some(missing) = paths::missing(output, &image, &archive)? else {
        return Ok(());
    };
    let message = format!(
        "`{}` uses parts of Rust's std that have nothing behind them on seL4; they return errors or do nothing:\n{missing}",
        output.display()
    );
    if request.strict {
        return Err(Failure::new(message).help(
            "leave out what calls them; or, if the errors are dealt with, configure with -DRUST_STD_CHECK=warn",
        ));
    }
    eprintln!(
        "warning: {message}\nhelp: leave out what calls them; -DRUST_STD_CHECK=error makes this an error, =off is silent"
    );
    Ok(())
}

/// Refuses two musls of different versions.
fn same_version(libc: &Path, rust_libc: &Path) -> Result<()> {
    let (ours, rusts) = (version(libc)?, version(rust_libc)?);
    if ours == rusts {
        return Ok(());
    }
    Err(Failure::new(format!(
        "muslc is of version `{ours}`, and Rust's std for this target was made with musl `{rusts}`, `{}`",
        rust_libc.display()
    ))
    .help(
        "take a muslc or a Rust of the same musl; to go on all the same, configure with -DRUST_STD_CHECK=off and test well",
    ))
}

/// The version that a musl of an archive says it is of.
fn version(path: &Path) -> Result<String> {
    const SYMBOL: &str = "__libc_version";
    let bytes = seal::read(path)?;
    let archive = Archive::parse(path, &bytes)?;
    let read = || {
        let member = archive.member_of(SYMBOL.as_bytes())?;
        let object = object::File::parse(member).ok()?;
        let symbol = object
            .symbols()
            .find(|symbol| symbol.name() == Ok(SYMBOL))?;
        let section = object.section_by_index(symbol.section_index()?).ok()?;
        let text = section.data().ok()?.get(symbol.address() as usize..)?;
        let text = text.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    read().ok_or_else(|| {
        Failure::new(format!(
            "`{}` is no musl: it has no `{SYMBOL}`",
            path.display()
        ))
        .help("Rust's std for this target needs musllibc as the C library")
    })
}
